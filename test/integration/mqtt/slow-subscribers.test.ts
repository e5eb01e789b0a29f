/**
 * A subscriber that does not read while large messages are published: the node keeps for it what the options say and not more, others get
 * everything, and when it reads again it gets what is kept, in order.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import type { Daemon } from '../../support/daemon.js';
import { MetricsText } from '../../support/metrics-text.js';
import { MqttNode } from '../../support/mqtt-node.js';
import { MqttPeer, publishPacket } from '../../support/mqtt-peer.js';
import { itNeeds } from '../../support/needs.js';
import type { Qos } from '../../../src/wamp/message.js';

const MIB = 1024 * 1024;
const PAYLOAD_BYTES = 16 * MIB;
const MESSAGES = 20;
const OPTIONS = { max_packet_size: 20 * MIB, max_unsent_bytes: 128 * MIB, max_queued_bytes: 80 * MIB };
/** A quarter of what may wait is for messages of QoS 0, and the last one may go beyond it. */
const UNSENT_MESSAGES = 1 + Math.floor((OPTIONS.max_unsent_bytes / 4 - 1) / PAYLOAD_BYTES);
/** A message takes a little more than its payload. */
const QUEUED_MESSAGES = Math.floor((OPTIONS.max_queued_bytes - 1) / PAYLOAD_BYTES);
/** Compiled code, caches of the engine. */
const SPARE_BYTES = 8 * MIB;
/** What is on its way in, twice, because it grows, and what the engine has not collected yet. */
const PASSING_BYTES = 10 * PAYLOAD_BYTES;

let node: MqttNode | undefined;
afterEach(() => node?.daemon.dispose());

/** Each message has its number in front. */
function payloadOf(n: number): Buffer {
  const payload = Buffer.alloc(PAYLOAD_BYTES, 'x');
  payload.writeUInt32BE(n);
  return payload;
}

/** @returns the number of a message, which is whole. */
function numberOf(payload: Buffer): number {
  const n = payload.readUInt32BE();
  if (!payload.equals(payloadOf(n))) throw new Error(`message ${n} is not as it was sent`);
  return n;
}

/** What is in use once the garbage is gone, in bytes. */
async function usedBytes(daemon: Daemon): Promise<number> {
  const { heapUsed, external } = await daemon.ask<{ heapUsed: number; external: number }>('memory');
  return heapUsed + external;
}

/** The most that the process has had since {@link forgetPeak}, in bytes. */
function peakBytes({ pid }: Daemon): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

/** Of a process the most memory that it has had is what it has now ("5" of proc(5)). */
function forgetPeak({ pid }: Daemon): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** What the system takes of what waits: of the two sockets of a connection. */
function systemBytes(): number {
  const most = (file: string): number => Number(readFileSync(`/proc/sys/net/ipv4/${file}`, 'utf8').split(/\s+/)[2]);
  return most('tcp_wmem') + most('tcp_rmem');
}

async function publish(publisher: MqttPeer, n: number, qos: Qos): Promise<void> {
  publisher.send(publishPacket('large', payloadOf(n), qos));
  if (qos === 1) await publisher.take('puback');
  if (qos === 2) await publisher.take('pubcomp');
}

itNeeds('Linux', process.platform === 'linux').each([
  ['TCP', 0],
  ['TCP', 1],
  ['TCP', 2],
  ['WebSockets', 0],
  ['WebSockets', 1],
] as const)(
  'a subscriber that does not read: what is kept for it is bounded, and others get everything (%s, QoS %i)',
  async (over, qos) => {
    const mqtt = { type: 'mqtt', options: { realm: 'realm1', auth: { anonymous: { type: 'static' } }, ...OPTIONS } };
    node = await MqttNode.start({ probed: true, paths: { metrics: { type: 'metrics' }, mqtt }, mqtt: [OPTIONS] });
    const { daemon } = node;
    const place = over === 'TCP' ? node.port() : daemon.url('/mqtt', 'ws');
    const [slow, good, publisher] = [
      await MqttPeer.join(place),
      await MqttPeer.join(place),
      await MqttPeer.join(node.port()),
    ];
    for (const peer of [slow, good]) expect(await peer.subscribe('large', qos)).toEqual([qos]);
    const before = await usedBytes(daemon);
    forgetPeak(daemon);
    const peakBefore = peakBytes(daemon);

    slow.stopReading();
    for (let n = 0; n < MESSAGES; n += 1) {
      await publish(publisher, n, qos);
      // As fast as one that reads can take them.
      expect(numberOf((await good.message()).payload)).toBe(n);
      await good.settle();
    }

    const most = qos === 0 ? UNSENT_MESSAGES : QUEUED_MESSAGES;
    const kept = (await usedBytes(daemon)) - before;
    expect(kept).toBeLessThan(most * PAYLOAD_BYTES + SPARE_BYTES);
    expect(kept).toBeGreaterThan(PAYLOAD_BYTES / 2);
    expect(peakBytes(daemon) - peakBefore).toBeLessThan(most * PAYLOAD_BYTES + PASSING_BYTES);

    slow.readAgain();
    const numbers: number[] = [];
    if (qos > 0) while (numbers.length < most) numbers.push(numberOf((await slow.message()).payload));
    await slow.settle();
    for (const packet of slow.rest) if (packet.cmd === 'publish') numbers.push(numberOf(packet.payload as Buffer));
    expect(numbers).toEqual(numbers.map((_, n) => n));
    // The system may have taken some, too.
    if (qos === 0) expect(numbers.length).toBeLessThanOrEqual(most + systemBytes() / PAYLOAD_BYTES);
    else expect(numbers).toHaveLength(most);
    const metrics = new MetricsText(await (await fetch(daemon.url('/metrics'))).text());
    const dropped = metrics.value('wamp_mqtt_events_dropped_total', { reason: 'queue' });
    expect(dropped).toBe(qos === 0 ? 0 : MESSAGES - most);

    await publish(publisher, MESSAGES, qos);
    while (numberOf((await slow.message()).payload) !== MESSAGES);
    expect([slow.isOpen, good.isOpen]).toEqual([true, true]);
  },
);

/** As large as all that may wait for a client, or larger. */
it.each([
  [16 * MIB - 100, 0],
  [16 * MIB - 100, 1],
  [20 * MIB, 0],
  [20 * MIB, 2],
] as const)(
  'a message of %i bytes costs nobody the connection who pings while it comes (QoS %i)',
  async (bytes, qos) => {
    node = await MqttNode.start({ mqtt: [{ max_packet_size: 32 * MIB }] });
    const [subscriber, publisher] = [await MqttPeer.join(node.port()), await MqttPeer.join(node.port())];
    await subscriber.subscribe('#', qos);
    subscriber.stopReading();
    publisher.send(publishPacket('large', Buffer.alloc(bytes, 'x'), qos), publishPacket('small', 'y'));
    await publisher.settle();
    subscriber.send({ cmd: 'pingreq' });
    // What the subscriber said before is taken before what somebody else says now.
    for (let n = 0; n < 3; n += 1) await publisher.settle();
    subscriber.readAgain();
    expect((await subscriber.message()).payload).toHaveLength(bytes);
    await subscriber.take('pingresp');
    publisher.send(publishPacket('later', 'z', qos));
    while ((await subscriber.message()).topic !== 'later');
    expect(subscriber.isOpen).toBe(true);
  },
);
