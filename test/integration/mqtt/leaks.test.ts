/**
 * What thousands of clients of MQTT leave behind that come and go as they like, over TCP and over WebSockets: nothing. Objects,
 * descriptors, sessions, subscriptions and memory of the daemon are counted before and after.
 */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect, field } from '../../support/mqtt-packets.js';
import type { IConnectPacket } from 'mqtt-packet';
import { MqttNode } from '../../support/mqtt-node.js';
import { MqttPeer, publishPacket } from '../../support/mqtt-peer.js';
import type { MqttPlace } from '../../support/mqtt-peer.js';
import { ALLOW_ALL } from '../../support/node-config.js';
import { describeNeeds } from '../../support/needs.js';
import type { JoinedClient } from '../../support/wamp-client.js';

/** Of each kind, over each transport. */
const CLIENTS = 150;
const AT_ONCE = 25;
const CLASSES = [
  ...['MqttConnection', 'MqttSession', 'MqttClient', 'MqttSubscriptions', 'Outgoing', 'Incoming', 'PublishFrame'],
  ...['PacketReader', 'PacketInbox', 'KeepAlives', 'Session', 'Opening', 'Subscription', 'Outbox', 'LiveCookie'],
  ...['SocketOctets', 'Socket', 'Receiver', 'WebSocket', 'IncomingMessage', 'Pipeline'],
];
/** Compiled code, caches of the engine, accounts of the log. */
const SPARE_BYTES = 4 * 1024 * 1024;

const principals = { joe: { ticket: 'secret', role: 'anonymous' }, mute: { ticket: 'secret', role: 'mute' } };
const auth = { anonymous: { type: 'static', role: 'anonymous' }, ticket: { type: 'static', principals } };
/** A wrong password is answered at once, however often it comes. */
const OPTIONS = { auth, hello_timeout: 0, session_expiry: 1, max_auth_failures: 0, max_auth_failures_per_address: 0 };
const ROLES = [
  { name: 'anonymous', permissions: ALLOW_ALL },
  { name: 'mute', permissions: [] },
];

let node: MqttNode;
let wamp: JoinedClient;
beforeAll(async () => {
  node = await MqttNode.start({
    ...{ probed: true, realms: [{ name: 'realm1', roles: ROLES }], mqtt: [OPTIONS] },
    paths: { mqtt: { type: 'mqtt', cookie: {}, options: { realm: 'realm1', ...OPTIONS } } },
  });
  wamp = await node.wamp();
});
afterAll(() => node.daemon.dispose());

/** What a client does, from its first octet to its last. It has an id of its own. */
type Life = (place: MqttPlace, id: string) => Promise<unknown>;

/** Over WebSockets those without a login are strangers to each other, because each has a cookie of its own. */
const JOE = { username: 'joe', password: Buffer.from('secret') } as const;

const will = (id: string) => ({ topic: `will/${id}`, payload: Buffer.from('gone'), qos: 1, retain: false }) as const;

/** A client that has got a message with each QoS, and sent as many. */
async function lively(place: MqttPlace, id: string, clean: boolean): Promise<MqttPeer> {
  const peer = await MqttPeer.join(place, { ...JOE, clientId: id, clean, keepalive: 100, will: will(id) });
  await peer.subscribe(`${id}/#`, 2);
  await peer.subscribe(`+/${id}/x`, 1);
  peer.send(publishPacket(`${id}/a`, 'x'), publishPacket(`${id}/b`, 'x', 1, 2), publishPacket(`${id}/c`, 'x', 2, 3));
  for (let n = 0; n < 3; n += 1) await peer.message();
  await peer.take('pubcomp');
  return peer;
}

async function refused(place: MqttPlace, options: Partial<IConnectPacket>): Promise<void> {
  const peer = await MqttPeer.open(place);
  expect((await peer.connect(options)).returnCode).not.toBe(0);
  await peer.closed;
}

const LIVES: Readonly<Record<string, Life>> = {
  'that subscribe, publish and leave': async (place, id) => {
    const peer = await lively(place, id, true);
    peer.send({ cmd: 'unsubscribe', messageId: 4, unsubscriptions: [`${id}/#`] });
    await peer.take('unsuback');
    await peer.leave();
  },
  'that are cut, with a will': async (place, id) => (await lively(place, id, true)).drop(),
  'that are cut with messages in flight': async (place, id) => {
    const peer = await MqttPeer.join(place, { clientId: id });
    peer.isAnswering = false;
    await peer.subscribe(id, 2);
    for (let n = 1; n < 9; n += 1) peer.send(publishPacket(id, Buffer.alloc(20_000), n % 2 === 0 ? 1 : 2, n));
    await peer.message();
    await peer.drop();
  },
  'that say nothing, or half a CONNECT': async (place, id) => {
    const peer = await MqttPeer.open(place);
    if (id.endsWith('1')) peer.sendOctets(Buffer.of(0x10, 0xff, 0x7f, 0, 4));
    await peer.drop();
  },
  'that speak something else': async (place) => {
    const peer = await MqttPeer.open(place);
    peer.sendOctets(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await peer.closed;
  },
  'that are refused': async (place, id) => {
    await refused(place, { ...JOE, clientId: id, password: Buffer.from('wrong') });
    // A kept client without an id, and one of MQTT 5: packets that the library does not write.
    for (const octets of [connect({ flags: 0, rest: [field('')] }), connect({ level: 5, rest: [Buffer.of(0)] })]) {
      const peer = await MqttPeer.open(place);
      peer.sendOctets(octets);
      expect((await peer.take('connack')).returnCode).not.toBe(0);
      await peer.closed;
    }
  },
  'whose packets are wrong once they are in': async (place, id) => {
    const peer = await lively(place, id, true);
    peer.sendOctets(Buffer.of(0x36, 5, 0, 1, 0x61, 0, 1));
    await peer.closed;
  },
  'that may do nothing': async (place, id) => {
    const peer = await MqttPeer.join(place, {
      ...{ clientId: id, username: 'mute', password: Buffer.from('secret'), will: will(id) },
    });
    expect(await peer.subscribe(id, 1)).toEqual([128]);
    peer.send(publishPacket('a', 'x', 1, 2));
    await peer.take('puback');
    await peer.drop();
  },
  'whose place is taken': async (place, id) => {
    for (const clean of [true, false]) {
      const first = await lively(place, id, clean);
      const second = await MqttPeer.join(place, { ...JOE, clientId: id, clean });
      await first.closed;
      const third = await MqttPeer.join(place, { ...JOE, clientId: id, clean: true });
      await second.closed;
      await third.leave();
    }
  },
  'that come back to what was kept': async (place, id) => {
    await (await lively(place, id, false)).leave();
    const peer = await MqttPeer.join(place, { ...JOE, clientId: id, clean: false });
    await peer.subscribe(`${id}/d`, 1);
    await peer.leave();
    await (await MqttPeer.join(place, { ...JOE, clientId: id, clean: true })).leave();
  },
  'that are kept, and do not come back': async (place, id) => {
    const peer = await lively(place, id, false);
    peer.isAnswering = false;
    peer.send(publishPacket(`${id}/e`, Buffer.alloc(20_000), 2, 4), publishPacket(`${id}/f`, 'x', 1, 5));
    await peer.take('puback');
    await peer.drop();
  },
};

let ids = 0;

async function crowd(place: MqttPlace, live: Life, count: number): Promise<void> {
  let left = count;
  const one = async (): Promise<void> => {
    while (left-- > 0) await live(place, `c${++ids}`);
  };
  await Promise.all(Array.from({ length: Math.min(count, AT_ONCE) }, one));
}

type Held = Readonly<Record<string, unknown>>;

async function held(): Promise<Held> {
  const objects = await node.daemon.ask<Record<string, number>>('objects', { classes: CLASSES });
  return { ...objects, descriptors: readdirSync(`/proc/${node.daemon.pid}/fd`).length, realm: await realm() };
}

/** What the realm knows of its clients. */
async function realm(): Promise<string> {
  const answers = [];
  for (const what of ['session.count', 'subscription.list']) answers.push(await wamp.ask([48, 1, {}, `wamp.${what}`]));
  return JSON.stringify(answers);
}

/** Looks until there is nothing more than before: those that are kept are, for a second. */
async function untilAsBefore(before: Held): Promise<void> {
  const more = async (): Promise<Held> =>
    Object.fromEntries(
      Object.entries(await held()).filter(([name, now]) => {
        const was = before[name];
        return typeof now === 'number' && typeof was === 'number' ? now > was : now !== was;
      }),
    );
  await expect.poll(more, { timeout: 60_000, interval: 200 }).toEqual({});
}

async function bytes(): Promise<number> {
  const { heapUsed, external } = await node.daemon.ask<{ heapUsed: number; external: number }>('memory');
  return heapUsed + external;
}

describeNeeds('Linux', process.platform === 'linux')('nothing is left of clients', () => {
  it.each(['TCP', 'WebSockets'])(
    'over %s',
    async (over) => {
      const place = over === 'TCP' ? node.port() : node.daemon.url('/mqtt', 'ws');
      const before = await held();
      // Much is made once.
      for (const live of Object.values(LIVES)) await crowd(place, live, 2 * AT_ONCE);
      await untilAsBefore(before);
      const bytesBefore = await bytes();
      for (const live of Object.values(LIVES)) await crowd(place, live, CLIENTS);
      await untilAsBefore(before);
      expect(Math.max(0, (await bytes()) - bytesBefore - SPARE_BYTES)).toBe(0);
    },
    600_000,
  );

  it('and the node complains of nothing', () => {
    expect(node.daemon.logs.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  });
});
