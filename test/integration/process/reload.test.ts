/** A reload of a node whose router workers are partly in processes of their own: all of them change, or none. */
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { endpointAt, ReloadedDaemon } from '../../support/reloading.js';
import type { LogRecord } from '../../support/daemon.js';
import { WampClient } from '../../support/wamp-client.js';
import type { JoinedClient } from '../../support/wamp-client.js';

let node: ReloadedDaemon | undefined;
afterEach(async () => {
  await node?.dispose();
  node = undefined;
});

/** What of the config changes. */
interface Parts {
  readonly value?: string;
  readonly process?: boolean;
  readonly level?: string;
  readonly publishes?: boolean;
  readonly more?: number;
  readonly roles?: readonly string[];
  readonly farPort?: number;
  readonly lastPort?: number;
}

function configOf(ports: readonly number[], parts: Parts = {}): object {
  const {
    value = 'one',
    process: isApart = true,
    level,
    publishes = true,
    more,
    roles = ['anonymous', 'user'],
  } = parts;
  const permissions = [{ uri: 'com.example', match: 'prefix', allow: { publish: publishes, subscribe: true } }];
  const realm = { name: 'realm1', roles: roles.map((name) => ({ name, permissions })) };
  const auth = { anonymous: { type: 'static', role: 'user' } };
  const paths = {
    '/': { type: 'json', value: 'here' },
    value: { type: 'json', value },
    ws: { type: 'websocket' },
    user: { type: 'websocket', auth },
  };
  const transports = [
    { type: 'web', id: 'web', endpoint: endpointAt(ports[0] ?? 0), paths },
    ...(more === undefined ? [] : [{ type: 'websocket', id: 'more', endpoint: endpointAt(more) }]),
  ];
  const far = { type: 'websocket', id: 'far', endpoint: endpointAt(parts.farPort ?? ports[1] ?? 0) };
  const last = { type: 'websocket', id: 'last', endpoint: endpointAt(parts.lastPort ?? ports[3] ?? 0) };
  return {
    version: 2,
    controller: { options: { ...(level !== undefined && { log_level: level }) } },
    workers: [
      { type: 'router', id: 'near', realms: [{ name: 'realm2', roles: [] }], transports: [far] },
      { type: 'router', id: 'apart', options: { process: isApart }, realms: [realm], transports },
      { type: 'router', id: 'last', realms: [{ name: 'realm3', roles: [] }], transports: [last] },
    ],
  };
}

async function started(): Promise<ReloadedDaemon> {
  node = await ReloadedDaemon.start((ports) => configOf(ports), { portCount: 4 });
  return node;
}

function join({ ports }: ReloadedDaemon, path: string): Promise<JoinedClient> {
  return WampClient.join(`ws://127.0.0.1:${ports[0]}/${path}`);
}

async function valueOf({ ports }: ReloadedDaemon): Promise<unknown> {
  return (await fetch(`http://127.0.0.1:${ports[0]}/value`)).json();
}

async function publish(client: JoinedClient, request: number): Promise<unknown> {
  return (await client.ask([16, request, { acknowledge: true }, 'com.example.topic']))[0];
}

it('takes over paths, rules and transports, while clients stay', async () => {
  const changed = await started();
  const client = await join(changed, 'ws');
  expect(await publish(client, 1)).toBe(17);
  const [, , more = 0] = changed.ports;
  const report = await changed.take(configOf(changed.ports, { value: 'two', publishes: false, more }));
  expect(report.changes.map(({ pointer }) => pointer)).toContain('/workers/1/transports/0/paths/value/value');
  expect(report.changes.map(({ pointer }) => pointer)).toContain('/workers/1/transports/1');
  expect(await valueOf(changed)).toBe('two');
  expect(await publish(client, 2)).toBe(8);
  expect((await WampClient.join(`ws://127.0.0.1:${more}`)).isOpen).toBe(true);
  expect(changed.daemon.logs.filter(({ msg }) => msg === 'config reloaded')).toHaveLength(1);
  const pids = changed.daemon.logs.filter(({ msg }) => msg === 'the process of a router worker serves');
  expect(pids).toHaveLength(1);
});

it('tells what it took away from clients there', async () => {
  const changed = await started();
  const [client, user] = [await join(changed, 'ws'), await join(changed, 'user')];
  expect((await client.ask([32, 1, {}, 'com.example.topic']))[0]).toBe(33);
  const report = await changed.take(configOf(changed.ports, { roles: ['anonymous'] }));
  expect(report.removed).toBe(1);
  expect((await user.next())[0]).toBe(6);
  expect(client.isOpen).toBe(true);
});

it('changes nothing when one of them cannot', async () => {
  const changed = await started();
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  const there = await changed.reload(configOf(changed.ports, { value: 'two', more: port }));
  expect(there).toMatchObject({ ok: false, problems: [expect.stringContaining('/workers/1/transports/1') as string] });
  const here = await changed.reload(configOf(changed.ports, { value: 'two', farPort: port }));
  expect(here).toMatchObject({ ok: false, problems: [expect.stringContaining('/workers/0/transports/0') as string] });
  const behind = await changed.reload(configOf(changed.ports, { value: 'two', lastPort: port }));
  expect(behind).toMatchObject({ ok: false, problems: [expect.stringContaining('/workers/2/transports/0') as string] });
  expect(await valueOf(changed)).toBe('one');
  taken.close();
  await changed.take(configOf(changed.ports, { value: 'two' }));
  expect(await valueOf(changed)).toBe('two');
});

it('keeps a process, or its absence, until the next start, and says so', async () => {
  const changed = await started();
  const report = await changed.reload(configOf(changed.ports, { process: false, value: 'two' }));
  expect(report).toMatchObject({ ok: true, pending: ['/workers/1/options/process'] });
  expect(await valueOf(changed)).toBe('two');
});

it('sets the level of the log there, too', async () => {
  const changed = await started();
  const client = await join(changed, 'ws');
  // Told once at `warn`, and then at `debug`.
  const forbidden = [16, 1, {}, 'org.forbidden'];
  client.send(forbidden);
  await client.settle();
  await changed.take(configOf(changed.ports, { level: 'debug' }));
  client.send(forbidden);
  const isLine = ({ level, ...rest }: LogRecord): boolean =>
    level === 'debug' && JSON.stringify(rest).includes('org.forbidden');
  expect(await changed.daemon.waitForLog(isLine)).toMatchObject({ process: expect.any(Number) as number });
  await changed.take(configOf(changed.ports, { level: 'error' }));
  client.send(forbidden);
  await client.settle();
  expect(await changed.daemon.stop()).toBe(0);
  expect(changed.daemon.logs.filter(isLine)).toHaveLength(1);
});

it('holds for the next process, when this one dies', async () => {
  const changed = await started();
  await changed.take(configOf(changed.ports, { value: 'two' }));
  const isThere = 'the process of a router worker serves';
  const first = await changed.daemon.waitForLog(isThere);
  process.kill(Number(first['pid']), 'SIGKILL');
  await changed.daemon.waitForLog(({ msg, pid }) => msg === isThere && pid !== first['pid']);
  expect(await valueOf(changed)).toBe('two');
  const report = await changed.reload(configOf(changed.ports, { value: 'three' }));
  expect(report).toMatchObject({ ok: true, pending: [] });
  expect(report.changes).toHaveLength(1);
  expect(await valueOf(changed)).toBe('three');
});
