/**
 * Clients that want more than their share: one that sends as fast as it can, one that does not read what it is sent, one
 * that does both. The others are served meanwhile, and nothing is lost, doubled or out of order that was not dropped and
 * said to be. The evidence is order and bytes, never time.
 */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { placeOf, rawFrame, RawSocketClient } from '../support/rawsocket-client.js';
import { ALL_ROLES, rawHttp, upgradeLines, WampClient, within } from '../support/wamp-client.js';

const MAX_UNSENT = 2_097_152;
const HELLO = JSON.stringify([1, 'realm1', { roles: ALL_ROLES }]);

let daemon: Daemon;
beforeAll(async () => {
  const bounded = { max_unsent_bytes: MAX_UNSENT };
  const dropping = { ...bounded, slow_consumer: 'drop_events' };
  const websocket = (options: object): object => ({ type: 'websocket', options });
  daemon = await startDaemon({
    config: nodeConfig({
      paths: {
        disconnect: websocket(bounded),
        drop: websocket(dropping),
        deflate: websocket({ ...dropping, compression: { deflate: {} } }),
      },
      transports: [
        { type: 'rawsocket', id: 'raw_open', endpoint: LOOPBACK },
        { type: 'rawsocket', id: 'raw_drop', endpoint: LOOPBACK, options: dropping },
      ],
    }),
  });
});
afterAll(async () => {
  const faults = daemon.logs.filter(({ level }) => level === 'error' || level === 'fatal');
  await daemon.dispose();
  expect(faults).toEqual([]);
});

const join = (path = '/ws', options = {}): Promise<WampClient> =>
  WampClient.join(daemon.url(path, 'ws'), 'realm1', options);
const rawPlace = (id: string) =>
  placeOf(String(daemon.listening().find((record) => record['transport'] === id)?.['url']));

/** A masked frame; the mask is zero. */
function maskedText(text: string): Buffer {
  const { length } = text;
  const size = length < 126 ? [0x80 | length] : length < 65_536 ? [0xfe, length >> 8, length & 0xff] : [0xff];
  const head = Buffer.from([0x81, ...size]);
  const large = Buffer.alloc(length < 65_536 ? 0 : 8);
  if (large.length > 0) large.writeBigUInt64BE(BigInt(length));
  return Buffer.concat([head, large, Buffer.alloc(4), Buffer.from(text)]);
}

/** A WebSocket without a library: what it is sent is thrown away, or not even read. */
async function bareSocket(path: string, messages: readonly string[], lines: readonly string[] = []) {
  const { socket } = await rawHttp(daemon.port, upgradeLines(path, lines));
  socket.removeAllListeners('data').resume();
  for (const message of messages) socket.write(maskedText(message));
  return socket;
}

describe('a client that sends as fast as it can', () => {
  const AUDIENCE = 40;
  const FLOOD = 20_000;
  const publishOf = (topic: string, number: number): string => `[16,${number + 1},{},"${topic}",[${number}]]`;

  it.each([
    [
      'one frame for each message',
      async (texts: readonly string[]) => {
        const socket = await bareSocket('/ws', [HELLO]);
        socket.write(Buffer.concat(texts.map(maskedText)));
        return socket;
      },
    ],
    [
      'all messages in one batch',
      async (texts: readonly string[]) => {
        const batch = (all: readonly string[]): string => all.map((text) => `${text}\x1e`).join('');
        const batched = ['Sec-WebSocket-Protocol: wamp.2.json.batched'];
        const socket = await bareSocket('/ws', [batch([HELLO])], batched);
        // WELCOME: nothing large is taken from somebody who is not in, and HELLO may have to wait for its turn.
        await once(socket, 'data');
        socket.write(maskedText(batch(texts)));
        return socket;
      },
    ],
    [
      'RawSocket',
      async (texts: readonly string[]) => {
        const { wire } = await RawSocketClient.join(rawPlace('raw_open'));
        wire.write(Buffer.concat(texts.map((text) => rawFrame(0, Buffer.from(text)))));
        return wire.socket;
      },
    ],
    [
      'and closes at once',
      async (texts: readonly string[]) => {
        const socket = await bareSocket('/ws', [HELLO]);
        const close = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);
        socket.write(Buffer.concat([...texts.map(maskedText), close]));
        return socket;
      },
    ],
  ])('%s: others get their turn in between, and the order stays', async (name, flood) => {
    const topic = `flood.${name.length}`;
    const audience = await Promise.all(
      Array.from({ length: AUDIENCE }, () => bareSocket('/ws', [HELLO, `[32,1,{},"${topic}"]`])),
    );
    const [observer, witness] = [await join(), await join()];
    await observer.ask([32, 1, {}, topic]);

    const flooder = await flood(Array.from({ length: FLOOD }, (_, number) => publishOf(topic, number)));
    let next = 0;
    let turns = 0;
    while (next < FLOOD) {
      const [number] = (await observer.next())[4] as [unknown];
      if (number === next) next += 1;
      else expect(number).toBe('witness');
      if (number === 'witness' || next === 1) {
        turns += number === 'witness' ? 1 : 0;
        witness.send([16, 1, {}, topic, ['witness']]);
      }
    }
    // Each one was sent when the one before had arrived.
    expect(turns).toBeGreaterThanOrEqual(3);
    for (const socket of [flooder, ...audience]) socket.destroy();
    await Promise.all([observer.drop(), witness.drop()]);
  });

  it('is answered in order: pings between its calls, and the close behind them', async () => {
    const CALLS = 2000;
    const client = await RawSocketClient.join(rawPlace('raw_open'));
    await client.ask([64, 1, {}, 'com.example.never']);
    const calls = Array.from({ length: CALLS }, (_, i) => Buffer.from(`[48,${i + 1},{},"com.example.none"]`));
    client.wire.write(Buffer.concat(calls.map((call) => rawFrame(0, call))));
    await client.ping(Buffer.from('behind all calls'));
    for (let i = 1; i <= CALLS; i++) expect((await client.next()).slice(0, 3)).toEqual([8, 48, i]);
    await client.leave();
  });

  it('with pings alone does not keep others waiting either', async () => {
    const socket = await bareSocket('/ws', [HELLO]);
    const ping = Buffer.from([0x89, 0x80, 0, 0, 0, 0]);
    socket.write(Buffer.concat(Array.from({ length: 50_000 }, () => ping)));
    const witness = await join();
    expect((await witness.ask([32, 1, {}, 'com.example.topic']))[0]).toBe(33);
    await witness.leave();
    socket.destroy();
  });
});

describe('a subscriber that never reads', () => {
  const FILLER = 'x'.repeat(32_768);

  /** Publishes to `topic` in small batches, each when `reader` has the one before, until `isEnough`. @returns how many. */
  async function publishUntil(topic: string, reader: WampClient, isEnough: () => boolean): Promise<number> {
    const publisher = await join();
    let sent = 0;
    for (; !isEnough(); sent += 16) {
      for (let i = 0; i < 16; i++) publisher.send([16, 5, {}, topic, [sent + i, FILLER]]);
      for (let i = 0; i < 16; i++) expect((await reader.next())[4]).toEqual([sent + i, FILLER]);
      if (sent > 4096) throw new Error(`${sent * FILLER.length} bytes were kept for a client that does not read`);
    }
    await publisher.leave();
    return sent;
  }

  const saidOf = (sessionId: number, message: string) => (record: { msg: string; [field: string]: unknown }) =>
    record.msg === message && record['sessionId'] === sessionId;
  const isSaid = (sessionId: number, message: string): boolean => daemon.logs.some(saidOf(sessionId, message));

  it('is cut at its bound; others get everything, in order', async () => {
    const topic = 'com.example.disconnect';
    const [reader, stuck] = [await join('/disconnect'), await WampClient.join(daemon.url('/disconnect', 'ws'))];
    for (const client of [reader, stuck]) await client.ask([32, 1, {}, topic]);
    stuck.socket.pause();
    await publishUntil(topic, reader, () => isSaid(stuck.sessionId, 'slow consumer disconnected'));
    stuck.socket.resume();
    await within(stuck.closed, 'end of the stuck client');
    await reader.leave();
  });

  it.each([
    ['WebSocket', () => WampClient.join(daemon.url('/drop', 'ws')), (client: WampClient) => client.socket],
    ['RawSocket', () => RawSocketClient.join(rawPlace('raw_drop')), (client: RawSocketClient) => client.wire.socket],
  ] as const)(
    'with "drop_events" loses events, but no answers, and goes on when it reads: %s',
    async (kind, open, socketOf) => {
      const topic = `com.example.drop.${kind}`;
      const reader = await join('/drop');
      const stuck = await open();
      const socket = (socketOf as (client: unknown) => { pause(): void; resume(): void })(stuck);
      for (const client of [reader, stuck]) await client.ask([32, 1, {}, topic]);
      await stuck.ask([64, 2, {}, `${topic}.procedure`]);
      socket.pause();
      let dropped = 0;
      const sent = await publishUntil(topic, reader, () => {
        // A few more than the first one.
        dropped += isSaid(stuck.sessionId, 'slow consumer, events dropped') ? 1 : 0;
        return dropped > 4;
      });
      const record = await daemon.waitForLog(saidOf(stuck.sessionId, 'slow consumer, events dropped'));
      expect(record).toMatchObject({ level: 'warn', dropped: 1, maxUnsentBytes: MAX_UNSENT });
      // A call and its answer have a place while events have none.
      const caller = await join();
      caller.send([48, 1, {}, `${topic}.procedure`]);
      caller.send([32, 2, {}, 'com.example.other']);
      expect((await caller.next())[0]).toBe(33);
      expect(isSaid(stuck.sessionId, 'slow consumer disconnected')).toBe(false);

      socket.resume();
      let got = 0;
      for (let message = await stuck.next(); ; message = await stuck.next()) {
        if (message[0] === 68) break;
        expect((message[4] as unknown[])[0]).toBe(got);
        got += 1;
      }
      stuck.send([70, 1, {}, ['done']]);
      expect((await caller.next()).slice(0, 4)).toEqual([50, 1, {}, ['done']]);
      const caughtUp = await daemon.waitForLog(saidOf(stuck.sessionId, 'slow consumer has caught up'));
      expect(caughtUp).toMatchObject({ level: 'warn', droppedInAll: sent - got });

      caller.send([16, 3, {}, topic, ['again']]);
      expect((await stuck.next())[4]).toEqual(['again']);
      expect((await reader.next())[4]).toEqual(['again']);
      await Promise.all([reader.leave(), stuck.leave(), caller.leave()]);
    },
  );

  it('on a compressed connection loses events, too', async () => {
    const topic = 'com.example.deflate';
    const reader = await join('/drop');
    const offers = ['Sec-WebSocket-Extensions: permessage-deflate'];
    const stuck = await bareSocket('/deflate', [HELLO, `[32,1,{},"${topic}"]`], offers);
    stuck.pause();
    await reader.ask([32, 1, {}, topic]);
    const publisher = await join();
    // Nothing that could be compressed: what waits is as large as what is sent.
    const isSaid = (): boolean =>
      daemon.logs.some(
        ({ msg, peer }) => msg === 'slow consumer, events dropped' && peer === `127.0.0.1:${stuck.localPort}`,
      );
    for (let sent = 0; !isSaid(); sent++) {
      const text = randomText(65_536);
      publisher.send([16, 5, {}, topic, [sent, text]]);
      expect((await reader.next())[4]).toEqual([sent, text]);
      if (sent > 2048) throw new Error('no event was dropped');
    }
    expect((await publisher.ask([32, 6, {}, 'com.example.other']))[0]).toBe(33);
    stuck.destroy();
    await Promise.all([reader.leave(), publisher.leave()]);
  });
});

/** Letters without an order. */
function randomText(length: number): string {
  let text = '';
  while (text.length < length) text += Math.random().toString(36).slice(2);
  return text.slice(0, length);
}
