/** What several nodes do to one cookie at the same time, over an engine whose messages take any order that they can. */
import { describe, expect, it, vi } from 'vitest';

import { CookieStoreError } from '../../../../src/cookie/error.js';
import { LiveCookies } from '../../../../src/cookie/live/live-cookies.js';
import { LENIENT } from '../../../../src/cookie/rules.js';
import { isForward } from '../../../../src/cookie/store.js';
import { MARGIN_MS } from '../../../../src/cookie/nats/table.js';
import { hashOf, versionKey } from '../../../../src/cookie/nats/values.js';
import { EngineError } from '../../../../src/engine/engine.js';
import { MemoryHub } from '../../../../src/engine/memory/hub.js';
import type { MemoryEngine } from '../../../../src/engine/memory/hub.js';
import type { NatsCookieStore } from '../../../../src/cookie/nats/store.js';
import {
  cookieId,
  cookieRecord,
  DELETED,
  JOE,
  MODIFIED,
  recordOf,
  seededRandom,
} from '../../../support/cookie-store.js';
import { silentLogger } from '../../../../src/log/logger.js';
import { natsStoreOn } from '../../../support/cookie-nats.js';

const NOW = Date.parse('2026-11-21T00:00:00Z');

interface Node {
  readonly store: NatsCookieStore;
  readonly engine: MemoryEngine;
}

async function nodeOn(hub: MemoryHub, clock: () => number = () => NOW): Promise<Node> {
  const engine = hub.connect();
  const store = natsStoreOn(() => Promise.resolve(engine), 'cookies', clock);
  await store.open();
  return { store, engine };
}

/** Each row of messages goes on in another of the next turns. */
function hubOf(seed: number): MemoryHub {
  const random = seededRandom(seed);
  const pace = (proceed: () => void): void => {
    let turns = Math.floor(random() * 4);
    const wait = (): void => void setImmediate(() => (turns-- > 0 ? wait() : proceed()));
    wait();
  };
  return new MemoryHub({ pace });
}

const [first, second, third] = [cookieId(1), cookieId(2), cookieId(3)];

/** @returns who is logged in, by any id that the cookie ever had, as a node says. */
async function loginsAt({ store }: Node): Promise<unknown[]> {
  return (await store.list()).filter(({ auth }) => auth !== null).map(({ cbtid }) => cbtid);
}

/** As a logout does: what is deleted leads to the next id. */
async function logOut({ store }: Node, cbtid: string): Promise<void> {
  const entry = await store.delete(cbtid, DELETED);
  if (entry !== undefined && isForward(entry)) await logOut({ store } as Node, entry.moved_to);
}

describe('two nodes at one cookie', () => {
  const rounds = Array.from({ length: 40 }, (_, seed) => seed);

  it.each(rounds)('rotate: one is first, and a logout leaves nobody logged in (%i)', async (seed) => {
    const hub = hubOf(seed);
    const nodes = [await nodeOn(hub), await nodeOn(hub), await nodeOn(hub)] as const;
    const [a, b, c] = nodes;
    await a.store.create(cookieRecord(first));
    await a.store.update(first, { auth: JOE, modified: MODIFIED });
    const outcomes = await Promise.allSettled([
      a.store.rotate(first, second, DELETED),
      b.store.rotate(first, third, DELETED),
      c.store.update(first, { auth: { ...JOE, authrole: 'other' }, modified: DELETED }),
    ]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(1);
    const moved = outcomes.slice(0, 2).filter(({ status }) => status === 'fulfilled');
    expect(moved).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(CookieStoreError);
    }
    const fresh = await nodeOn(hub);
    const records = await fresh.store.list();
    // The others know a moment later.
    for (const { store } of nodes) await vi.waitFor(async () => expect(await store.list()).toEqual(records));
    // A login that was acknowledged is the one that the successor has.
    const expected = outcomes[2].status === 'fulfilled' ? 'other' : JOE.authrole;
    expect(records.map(({ auth }) => auth?.authrole)).toEqual([expected]);

    const end = records[0]?.cbtid ?? '';
    await Promise.allSettled([
      logOut(a, first),
      b.store.rotate(end, cookieId(4), DELETED),
      c.store.update(end, { auth: JOE, modified: DELETED }),
    ]);
    const later = await nodeOn(hub);
    expect(await loginsAt(later)).toEqual([]);
    for (const node of [...nodes, fresh]) await vi.waitFor(async () => expect(await loginsAt(node)).toEqual([]));
    for (const node of [...nodes, fresh, later]) await node.store.close();
  });

  it('know at once what the other has made, and that an id is taken for ever', async () => {
    const hub = new MemoryHub();
    const [a, b] = [await nodeOn(hub), await nodeOn(hub)];
    await a.store.create(cookieRecord(first));
    expect(await b.store.get(first)).toEqual(cookieRecord(first));
    await b.store.delete(first, DELETED);
    for (const { store } of [a, b])
      await expect(store.create(cookieRecord(first))).rejects.toThrow('this cookie id is taken');
    await Promise.all([a, b].map(({ store }) => store.close()));
  });
});

describe('a node that is told late', () => {
  it('asks for the latest before it says that nobody is logged in', async () => {
    const hub = new MemoryHub();
    const [a, b] = [await nodeOn(hub), hub.connect()];
    let late: (() => void)[] | undefined;
    const open = b.bucket.bind(b);
    vi.spyOn(b, 'bucket').mockImplementation(async (name, options) => {
      const bucket = await open(name, options);
      const watch = bucket.watch.bind(bucket);
      vi.spyOn(bucket, 'watch').mockImplementation((onChange, onGone) =>
        watch((change) => (late === undefined ? onChange(change) : void late.push(() => onChange(change))), onGone),
      );
      return bucket;
    });
    const store = natsStoreOn(
      () => Promise.resolve(b),
      'cookies',
      () => NOW,
    );
    await store.open();
    const cookies = new LiveCookies({ store, rules: LENIENT, clock: () => NOW, log: silentLogger() });
    await a.store.create(cookieRecord(first));
    const held: (() => void)[] = (late = []);
    expect(await cookies.loginOf(first)).toBeUndefined();
    await a.store.update(first, { auth: JOE, modified: MODIFIED });
    expect(await recordOf(store, first)).toMatchObject({ auth: null });
    const login = cookies.loginOf(first);
    // The login, and behind it the word of the node itself.
    await vi.waitFor(() => expect(held).toHaveLength(2));
    late = undefined;
    for (const tell of held) tell();
    expect(await login).toEqual(JOE);
    cookies.close();
    for (const node of [a.store, store]) await node.close();
  });
});

describe('a node without its link', () => {
  it('answers nothing, and then knows what it missed', async () => {
    const hub = new MemoryHub();
    const [a, b] = [await nodeOn(hub), await nodeOn(hub)];
    for (const id of [first, second]) await a.store.create(cookieRecord(id, { auth: JOE, modified: MODIFIED }));
    expect(await b.store.get(first)).toBeDefined();
    const told = vi.fn();
    b.store.watch(() => [first, second], told);
    b.engine.cut();
    await a.store.delete(first, DELETED);
    const failure = await b.store.get(second).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CookieStoreError);
    expect((failure as Error).cause).toBeInstanceOf(Error);
    await expect(b.store.create(cookieRecord(third))).rejects.toBeInstanceOf(CookieStoreError);
    b.engine.mend();
    expect(await b.store.get(first)).toBeUndefined();
    expect(await recordOf(b.store, second)).toBeDefined();
    await vi.waitFor(() => expect(told).toHaveBeenCalledWith(first));
    expect(told).not.toHaveBeenCalledWith(second);
    await Promise.all([a, b].map(({ store }) => store.close()));
  });
});

describe('a bucket that is lost', () => {
  it('is no answer until there is a copy of the next one, which every node uses then', async () => {
    const hub = new MemoryHub();
    const [a, b] = [await nodeOn(hub), await nodeOn(hub)];
    await a.store.create(cookieRecord(first, { auth: JOE, modified: MODIFIED }));
    expect(await recordOf(b.store, first)).toBeDefined();
    b.engine.cut();
    hub.lose();
    await expect(b.store.get(first)).rejects.toBeInstanceOf(CookieStoreError);
    await vi.waitFor(async () => expect(await a.store.get(first)).toBeUndefined());
    b.engine.mend();
    await vi.waitFor(async () => expect(await b.store.get(first)).toBeUndefined());
    await b.store.create(cookieRecord(second));
    expect(await recordOf(a.store, second)).toEqual(cookieRecord(second));
    await a.store.delete(second, DELETED);
    await vi.waitFor(async () => expect(await b.store.get(second)).toBeUndefined());
    await Promise.all([a, b].map(({ store }) => store.close()));
  });

  it('rejects all that is asked while there is none', async () => {
    const hub = new MemoryHub();
    const node = await nodeOn(hub);
    await node.store.create(cookieRecord(first));
    const bucket = vi.spyOn(node.engine, 'bucket').mockRejectedValue(new EngineError('unavailable', 'no majority'));
    hub.lose();
    await vi.waitFor(() => expect(bucket).toHaveBeenCalled());
    await expect(node.store.get(first)).rejects.toBeInstanceOf(CookieStoreError);
    await expect(node.store.create(cookieRecord(second))).rejects.toBeInstanceOf(CookieStoreError);
    await expect(node.store.list()).rejects.toBeInstanceOf(CookieStoreError);
    bucket.mockRestore();
    expect(await node.store.list()).toEqual([]);
    await node.store.create(cookieRecord(second));
    await node.store.close();
  });
});

describe('a bucket that takes no writes', () => {
  it('is not copied, however often it is asked for', async () => {
    const hub = new MemoryHub();
    const node = await nodeOn(hub);
    const watched = vi.fn();
    const open = node.engine.bucket.bind(node.engine);
    const bucket = vi.spyOn(node.engine, 'bucket').mockImplementation(async (name, options) => {
      const there = await open(name, options);
      vi.spyOn(there, 'put').mockRejectedValue(new EngineError('unavailable', 'no majority'));
      const watch = there.watch.bind(there);
      vi.spyOn(there, 'watch').mockImplementation((...args) => (watched(), watch(...args)));
      return there;
    });
    hub.lose();
    await vi.waitFor(() => expect(bucket).toHaveBeenCalled());
    for (let visit = 0; visit < 5; visit++)
      await expect(node.store.get(first)).rejects.toBeInstanceOf(CookieStoreError);
    expect(bucket.mock.calls.length).toBeGreaterThan(1);
    expect(watched).not.toHaveBeenCalled();
    bucket.mockRestore();
    await vi.waitFor(async () => expect(await node.store.list()).toEqual([]));
    await node.store.close();
  });
});

describe('what is over', () => {
  it('is erased, but a mark only when the cookie would have expired by now', async () => {
    let now = NOW;
    const hub = new MemoryHub();
    const node = await nodeOn(hub, () => now);
    const raw = await hub.connect().bucket('cookies', { durable: true });
    const created = new Date(NOW).toISOString();
    await node.store.create(cookieRecord(first, { created, max_age: 86_400 }));
    await node.store.update(first, { auth: JOE, modified: created });
    await node.store.rotate(first, second, created);
    await node.store.create(cookieRecord(third, { created, max_age: 60 }));
    await node.store.delete(second, created);
    const keys = async (): Promise<(string | undefined)[]> => {
      const found: [string, number][] = [
        [first, 2],
        [second, 1],
        [third, 0],
      ];
      const values = await Promise.all(found.map(([id, version]) => raw.get(versionKey(hashOf(id), version))));
      return values.map((value) => value && Buffer.from(value).toString().slice(0, 8));
    };
    now += 60_000 + MARGIN_MS + 1;
    await node.store.compact();
    expect(await keys()).toEqual([undefined, '{"gone":', undefined]);
    await expect(node.store.create(cookieRecord(second))).rejects.toThrow('taken');
    now += 86_400_000;
    await node.store.compact();
    expect([await keys(), await node.store.entries()]).toEqual([[undefined, undefined, undefined], 0]);
    await node.store.close();
  });
});
