/**
 * Messages of up to 16 MiB on every transport, in every serializer, against the daemon: those above 256 KiB are taken apart in a
 * thread of its own, which nobody may notice but by the time it takes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import { RAWSOCKET_TRANSPORTS, TRANSPORTS } from '../support/transports.js';
import type { TransportClient } from '../support/transports.js';
import { rawHttp, upgradeLines, WampClient, within } from '../support/wamp-client.js';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ config: nodeConfig({ transports: RAWSOCKET_TRANSPORTS }) });
});
afterAll(() => daemon.dispose());

const MIB = 1_048_576;
/** What no message is about. */
const PATIENCE_MS = 60_000;

const FORMS = ['json', 'msgpack', 'cbor'] as const;

describe.each(TRANSPORTS)('$transport in $serializer', ({ transport, connect, serializer }) => {
  // It is the clients that take their time with more.
  const largest = transport === 'WebSocket' ? 16 * MIB : 2 * MIB;
  const join = async (): Promise<TransportClient> => {
    const client = await connect(daemon);
    await client.hello();
    return client;
  };

  it(
    'passes a large message on, in its place between small ones, both ways',
    async () => {
      const [publisher, subscriber] = [await join(), await join()];
      const topic = 'com.example.large';
      const [, , subscription] = await subscriber.ask([32, 1, {}, topic]);
      await subscriber.ask([64, 2, {}, 'com.example.echo']);
      const args = ['é😀'.repeat(10_000), 'x'.repeat(largest - 100_000), [1.5]];
      const id = expect.any(Number) as number;
      publisher.send([16, 1, {}, topic, ['before']]);
      publisher.send([16, 2, {}, topic, args, { k: 1.5 }]);
      publisher.send([16, 3, { acknowledge: true }, topic, ['behind']]);
      expect(await subscriber.next()).toEqual([36, subscription, id, {}, ['before']]);
      expect(same(await subscriber.next(PATIENCE_MS), [36, subscription, id, {}, args, { k: 1.5 }])).toBe(true);
      expect(await subscriber.next()).toEqual([36, subscription, id, {}, ['behind']]);
      expect((await publisher.next()).slice(0, 2)).toEqual([17, 3]);
      publisher.send([48, 4, {}, 'com.example.echo', args]);
      const [type, request, , , received] = await subscriber.next(PATIENCE_MS);
      expect(type).toBe(68);
      subscriber.send([70, request, {}, received]);
      expect(same(await publisher.next(PATIENCE_MS), [50, 4, {}, args])).toBe(true);
      await publisher.leave();
      await subscriber.leave();
    },
    PATIENCE_MS,
  );

  it('is ended for a large message that is none', async () => {
    const client = await join();
    client.send([16, 1, { acknowledge: 'x'.repeat(300_000) }, 'com.example.topic', ['x'.repeat(2 * MIB)]]);
    const [type, details, reason] = await client.next();
    expect([type, details, reason]).toEqual([
      3,
      { message: 'a message may have at most 262144 bytes before its payload' },
      'wamp.error.protocol_violation',
    ]);
    await within(client.closed, 'close');
  });

  it('says GOODBYE behind a large message, and is answered behind it', async () => {
    const client = await join();
    client.send([16, 1, { acknowledge: true }, 'com.example.topic', ['x'.repeat(3 * MIB)]]);
    client.send([6, {}, 'wamp.close.normal']);
    expect((await client.next())[0]).toBe(17);
    expect((await client.next())[0]).toBe(6);
  });

  const joinWith = (other: (typeof FORMS)[number]): Promise<WampClient> =>
    WampClient.join(daemon.url('/ws', 'ws'), 'realm1', { serializer: other });
  const others = FORMS.filter((other) => other !== serializer);

  it(
    'is translated for clients of other serializers, each in its place',
    async () => {
      const topic = 'com.example.others';
      const subscribers = await Promise.all(others.map((other) => joinWith(other)));
      for (const other of subscribers) await other.ask([32, 1, {}, topic]);
      const publisher = await join();
      const args = ['é😀'.repeat(10_000), 'x'.repeat(3 * MIB), Array.from({ length: 50_000 }, (_, i) => i / 8)];
      publisher.send([16, 1, {}, topic, ['before']]);
      publisher.send([16, 2, {}, topic, args, { k: 1.5 }]);
      publisher.send([16, 3, {}, topic, ['behind']]);
      for (const other of subscribers) {
        expect((await other.next()).slice(4)).toEqual([['before']]);
        const [, , , details, ...payload] = await other.next(PATIENCE_MS);
        expect(details).toEqual({});
        expect(JSON.stringify(payload) === JSON.stringify([args, { k: 1.5 }])).toBe(true);
        expect((await other.next()).slice(4)).toEqual([['behind']]);
        await other.leave();
      }
      await publisher.leave();
    },
    PATIENCE_MS,
  );

  it(
    'is refused where its translation would take too long',
    async () => {
      const callee = await joinWith(serializer === 'json' ? 'msgpack' : 'json');
      await callee.ask([64, 1, {}, 'com.example.other']);
      const caller = await join();
      const many = Object.fromEntries(Array.from({ length: 900_000 }, (_, i) => [`key${i}`, 1]));
      const answer = await caller.ask([48, 1, {}, 'com.example.other', [many]]);
      expect(answer.slice(0, 5)).toEqual([8, 48, 1, {}, 'wamp.error.payload_size_exceeded']);
      expect(answer[5]).toEqual([expect.stringContaining('too many values')]);
      await callee.leave();
      await caller.leave();
    },
    PATIENCE_MS,
  );
});

/** Compares without a text of both when they differ. */
function same(found: readonly unknown[], expected: readonly unknown[]): boolean {
  expect(found.slice(0, 4)).toEqual(expected.slice(0, 4));
  return JSON.stringify(found.slice(4)) === JSON.stringify(expected.slice(4));
}

describe('a WebSocket', () => {
  it(
    'takes 16 MiB in fragments, and in one frame that comes in small pieces',
    async () => {
      const { socket } = await rawHttp(daemon.port, upgradeLines('/ws', ['Sec-WebSocket-Protocol: wamp.2.json']));
      const frames: Buffer[] = [];
      socket.removeAllListeners('data').on('data', (data: Buffer) => frames.push(data));
      const told = async (what: string): Promise<void> => {
        while (!String(Buffer.concat(frames)).includes(what)) await new Promise((resolve) => setImmediate(resolve));
      };
      socket.write(frame(0x81, JSON.stringify([1, 'realm1', { roles: { publisher: {} } }])));
      await told('[2,');
      const message = JSON.stringify([
        16,
        11,
        { acknowledge: true },
        'com.example.topic',
        ['x'.repeat(16 * MIB - 100)],
      ]);
      for (let at = 0; at < message.length; at += 100_000) {
        const isLast = at + 100_000 >= message.length;
        socket.write(frame((at === 0 ? 1 : 0) | (isLast ? 0x80 : 0), message.slice(at, at + 100_000)));
      }
      await told('[17,11,');
      const whole = frame(0x81, message.replace('11', '12'));
      for (let at = 0; at < whole.length; at += 33_333) socket.write(whole.subarray(at, at + 33_333));
      await told('[17,12,');
      socket.destroy();
    },
    PATIENCE_MS,
  );

  it('whose message is larger is closed with 1009, and the log says who needed more', async () => {
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    client.send([16, 1, {}, 'com.example.topic', ['x'.repeat(16 * MIB)]]);
    expect((await within(client.closed, 'close')).code).toBe(1009);
    const line = await daemon.waitForLog(({ msg }) => msg === 'message too large, connection closed');
    expect(line).toMatchObject({
      level: 'warn',
      sessionId: client.sessionId,
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      reason: 'a message has more than 16777216 bytes, which "max_message_size" decides',
    });
  });
});

/** Masked with zeros. */
function frame(first: number, text: string): Buffer {
  const head = Buffer.alloc(14);
  head.writeUInt8(first);
  head.writeUInt8(0xff, 1);
  head.writeBigUInt64BE(BigInt(text.length), 2);
  return Buffer.concat([head, Buffer.from(text)]);
}
