/** A hundred thousand cookies: whoever lists, counts or finds them lets others have their turn. Turns are counted, not milliseconds. */
import { describe, expect, it, onTestFinished } from 'vitest';

import { cookieDigest } from '../../../src/cookie/digest.js';
import { FileCookieStore } from '../../../src/cookie/file/store.js';
import { LiveCookies } from '../../../src/cookie/live/live-cookies.js';
import { ManagedCookies } from '../../../src/cookie/management.js';
import { MemoryCookieStore } from '../../../src/cookie/memory.js';
import { LENIENT } from '../../../src/cookie/rules.js';
import { SLICE } from '../../../src/cookie/slices.js';
import { silentLogger } from '../../../src/log/logger.js';
import { cookieFile, cookieId, cookieRecord, JOE } from '../../support/cookie-store.js';
import { temporaryDirectory } from '../../support/daemon.js';
import type { CookieStore } from '../../../src/cookie/store.js';

const COUNT = 100_000;
/** One look at each cookie. */
const TURNS = COUNT / SLICE - 1;
const PAGE = { limit: 100, offset: COUNT - 50 };

/** @returns how many turns of the event loop others had meanwhile. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let [turns, isOver] = [0, false];
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isOver = true;
  return turns;
}

async function inMemory(): Promise<CookieStore> {
  const store = new MemoryCookieStore();
  const created = new Date().toISOString();
  for (let n = 0; n < COUNT; n++) await store.create(cookieRecord(cookieId(n), { created }));
  return store;
}

async function inFile(): Promise<CookieStore> {
  const filename = cookieFile(temporaryDirectory(), COUNT);
  const store = new FileCookieStore({ filename, purge: false }, { clock: Date.now, log: silentLogger() });
  await store.open();
  onTestFinished(() => store.close());
  return store;
}

describe.each([
  ['in memory', inMemory],
  ['in a file', inFile],
])('a hundred thousand cookies %s', (_where, open) => {
  it('are gone through in slices', async () => {
    const log = silentLogger();
    const liveCookies = new LiveCookies({ store: await open(), rules: LENIENT, clock: Date.now, log });
    const cookies = new ManagedCookies(liveCookies);
    await liveCookies.setLogin(cookieId(COUNT - 1), JOE);
    const digest = cookieDigest(cookieId(COUNT - 1));
    const found: unknown[] = [];
    const keep = async (work: Promise<unknown>): Promise<void> => {
      found.push(await work);
    };
    const looks = [
      () => keep(cookies.count({})),
      () => keep(cookies.page({}, PAGE).then(({ entries, total }) => [entries.length, total])),
      () => keep(cookies.list({ authid: 'joe' }).then((listed) => listed.length)),
      () => keep(cookies.get(digest).then((cookie) => cookie?.authid)),
      () => keep(cookies.revoke({ digest })),
    ];
    // One look says whether a cookie is alive, the other whether it is meant.
    for (const look of looks) expect(await turnsDuring(look)).toBeGreaterThanOrEqual(2 * TURNS);
    expect(found).toEqual([COUNT, [50, COUNT], 1, 'joe', 1]);
    expect(await turnsDuring(() => cookies.list())).toBeGreaterThanOrEqual(3 * TURNS - 1);
  });
});
