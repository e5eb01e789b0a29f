/** A server leads the stream of a bucket that had stopped earlier: what the nodes were told since is put back by them. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import type { NatsCookieStore } from '../../../../src/cookie/nats/store.js';
import { hashOf, versionKey } from '../../../../src/cookie/nats/values.js';
import { MemoryHub } from '../../../../src/engine/memory/hub.js';
import type { MemoryEngine } from '../../../../src/engine/memory/hub.js';
import { natsStoreOn, SUITE_DAY } from '../../../support/cookie-nats.js';
import { cookieId, cookieRecord, DELETED, followed, JOE, MODIFIED } from '../../../support/cookie-store.js';

const [made, login, logout, moved, successor, untouched, late] = [1, 2, 3, 4, 5, 6, 7].map(cookieId) as [
  ...[string, string, string, string, string, string, string],
];
const LOGIN = { auth: JOE, modified: MODIFIED };

let hub: MemoryHub;
let [a, b] = [] as unknown as [NatsCookieStore, NatsCookieStore];
let engines: MemoryEngine[];
let nowMs: number;
afterEach(() => vi.restoreAllMocks());
beforeEach(async () => {
  nowMs = SUITE_DAY;
  hub = new MemoryHub();
  engines = [];
  [a, b] = [await open(), await open()];
  for (const cbtid of [login, logout, moved, untouched]) await a.create(cookieRecord(cbtid));
  await a.update(logout, LOGIN);
  await a.update(moved, LOGIN);
});

async function open(): Promise<NatsCookieStore> {
  const engine = hub.connect();
  engines.push(engine);
  const store = natsStoreOn(
    () => Promise.resolve(engine),
    'cookies',
    () => nowMs,
  );
  await store.open();
  return store;
}

/** @returns who is logged in by an id, as a node says; undefined where the id is not known. */
const userOf = async (store: NatsCookieStore, cbtid: string): Promise<unknown> => {
  const record = await followed(store, cbtid);
  return record === undefined ? undefined : (record.auth?.authid ?? null);
};

async function statesAt(store: NatsCookieStore): Promise<unknown[]> {
  const states: unknown[] = [];
  for (const cbtid of [made, login, logout, moved, successor, untouched]) states.push(await userOf(store, cbtid));
  return states;
}

it('cookies, logins, logouts and rotations come back, at nodes that join later, too', async () => {
  const lose = hub.stopHere();
  await a.create(cookieRecord(made));
  await b.update(login, LOGIN);
  await a.delete(logout, DELETED);
  await b.rotate(moved, successor, MODIFIED);
  const states = [null, JOE.authid, undefined, JOE.authid, JOE.authid, null];
  expect(await statesAt(a)).toEqual(states);
  lose();
  // The first of them knows nothing but what is in the bucket.
  for (const store of [await open(), a, b]) await expect.poll(() => statesAt(store)).toEqual(states);
});

it('what was changed since counts, and the mark of a cookie that is gone counts before all', async () => {
  // A node whose link is down is not told of the loss, and so it is the last one to put back what it knows.
  const lose = hub.stopHere();
  await a.update(login, LOGIN);
  await a.delete(logout, DELETED);
  await b.create(cookieRecord(late));
  await b.list();
  engines[1]?.cut();
  await a.close();
  lose();
  const c = await open();
  // Nobody knows what was lost. The browser without its login comes again, and that node deletes its cookie.
  expect([await userOf(c, login), await userOf(c, logout), await userOf(c, late)]).toEqual([
    null,
    JOE.authid,
    undefined,
  ]);
  await c.delete(login, DELETED);
  await c.update(logout, { auth: null, modified: MODIFIED });
  engines[1]?.mend();
  for (const store of [b, c]) {
    await expect.poll(() => userOf(store, late)).toBe(null);
    expect([await userOf(store, login), await userOf(store, logout)]).toEqual([undefined, undefined]);
  }
});

it('a bucket that was made anew is empty: somebody may have wanted that', async () => {
  await a.update(login, LOGIN);
  hub.lose();
  for (const store of [a, b]) await expect.poll(() => store.list()).toEqual([]);
});

it('what was told lately comes back when nothing was proven for long, though nobody said that anything is lost', async () => {
  nowMs += 60_000;
  await a.update(login, LOGIN);
  const bucket = await hub.connect().bucket('cookies', { durable: true });
  await bucket.erase(versionKey(hashOf(login), 1));
  // It was told too long ago to be lost by that: somebody erased it.
  await bucket.erase(versionKey(hashOf(untouched), 0));
  expect(await userOf(await open(), login)).toBe(null);
  const begunMs = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => begunMs + 25_000);
  expect(await userOf(a, login)).toBe(JOE.authid);
  const c = await open();
  expect([await userOf(c, login), await userOf(c, untouched)]).toEqual([JOE.authid, undefined]);
});

it('a change does not count that was confirmed, and of which nobody was told', async () => {
  const bucket = await hub.connect().bucket('cookies', { durable: true });
  const create = vi.spyOn(Object.getPrototypeOf(bucket) as typeof bucket, 'create');
  create.mockImplementationOnce(() => bucket.put('other', Buffer.alloc(0)));
  await expect(a.update(login, LOGIN)).rejects.toThrow('it is unknown how the cookie store stands');
  expect([await userOf(a, login), await userOf(b, login)]).toEqual([null, null]);
  await a.update(login, LOGIN);
  expect(await userOf(b, login)).toBe(JOE.authid);
});
