/** The gate for the PROXY protocol, with a clock of the test: what may take how long, and who is cut. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { peerOf } from '../../../../src/transport/peer.js';
import { ProxyGate } from '../../../../src/transport/proxies/proxy-gate.js';
import { TrustedProxies } from '../../../../src/transport/proxies/trusted-proxies.js';
import { recordingLog } from '../../../support/cookie-store.js';

const HEADER = 'PROXY TCP4 192.0.2.7 203.0.113.1 51234 443\r\n';

/** A connection of a peer, as far as the gate looks at it. */
class Peer extends Duplex {
  readonly remoteAddress: string;
  readonly remotePort = 4711;
  readonly localAddress = '127.0.0.1';

  constructor(remoteAddress = '127.0.0.1') {
    super();
    this.remoteAddress = remoteAddress;
  }

  override _read(): void {
    // What comes is pushed.
  }

  get socket(): Socket {
    return this as unknown as Socket;
  }
}

let passed: Socket[];
let recorded: ReturnType<typeof recordingLog>;
let gate: ProxyGate;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] });
  passed = [];
  recorded = recordingLog();
  const proxies = new TrustedProxies({ trusted_proxies: ['127.0.0.1'] });
  gate = new ProxyGate({ proxies, log: recorded.log, next: (socket) => void passed.push(socket) });
});
afterEach(() => {
  gate.stop();
  vi.useRealTimers();
});

/** Streams tell of what has come in a later turn. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function arrived(peer: Peer, ...parts: readonly string[]): Promise<void> {
  for (const part of parts) {
    peer.push(Buffer.from(part));
    await turn();
  }
}

it('hands a connection on when its header has come, in however many pieces, with what follows', async () => {
  const peer = new Peer();
  gate.accept(peer.socket);
  await arrived(peer, HEADER.slice(0, 10), HEADER.slice(10, -1));
  expect(passed).toEqual([]);
  await arrived(peer, `${HEADER.slice(-1)}GET /`);
  expect(passed).toEqual([peer]);
  expect(peerOf(peer.socket)).toBe('192.0.2.7:51234');
  expect(String(peer.read())).toBe('GET /');
  vi.advanceTimersByTime(60_000);
  expect(peer.destroyed).toBe(false);
});

it('cuts a connection that has said nothing, or a part of a header, three seconds after it came', async () => {
  const [silent, slow] = [new Peer(), new Peer()];
  gate.accept(silent.socket);
  gate.accept(slow.socket);
  await arrived(slow, HEADER.slice(0, 10));
  vi.advanceTimersByTime(2000);
  // No octet gives it more time.
  await arrived(slow, HEADER.slice(10, 12));
  vi.advanceTimersByTime(999);
  expect([silent.destroyed, slow.destroyed]).toEqual([false, false]);
  vi.advanceTimersByTime(2);
  expect([silent.destroyed, slow.destroyed, passed]).toEqual([true, true, []]);
  expect(recorded.entries).toMatchObject([{ level: 'warn', reason: 'no whole header within 3 seconds' }]);
});

it('cuts who is no proxy of ours, and another beginning, at once', async () => {
  const [stranger, wrong] = [new Peer('192.0.2.1'), new Peer()];
  gate.accept(stranger.socket);
  gate.accept(wrong.socket);
  await arrived(wrong, 'GET / HTTP/1.1\r\n');
  expect([stranger.destroyed, wrong.destroyed, passed]).toEqual([true, true, []]);
  expect(recorded.entries[0]).toMatchObject({ reason: 'not a trusted proxy' });
});

it('hands on a connection of the proxy itself with its first octet, or after three seconds without one', async () => {
  const [talking, quiet, check] = [new Peer(), new Peer(), new Peer()];
  for (const peer of [talking, quiet, check]) {
    gate.accept(peer.socket);
    await arrived(peer, 'PROXY UNKNOWN\r\n');
  }
  expect(passed).toEqual([]);
  await arrived(talking, 'x');
  expect(passed).toEqual([talking]);
  // A check of the health: not a word.
  check.push(null);
  await turn();
  vi.advanceTimersByTime(3001);
  expect(passed).toEqual([talking, quiet]);
  expect(peerOf(quiet.socket)).toBe('127.0.0.1:4711');
  expect(recorded.entries).toEqual([]);
});

it('takes nobody any more when it is stopped', async () => {
  const peer = new Peer();
  gate.accept(peer.socket);
  gate.stop();
  await turn();
  expect([peer.destroyed, vi.getTimerCount()]).toEqual([true, 0]);
});
