/** What becomes of connections until something comes on them. With a real HTTP server behind it, test/integration/first-chunk shows it. */
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { FirstChunks } from '../../../src/http/first-chunk.js';
import { FairScheduler } from '../../../src/transport/fair-scheduler.js';
import type { FirstChunkOwner } from '../../../src/http/first-chunk.js';

const HANDSHAKE = 'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

/** A connection as its client has it. */
class Client extends Duplex {
  readonly name: string;

  constructor(name: string) {
    super({ allowHalfOpen: true });
    this.name = name;
  }

  override _read(): void {
    // What it sends is pushed.
  }

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }

  get socket(): Socket {
    return this as unknown as Socket;
  }
}

const told: string[] = [];
const nameOf = (socket: object): string => (socket as Client).name;
const owner: FirstChunkOwner = {
  upgrade: ({ url }, socket, head) => void told.push(`${nameOf(socket)} upgrades at ${url ?? ''} ${String(head)}`),
  parse: (socket) => void told.push(`${nameOf(socket)} is for the server`),
  failed: ({ code, message }, socket) => void told.push(`${nameOf(socket)} fails: ${code ?? message}`),
};

let loopTurns: (() => void)[] = [];
/** A loop in which there always is time: that of this process has none on a busy machine. */
const free = (): FairScheduler =>
  new FairScheduler({ now: () => 0, defer: (callback) => void loopTurns.push(callback) });
/** One in which nobody has time, until it turns. */
const busy = (): FairScheduler => {
  const scheduler = free();
  scheduler.pass();
  return scheduler;
};

function firstChunks(headMs = 1000, turns = free()): FirstChunks {
  return new FirstChunks({ maxHeadBytes: 4096, headMs, silentMs: 5000 }, owner, turns);
}

function accepted(chunks: FirstChunks, name = 'it'): Client {
  const client = new Client(name);
  client.on('close', () => chunks.closed(client.socket));
  chunks.accept(client.socket);
  return client;
}

/** What comes on a connection from now on, and what waited. */
async function heard(client: Client): Promise<string> {
  let text = '';
  client.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await turn();
  return text;
}

beforeEach(() => {
  told.length = 0;
  loopTurns = [];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => vi.useRealTimers());

it('a handshake is an upgrade, and what comes behind it waits for whoever listens', async () => {
  const client = accepted(firstChunks());
  client.push(`${HANDSHAKE}first`);
  await turn();
  expect(told).toEqual(['it upgrades at /ws first']);
  client.push(' second');
  await turn();
  client.push(' third');
  expect(await heard(client)).toBe(' second third');
});

it.each([
  ['a request', REQUEST],
  ['half a handshake', HANDSHAKE.slice(0, -1)],
  ['a letter', 'G'],
])('%s is for the HTTP server, which hears all of it', async (_what, text) => {
  const client = accepted(firstChunks());
  client.push(text);
  await turn();
  expect(told).toEqual(['it is for the server']);
  client.push(' more');
  expect(await heard(client)).toBe(`${text} more`);
});

it('a handshake waits for its turn, and what comes meanwhile with it', async () => {
  const chunks = firstChunks(1000, busy());
  const [first, gone, last] = ['first', 'gone', 'last'].map((name) => accepted(chunks, name));
  for (const client of [first, gone, last]) client?.push(HANDSHAKE);
  await turn();
  first?.push('more');
  gone?.destroy();
  await turn();
  expect(told).toEqual([]);
  for (const callback of loopTurns.splice(0)) callback();
  expect(told).toEqual(['first upgrades at /ws ', 'last upgrades at /ws ']);
  expect(first && (await heard(first))).toBe('more');
});

it('a connection on which no head comes in time fails, also when a part of one has come', async () => {
  const chunks = firstChunks();
  accepted(chunks, 'silent');
  const half = accepted(chunks, 'half');
  const whole = accepted(chunks, 'whole');
  const upgraded = accepted(chunks, 'upgraded');
  const gone = accepted(chunks, 'gone');
  await vi.advanceTimersByTimeAsync(900);
  half.push('GET /');
  whole.push(REQUEST);
  upgraded.push(HANDSHAKE);
  gone.destroy();
  await turn();
  chunks.hasHead(whole.socket);
  told.length = 0;
  await vi.advanceTimersByTimeAsync(200);
  expect(told).toEqual(['silent fails: ERR_HTTP_REQUEST_TIMEOUT', 'half fails: ERR_HTTP_REQUEST_TIMEOUT']);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told).toHaveLength(2);
});

it('what comes after its time is not looked at', async () => {
  const client = accepted(firstChunks());
  await vi.advanceTimersByTimeAsync(1100);
  client.push(HANDSHAKE);
  await turn();
  expect(told).toEqual(['it fails: ERR_HTTP_REQUEST_TIMEOUT']);
});

it('another limit holds for those that wait, too', async () => {
  const chunks = firstChunks(1000);
  accepted(chunks);
  chunks.limit(2000);
  await vi.advanceTimersByTimeAsync(1500);
  expect(told).toEqual([]);
  chunks.limit(300);
  await vi.advanceTimersByTimeAsync(400);
  expect(told).toEqual(['it fails: ERR_HTTP_REQUEST_TIMEOUT']);
});

it('a silent connection is closed without a word where there is no other limit, or one that is further away', async () => {
  for (const headMs of [0, 60_000]) {
    const chunks = firstChunks(headMs);
    const [silent, sending] = [accepted(chunks), accepted(chunks)];
    await vi.advanceTimersByTimeAsync(4000);
    sending.push('GET /');
    await vi.advanceTimersByTimeAsync(2000);
    expect([silent.destroyed, sending.destroyed]).toEqual([true, false]);
    chunks.end();
  }
  expect(told).toEqual(['it is for the server', 'it is for the server']);
});

it('at the end those are closed on which nothing has come, and no timer is left', async () => {
  const chunks = firstChunks();
  const [silent, sending] = [accepted(chunks), accepted(chunks)];
  sending.push('GET /');
  await turn();
  chunks.finish();
  expect([silent.destroyed, sending.destroyed]).toEqual([true, false]);
  expect(vi.getTimerCount()).toBe(1);
  chunks.end();
  expect(vi.getTimerCount()).toBe(0);
});

it('a client that ends, or is reset, before it has sent anything is let go', async () => {
  const chunks = firstChunks();
  const [ending, reset] = [accepted(chunks, 'ending'), accepted(chunks, 'reset')];
  ending.push(null);
  reset.destroy(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
  await turn();
  expect(ending.destroyed).toBe(true);
  expect(told).toEqual(['reset fails: ECONNRESET']);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told).toHaveLength(1);
});
