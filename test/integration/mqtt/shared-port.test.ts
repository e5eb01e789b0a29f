/** A port that transports of two workers share, and where clients of MQTT get to there: all to the first worker, which has their realm. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon } from '../../support/daemon.js';
import type { Daemon } from '../../support/daemon.js';
import { endTheirClients, JsClient } from '../../support/mqtt-clients.js';
import { subscribed } from '../../support/mqtt-node.js';
import { LOOPBACK, openRealm } from '../../support/node-config.js';
import { freePorts } from '../../support/ports.js';
import { RawSocketClient } from '../../support/rawsocket-client.js';
import { WampClient, within } from '../../support/wamp-client.js';
import type { JoinedClient } from '../../support/wamp-client.js';

const ANYBODY = { anonymous: { type: 'static', role: 'anonymous' } };
const TICKET = { ticket: { type: 'static', principals: { joe: { ticket: 'secret', role: 'anonymous' } } } };

let daemon: Daemon;
let ports: readonly number[];
const open: { readonly close: () => Promise<unknown> }[] = [];
const port = (index: 0 | 1): number => ports[index] ?? 0;

/** A worker with two shared ports, and a WebSocket of its own. @param auth of its clients of MQTT. */
function worker(realm: string, auth: object): object {
  const [all = 0, alone = 0] = ports;
  const options = { realm: 'both', auth };
  return {
    type: 'router',
    realms: [openRealm(realm), openRealm('both')],
    transports: [
      {
        ...{ type: 'universal', endpoint: { ...LOOPBACK, port: all, shared: true } },
        ...{ rawsocket: {}, mqtt: { options }, websocket: { ws: {} } },
      },
      { type: 'mqtt', endpoint: { ...LOOPBACK, port: alone, shared: true }, options },
      { type: 'websocket', endpoint: LOOPBACK, id: `own_${realm}` },
    ],
  };
}

beforeAll(async () => {
  ports = await freePorts(2);
  daemon = await startDaemon({
    config: { version: 2, workers: [worker('realm1', ANYBODY), worker('realm2', TICKET)] },
  });
});
afterAll(async () => {
  const faults = daemon.logs.filter(({ level }) => level === 'error' || level === 'fatal');
  await daemon.dispose();
  expect(faults).toEqual([]);
});
afterEach(async () => {
  await endTheirClients();
  for (const client of open.splice(0)) await client.close();
});

async function joined(url: string, realm: string): Promise<JoinedClient> {
  const client = await WampClient.join(url, realm);
  open.push(client);
  return client;
}

/** A client of one worker, whatever is shared. */
function of(realm: string): Promise<JoinedClient> {
  const own = daemon.listening().find(({ transport }) => transport === `own_${realm}`);
  return joined(`ws://127.0.0.1:${String(own?.['port'])}/`, 'both');
}

describe.each([
  ['universal', 0],
  ['mqtt', 1],
] as const)('transports "%s"', (_type, index) => {
  it('lead clients of MQTT to the first worker, with its auth, and to its realm only', async () => {
    const [first, second] = [await of('realm1'), await of('realm2')];
    for (const client of [first, second]) await subscribed(client, 'from.mqtt');
    const mqtt = await JsClient.connect({ port: port(index) });
    await mqtt.subscribe(['from/#', 1]);
    await mqtt.publish('from/mqtt', 'x', { qos: 1 });
    expect((await first.next())[0]).toBe(36);
    await second.ask([16, 2, { acknowledge: true }, 'from.second', ['nobody of MQTT hears this']]);
    await first.ask([16, 2, { acknowledge: true }, 'from.first', ['heard']]);
    expect(await mqtt.take(2)).toEqual(['from/mqtt x q1', 'from/first heard q1']);
    await second.silent();
  });

  it('know a client by its client id, also one that was away', async () => {
    const options = { port: port(index), clientId: 'me', clean: false };
    const before = await JsClient.connect(options);
    await before.subscribe(['kept', 1]);
    await before.leave();
    const sender = await JsClient.connect({ port: port(index) });
    await sender.publish('kept', 'x', { qos: 1 });
    const after = await JsClient.connect(options);
    expect([after.isPresent, await after.take(1)]).toEqual([true, ['kept x q1']]);
    const again = await JsClient.connect(options);
    await within(after.closed, 'the end of the one before');
    expect(again.isPresent).toBe(true);
  });
});

it('beside them a WebSocket and a RawSocket get to the worker that has their realm', async () => {
  for (const realm of ['realm1', 'realm2']) {
    const web = await joined(`ws://127.0.0.1:${port(0)}/ws`, realm);
    const raw = await RawSocketClient.join({ port: port(0) }, realm);
    await subscribed(web, 'from.raw');
    expect((await raw.ask([16, 1, { acknowledge: true }, 'from.raw', [realm]]))[0]).toBe(17);
    expect((await web.next()).at(-1)).toEqual([realm]);
    await raw.leave();
  }
});

it('the node stops with clients on each port', async () => {
  const clients = await Promise.all(([0, 1] as const).map((index) => JsClient.connect({ port: port(index) })));
  expect(await daemon.stop()).toBe(0);
  await within(Promise.all(clients.map(({ closed }) => closed)), 'the end of all');
});
