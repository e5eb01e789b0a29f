/** A host of connections that have no socket of their own: an address, and a way to be cut, is all that it needs. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../../src/log/logger.js';
import { Drain } from '../../../src/transport/drain.js';
import { unsentLimits } from '../../../src/transport/outbox/outbox.js';
import { TransportHost } from '../../../src/transport/transport-host.js';
import type { SessionDeps } from '../../../src/session/deps.js';
import type { Fault } from '../../../src/transport/endings.js';
import type { CountedConnection, HostedTransport, HostLimits } from '../../../src/transport/transport-host.js';

const PING = Buffer.from('ping');

/** A long-poll connection, say: it is what is counted, and the transport. */
class Poll implements HostedTransport, CountedConnection {
  readonly remoteAddress: string | undefined;
  readonly peer = 'poll';
  readonly waitingBytes = 0;
  readonly counted = this;
  readonly isCallee = false;
  readonly isBusy = false;
  readonly seen: string[] = [];
  active = false;
  paused = false;
  destroyed = false;

  constructor(remoteAddress?: string) {
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    this.destroyed = true;
    this.seen.push('destroyed');
  }
  ping(frame: Buffer): void {
    this.seen.push(frame.toString());
  }
  helloOverdue(timeoutMs: number): void {
    this.seen.push(`overdue after ${timeoutMs}`);
  }
  close(cause: string): void {
    this.seen.push(`closed: ${cause}`);
  }
  evict(text: string): void {
    this.seen.push(`evicted: ${text}`);
  }
  rested(): void {
    this.seen.push('rested');
  }
  cut(fault: Fault): void {
    this.seen.push(`cut: ${fault}`);
  }
  terminate(): void {
    this.seen.push('terminated');
  }
  shutdown(saysGoodbye: boolean): void {
    this.seen.push(`shutdown, goodbye ${saysGoodbye}`);
  }
}

function hostOf(limits: Partial<HostLimits> = {}): TransportHost {
  const log = silentLogger();
  const drain = new Drain({
    log,
    saysGoodbye: false,
    elapsed: () => performance.now(),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: () => 0.5,
  });
  return new TransportHost(
    {
      protocol: 'rawsocket',
      helloTimeoutMs: 1000,
      authenticateTimeoutMs: 2000,
      pingIntervalMs: 10_000,
      pongTimeoutMs: 5000,
      pingFrame: PING,
      trafficIsLife: true,
      closeTimeoutMs: 3000,
      unsent: unsentLimits(65_536, false),
      connections: { max_connections: 2, max_unauthenticated: 0, max_unauthenticated_per_address: 0 },
      ...limits,
    },
    { sessions: {} as SessionDeps, log, drain },
  );
}

const NO_LIMITS = { max_connections: 0, max_unauthenticated: 0, max_unauthenticated_per_address: 0 };

function opened(host: TransportHost, poll = new Poll('192.0.2.1')): Poll {
  expect(host.admit(poll)).toBe(true);
  host.opened(poll);
  host.awaitHello(poll);
  return poll;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('places', () => {
  it('the oldest that waits for a session makes room, and hears why', () => {
    const host = hostOf();
    const [oldest, other] = [opened(host), opened(host)];
    opened(host);
    expect(oldest.seen).toEqual(['evicted: too many clients without a session, try again later']);
    expect(other.seen).toEqual([]);
  });

  it('one that is not through its handshake is cut', () => {
    const host = hostOf();
    const [shaking, waiting] = [new Poll('192.0.2.1'), new Poll('192.0.2.2')];
    expect([host.admit(shaking), host.admit(waiting), host.admit(new Poll())]).toEqual([true, true, true]);
    expect([shaking.seen, waiting.seen]).toEqual([['destroyed'], []]);
  });

  it('those with a session stay, until they leave', () => {
    const host = hostOf();
    const [first, second] = [opened(host), opened(host)];
    for (const poll of [first, second]) host.gotHello(poll);
    expect(host.admit(new Poll())).toBe(false);
    host.closed(first);
    host.left(first);
    expect(host.size).toBe(1);
    expect(host.admit(new Poll())).toBe(true);
  });

  it('of a host that another one follows are counted with those of the other, by the limits of that one', async () => {
    const [before, after] = [hostOf(), hostOf({ connections: { ...NO_LIMITS, max_connections: 3 } })];
    const [first, second] = [opened(before), opened(before)];
    before.gotHello(first);
    const retired = before.retire(after);
    const third = opened(after);
    for (const [host, poll] of [[after, third]] as const) host.gotHello(poll);
    // The one that came before, and waits, makes room, and its own host tells it so.
    opened(after);
    expect(second.seen).toEqual(['evicted: too many clients without a session, try again later']);
    for (const poll of [second, first]) {
      before.closed(poll);
      before.left(poll);
    }
    await retired;
    expect([before.size, after.size]).toEqual([0, 2]);
    expect([after.admit(new Poll()), after.size]).toEqual([true, 2]);
  });

  it('are counted by address', () => {
    const perAddress = { max_connections: 0, max_unauthenticated: 0, max_unauthenticated_per_address: 1 };
    const host = hostOf({ connections: perAddress });
    const [here, there] = [opened(host, new Poll('192.0.2.1')), opened(host, new Poll('198.51.100.1'))];
    opened(host, new Poll('192.0.2.1'));
    expect([here.seen.length, there.seen.length]).toEqual([1, 0]);
  });
});

it('says how many connections it has, and how many have no session', () => {
  const host = hostOf();
  expect(host.stats).toEqual({ connections: 0, unauthenticated: 0 });
  const [joined, waiting] = [opened(host), opened(host)];
  host.gotHello(joined);
  expect(host.stats).toEqual({ connections: 2, unauthenticated: 1 });
  host.awaitHello(joined);
  expect(host.stats).toEqual({ connections: 2, unauthenticated: 2 });
  for (const poll of [joined, waiting]) host.closed(poll);
  expect(host.stats).toEqual({ connections: 0, unauthenticated: 0 });
});

describe('deadlines', () => {
  it('for HELLO, and another one for the answer to a challenge', () => {
    const host = hostOf();
    const [silent, asked, joined] = [opened(host), opened(host, new Poll()), new Poll()];
    host.awaitHello(joined);
    host.awaitAuthenticate(asked);
    host.gotHello(joined);
    vi.advanceTimersByTime(1100);
    expect([silent.seen, asked.seen]).toEqual([['overdue after 1000'], []]);
    vi.advanceTimersByTime(1000);
    expect([asked.seen, joined.seen]).toEqual([['overdue after 2000'], []]);
  });

  it('for an answer to a ping; what arrives meanwhile does, too, and one that is not read is left alone', () => {
    const host = hostOf({
      connections: { max_connections: 0, max_unauthenticated: 0, max_unauthenticated_per_address: 0 },
    });
    const [dead, answering, talking, held] = [opened(host), opened(host), opened(host), opened(host)];
    for (const poll of [dead, answering, talking, held]) host.gotHello(poll);
    held.paused = true;
    vi.advanceTimersByTime(10_200);
    host.gotPong(answering);
    talking.active = true;
    vi.advanceTimersByTime(5200);
    expect([dead.seen, answering.seen, talking.seen, held.seen]).toEqual([
      ['ping', 'cut: no_pong'],
      ['ping'],
      ['ping'],
      ['ping'],
    ]);
  });

  it('for the peer to close after we did, and for the rest after too many sessions', () => {
    const host = hostOf();
    const [closing, resting] = [opened(host), opened(host)];
    host.awaitClose(closing);
    host.gotHello(resting);
    host.rest(resting);
    vi.advanceTimersByTime(3100);
    expect([closing.seen, resting.seen]).toEqual([['terminated'], ['rested']]);
  });
});

it('at the end all are told, and what stays is cut', async () => {
  const host = hostOf();
  const [leaving, staying] = [opened(host), opened(host)];
  const stopped = host.stop();
  await vi.advanceTimersByTimeAsync(10);
  expect(host.stopping).toBe(true);
  host.closed(leaving);
  await vi.advanceTimersByTimeAsync(1100);
  await stopped;
  expect([leaving.seen, staying.seen]).toEqual([
    ['shutdown, goodbye false'],
    ['shutdown, goodbye false', 'terminated'],
  ]);
});
