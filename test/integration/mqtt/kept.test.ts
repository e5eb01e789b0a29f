/**
 * What clients take that are kept while they are away: not more than is counted for them, whatever they have sent and left, and nothing
 * once their time is over.
 */
import { afterEach, describe, expect, it } from 'vitest';
import mqttPacket from 'mqtt-packet';
import type { IConnectPacket, Packet } from 'mqtt-packet';
import { MetricsText } from '../../support/metrics-text.js';
import { MqttNode } from '../../support/mqtt-node.js';
import { connectPacket, MqttPeer, publishPacket } from '../../support/mqtt-peer.js';
import type { JoinedClient } from '../../support/wamp-client.js';

const MIB = 1024 * 1024;
const CLIENTS = 1000;
const AT_ONCE = 25;
/** Much is made once, for the first clients. */
const FIRST = 50;
/** Compiled code, caches of the engine, accounts of the log. */
const SPARE_BYTES = 1.5 * MIB;
/** As docs/mqtt.md says: of each client, besides its messages and filters. */
const CLIENT_BYTES = 4096;
/** Of each short filter, and of each message besides its packet. */
const [FILTER_BYTES, MESSAGE_BYTES] = [2200, 400];

let node: MqttNode;
let wamp: JoinedClient;
afterEach(() => node.daemon.dispose());

async function start(options: object): Promise<void> {
  // However slow the machine is.
  const all = { hello_timeout: 0, ...options };
  const mqtt = { type: 'mqtt', options: { realm: 'realm1', auth: { anonymous: { type: 'static' } }, ...all } };
  const paths = { metrics: { type: 'metrics' }, mqtt };
  node = await MqttNode.start({ probed: true, paths, mqtt: [all] });
  wamp = await node.wamp();
}

/** What is in use once the garbage is gone. */
async function usedBytes(): Promise<number> {
  const { heapUsed, external } = await node.daemon.ask<{ heapUsed: number; external: number }>('memory');
  return heapUsed + external;
}

async function sessions(): Promise<number> {
  const [, , , [count] = []] = (await wamp.ask([48, 1, {}, 'wamp.session.count'])) as [50, 1, object, unknown[]?];
  return Number(count);
}

/** How many clients were forgotten, or how many messages for them dropped. */
async function counted(what: 'clients_forgotten' | 'events_dropped', reason: string): Promise<number> {
  const text = await (await fetch(node.daemon.url('/metrics'))).text();
  return new MetricsText(text).value(`wamp_mqtt_${what}_total`, { reason });
}

async function crowd(count: number, live: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) await live(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

/** Publishes with QoS 1, and waits until all is taken. */
async function publish(topics: readonly string[], payload: Buffer | string): Promise<void> {
  const publisher = await MqttPeer.join(node.port());
  for (let at = 0; at < topics.length; at += 500) {
    const some = topics.slice(at, at + 500);
    publisher.sendOctets(Buffer.concat(some.map((topic, n) => octetsOf(publishPacket(topic, payload, 1, n + 1)))));
    for (let n = 0; n < some.length; n += 1) await publisher.take('puback');
  }
  await publisher.leave();
}

const octetsOf = (packet: Packet): Buffer => mqttPacket.generate(packet);

/** A client that subscribes to its own topic, and is away then. */
async function stay(n: number, options: Partial<IConnectPacket> = {}): Promise<void> {
  const peer = await MqttPeer.join(node.port(), { clientId: `c${n}`, clean: false, ...options });
  await peer.subscribe(`q/${n}`, 1);
  await peer.leave();
}

async function isKept(n: number): Promise<boolean> {
  const peer = await MqttPeer.open(node.port());
  const { sessionPresent } = await peer.connect({ clientId: `c${n}`, clean: false });
  await peer.leave();
  return sessionPresent;
}

const topics = (each: number): string[] =>
  Array.from({ length: each }, () => Array.from({ length: CLIENTS }, (_, n) => `q/${n}`)).flat();

/** Clients that leave something behind, one for each number. */
const LIVES: Readonly<Record<string, (n: number) => Promise<void>>> = {
  'with a large will': (n) =>
    stay(n, { will: { topic: 'will', payload: Buffer.alloc(50_000), qos: 1, retain: false } }),
  'with a will of a long topic': (n) =>
    stay(n, { will: { topic: 'w/'.repeat(25_000), payload: Buffer.alloc(1), qos: 1, retain: false } }),
  'whose CONNECT comes in one piece with much else': async (n) => {
    const peer = await MqttPeer.open(node.port());
    const will = { topic: 'will', payload: Buffer.from('x'), qos: 1, retain: false } as const;
    const others = octetsOf(publishPacket('nobody', Buffer.alloc(50_000)));
    peer.sendOctets(Buffer.concat([octetsOf(connectPacket({ clientId: `c${n}`, clean: false, will })), others]));
    await peer.settle();
    await peer.leave();
  },
  'that have sent with QoS 2': async (n) => {
    const peer = await MqttPeer.join(node.port(), { clientId: `c${n}`, clean: false });
    peer.send(publishPacket('nobody', 'x', 2, 60_000));
    await peer.take('pubcomp');
    await peer.leave();
  },
  'that have sent with QoS 2, and have no answer': async (n) => {
    const peer = await MqttPeer.join(node.port(), { clientId: `c${n}`, clean: false });
    peer.isAnswering = false;
    peer.send(publishPacket('nobody', 'x', 2, 60_000));
    await peer.take('pubrec');
    await peer.leave();
  },
  'with long client ids': (n) => stay(n, { clientId: `${'ж'.repeat(1000)}${n}` }),
  'with many filters': async (n) => {
    const peer = await MqttPeer.join(node.port(), { clientId: `c${n}`, clean: false });
    const filters = Array.from(
      { length: 10 },
      (_, at) => ({ topic: `${n}/${at}/${'x/'.repeat(100)}#`, qos: 1 }) as const,
    );
    peer.send({ cmd: 'subscribe', messageId: 1, subscriptions: filters });
    await peer.take('suback');
    await peer.leave();
  },
  'with a message that came in one piece with much else': async (n) => {
    await stay(n);
    const peer = await MqttPeer.join(node.port());
    const [own, others] = [
      publishPacket(`q/${n}`, Buffer.alloc(17_000), 1, 1),
      publishPacket('nobody', Buffer.alloc(45_000)),
    ];
    peer.sendOctets(Buffer.concat([octetsOf(own), octetsOf(others)]));
    await peer.settle();
    await peer.leave();
  },
  'over a WebSocket whose handshake has much to say': async (n) => {
    const headers = { 'x-long': 'x'.repeat(8000), 'user-agent': 'y'.repeat(4000) };
    const peer = await MqttPeer.open(node.daemon.url('/mqtt', 'ws'), headers);
    await peer.connect({ clientId: `c${n}`, clean: false });
    await peer.leave();
  },
};

it.each(Object.entries(LIVES))('clients %s take not more than they may', async (_name, live) => {
  const most = 4 * MIB;
  await start({ max_kept_bytes: most });
  await crowd(FIRST, (n) => live(CLIENTS + n));
  const before = await usedBytes();
  await crowd(CLIENTS, live);
  const taken = (await usedBytes()) - before;
  expect(Math.max(0, taken - most - SPARE_BYTES)).toBe(0);
});

it('a queue full of small messages takes not more than it may', async () => {
  const most = 8 * MIB;
  await start({ max_queued: 1_000_000, max_queued_bytes: most });
  for (const n of [0, 1]) await stay(n);
  await publish(Array<string>(500).fill('q/1'), 'x');
  const before = await usedBytes();
  await publish(Array<string>(40_000).fill('q/0'), 'x');
  expect(await counted('events_dropped', 'queue')).toBeGreaterThan(0);
  expect(Math.max(0, (await usedBytes()) - before - most - SPARE_BYTES)).toBe(0);
});

describe('a thousand clients with full queues', () => {
  const QUEUED = 8;
  const PAYLOAD = 'x'.repeat(1000);
  const EACH_BYTES = CLIENT_BYTES + FILTER_BYTES + QUEUED * (MESSAGE_BYTES + PAYLOAD.length);

  /** The newest message of each is one too many. @returns how much they take. */
  async function fill(options: object): Promise<number> {
    await start({ max_queued: QUEUED, ...options });
    await crowd(FIRST, (n) => stay(CLIENTS + n));
    const before = await usedBytes();
    await crowd(CLIENTS, stay);
    await publish(topics(QUEUED + 1), PAYLOAD);
    return (await usedBytes()) - before;
  }

  it('take what is counted for them, and get what was kept', async () => {
    expect(Math.max(0, (await fill({})) - CLIENTS * EACH_BYTES - SPARE_BYTES)).toBe(0);
    expect(await counted('events_dropped', 'queue')).toBe(CLIENTS);
    expect(await counted('clients_forgotten', 'room')).toBe(0);
    const peer = await MqttPeer.join(node.port(), { clientId: 'c7', clean: false });
    for (let n = 0; n < QUEUED; n += 1) expect((await peer.message()).payload.toString()).toBe(PAYLOAD);
    await peer.settle();
    expect(peer.rest).toEqual([]);
  });

  it('make room for those that went later: by bytes', async () => {
    const most = 8 * MIB;
    expect(Math.max(0, (await fill({ max_kept_bytes: most })) - most - SPARE_BYTES)).toBe(0);
    const forgotten = await counted('clients_forgotten', 'room');
    expect(forgotten).toBeGreaterThan(CLIENTS / 4);
    // Besides them there is the one who asks.
    expect(await sessions()).toBe(FIRST + CLIENTS - forgotten + 1);
    expect([await isKept(0), await isKept(CLIENTS - 1)]).toEqual([false, true]);
  });

  it('make room for those that went later: by number', async () => {
    await fill({ max_kept: 100 });
    expect(await counted('clients_forgotten', 'room')).toBe(FIRST + CLIENTS - 100);
    expect(await sessions()).toBe(100 + 1);
    expect([await isKept(0), await isKept(CLIENTS - 1)]).toEqual([false, true]);
  });

  it('leave nothing when their time is over', async () => {
    await start({ max_queued: QUEUED, session_expiry: 3 });
    await crowd(FIRST, (n) => stay(CLIENTS + n));
    await publish(topics(1), PAYLOAD);
    await expect.poll(() => counted('clients_forgotten', 'expired')).toBe(FIRST);
    const before = await usedBytes();
    await crowd(CLIENTS, stay);
    await publish(topics(QUEUED + 1), PAYLOAD);
    await expect.poll(() => counted('clients_forgotten', 'expired')).toBe(FIRST + CLIENTS);
    await expect.poll(sessions).toBe(1);
    expect(Math.max(0, (await usedBytes()) - before - SPARE_BYTES)).toBe(0);
  });
});
