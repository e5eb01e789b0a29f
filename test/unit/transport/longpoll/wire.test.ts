/** One client of long-poll, from its requests as the transport sees them: polls, posts, and how both end. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { unsentLimits } from '../../../../src/transport/outbox/outbox.js';
import { SERIALIZERS } from '../../../../src/serializer/registry.js';
import { Channel } from '../../../../src/transport/longpoll/channel.js';
import { Drain } from '../../../../src/transport/drain.js';
import { LongPollWire } from '../../../../src/transport/longpoll/wire.js';
import { Router } from '../../../../src/router/router.js';
import { silentLogger } from '../../../../src/log/logger.js';
import { TransportHost } from '../../../../src/transport/transport-host.js';
import type { AuthMethod, Verdict } from '../../../../src/auth/method.js';
import type { Poll, Post } from '../../../../src/transport/longpoll/requests.js';
import { clientInfo, everybody } from '../../../support/client.js';
import { ALLOW_ALL, FakeClock } from '../../../support/realm.js';

/** Decides when it is told to. */
class SlowMethod implements AuthMethod {
  isAsked = false;
  decide: (verdict: Verdict) => void = () => undefined;

  start(): Promise<Verdict> {
    this.isAsked = true;
    return new Promise((resolve) => (this.decide = resolve));
  }
}

function world({ saysGoodbye = false } = {}) {
  let lastId = 0;
  const router = new Router([{ name: 'realm1', roles: [ALLOW_ALL] }], {
    randomId: () => ++lastId,
    clock: Date.now,
    scheduler: new FakeClock(),
  });
  const log = silentLogger();
  const slow = new SlowMethod();
  const drain = new Drain({ log, saysGoodbye, elapsed: () => 0, wait: () => Promise.resolve(), random: () => 0 });
  const limits = {
    protocol: 'longpoll' as const,
    ...{ helloTimeoutMs: 0, authenticateTimeoutMs: 0, pingIntervalMs: 0, pongTimeoutMs: 0, closeTimeoutMs: 10_000 },
    ...{ pingFrame: Buffer.alloc(0), trafficIsLife: true, unsent: unsentLimits(1_000_000, false) },
    connections: {
      ...{ max_connections: 0, max_connections_per_address: 0 },
      ...{ max_unauthenticated: 0, max_unauthenticated_per_address: 0 },
    },
  };
  const sessions = { router, log, authMethods: new Map([...everybody(), ['ticket', slow]]) };
  const host = new TransportHost(limits, { sessions, log, drain });
  const told: string[] = [];
  const keeper = {
    busy: () => told.push('busy'),
    idle: () => told.push('idle'),
    polls: () => told.push('polls'),
    gone: () => told.push('gone'),
  };
  const wire = new LongPollWire(
    {
      channel: new Channel({ remoteAddress: '127.0.0.1', remotePort: 1 }),
      serializer: SERIALIZERS['json'].single,
      client: clientInfo(),
      facts: { peer: 'client' },
      maxQueued: 0,
      after: (_ms, callback) => {
        const nextTurn = setImmediate(callback);
        return () => clearImmediate(nextTurn);
      },
    },
    host,
    keeper,
  );
  host.opened(wire.connection);
  return { router, slow, drain, host, told, wire };
}

/** A request for messages; it has its answer when it is asked for. */
function pollOf(): Poll & { readonly answers: string[]; lose(): void } {
  const answers: string[] = [];
  let done: (isSent: boolean) => void = () => undefined;
  return {
    answers,
    isOpen: true,
    send: (messages, left) => {
      answers.push(...messages.map(String));
      done = left;
      queueMicrotask(() => done(true));
    },
    end: (how) => answers.push(how),
    cut: () => answers.push('cut'),
    lose: () => done(false),
  };
}

const posts: string[] = [];
afterEach(() => {
  posts.length = 0;
  vi.useRealTimers();
});

let lastPost = 0;
function postOf(...message: unknown[]): Post {
  const name = `post ${++lastPost}`;
  return { data: Buffer.from(JSON.stringify(message)), answer: (how) => posts.push(`${name} ${how}`) };
}

const HELLO = [1, 'realm1', { roles: { caller: {}, publisher: {} } }];
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** Messages have their turn when the process has time for them. */
async function until(happened: () => boolean): Promise<void> {
  while (!happened()) await soon();
}

/** With a session. */
async function joined(options?: Parameters<typeof world>[0]) {
  const parts = world(options);
  parts.wire.post(postOf(...HELLO));
  const poll = pollOf();
  parts.wire.poll(poll);
  await until(() => poll.answers.length > 0);
  expect(poll.answers[0]).toMatch(/^\[2,/);
  return parts;
}

describe('messages of a client that nobody reads at the moment', () => {
  /** A verdict is awaited, and one message waits for it, so that nothing more is read. */
  async function held() {
    lastPost = 0;
    const parts = world();
    parts.wire.post(postOf(1, 'realm1', { roles: { caller: {} }, authmethods: ['ticket'], authid: 'joe' }));
    await until(() => parts.slow.isAsked);
    const waiting = Array.from({ length: 4 }, (_, id) => postOf(48, id + 1, {}, 'com.example.none'));
    for (const post of waiting) parts.wire.post(post);
    expect(parts.wire.isPaused).toBe(true);
    return { ...parts, waiting };
  }

  /** Those behind HELLO, which has its answer before the verdict, or with it where the process is busy. */
  const ended = (): string[] => posts.filter((post) => !post.startsWith('post 1 '));

  it('are dropped when the client hangs up, and the others keep their order', async () => {
    const { wire, waiting, slow, told } = await held();
    for (const post of waiting.slice(1, 3)) wire.postLeft(post);
    expect(ended()).toEqual(['post 3 taken', 'post 4 taken']);
    const poll = pollOf();
    wire.poll(poll);
    slow.decide({ type: 'accept', principal: { realm: 'realm1', authid: 'joe', authrole: 'anonymous' } } as never);
    await until(() => ended().length === 4 && told.at(-1) === 'idle');
    expect(ended().slice(2)).toEqual(['post 2 taken', 'post 5 taken']);
    expect(poll.answers).toHaveLength(1);
  });

  it('are told to be lost when the node stops', async () => {
    const { wire, drain } = await held();
    await drain.run();
    await soon();
    expect(ended()).toEqual([2, 3, 4, 5].map((number) => `post ${number} unavailable`));
    const late = postOf(48, 9, {}, 'com.example.none');
    wire.post(late);
    expect(posts.at(-1)).toBe(`post ${lastPost} unavailable`);
  });
});

describe('when the node stops', () => {
  it('a poll that waits ends at once: come back', async () => {
    const { wire, drain, told } = await joined();
    const poll = pollOf();
    wire.poll(poll);
    await drain.run();
    expect(poll.answers).toEqual(['unavailable']);
    expect(told.at(-1)).toBe('gone');
  });

  it('a client between two polls is told by the next one', async () => {
    const { wire, drain, told } = await joined();
    await drain.run();
    expect(told.at(-1)).not.toBe('gone');
    wire.post(postOf(48, 1, {}, 'com.example.none'));
    expect(posts.at(-1)).toMatch(/unavailable$/);
    const poll = pollOf();
    wire.poll(poll);
    expect(poll.answers).toEqual(['unavailable']);
    expect(told.at(-1)).toBe('gone');
  });

  it('a client that does not come any more is waited for as long as others may take to close', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { host, drain, told } = await joined();
    await drain.run();
    const stopped = host.stop();
    await vi.advanceTimersByTimeAsync(2000);
    await stopped;
    expect(told.at(-1)).toBe('gone');
  });

  it('with GOODBYE, it is fetched, answered, and /close ends it', async () => {
    const { wire, drain, told } = await joined({ saysGoodbye: true });
    await drain.run();
    const [first, second] = [pollOf(), pollOf()];
    wire.poll(first);
    await until(() => first.answers.length > 0);
    expect(first.answers).toEqual([expect.stringContaining('wamp.close.system_shutdown')]);
    wire.poll(second);
    posts.length = 0;
    wire.post(postOf(6, {}, 'wamp.close.goodbye_and_out'));
    await until(() => posts.length > 0);
    expect(posts[0]).toMatch(/taken$/);
    expect([second.answers, told.at(-1)]).toEqual([[], 'polls']);
    wire.close();
    expect([second.answers, told.at(-1)]).toEqual([['nothing'], 'gone']);
  });
});

describe('an answer that did not leave', () => {
  it('comes again with the next poll, before what came later', async () => {
    const { wire } = await joined();
    const lost = { ...pollOf(), send: (_: readonly Buffer[], done: (isSent: boolean) => void) => done(false) };
    wire.poll(lost);
    posts.length = 0;
    for (const id of [1, 2]) wire.post(postOf(48, id, {}, 'com.example.none'));
    await until(() => posts.length === 2);
    const [first, second] = [pollOf(), pollOf()];
    wire.poll(first);
    await until(() => first.answers.length > 0);
    wire.poll(second);
    await until(() => second.answers.length > 0);
    expect(first.answers[0]).toMatch(/^\[8,48,1,/);
    expect(second.answers[0]).toMatch(/^\[8,48,2,/);
  });
});
