/** A store of one process that is told apart from none that several have: who was logged out, under whatever id. */
import { describe, expect, it } from 'vitest';

import { FileCookieStore } from '../../../../src/cookie/file/store.js';
import { WatchedStore } from '../../../../src/cookie/lent/watched-store.js';
import { MemoryCookieStore } from '../../../../src/cookie/memory.js';
import type { CookieEntry, CookieStore } from '../../../../src/cookie/store.js';
import { silentLogger } from '../../../../src/log/logger.js';
import { cookieId, cookieRecord, CREATED, DELETED, MODIFIED, withDirectory } from '../../../support/cookie-store.js';
import { until } from '../../../support/until.js';

const [A, B, C, D] = [cookieId(1), cookieId(2), cookieId(3), cookieId(4)];

/** @returns what is told, of all ids that are asked about. */
function toldBy(store: CookieStore): readonly string[] {
  const told: string[] = [];
  store.watch?.(
    (among) => among ?? [],
    (cbtid) => void told.push(cbtid),
  );
  return told;
}

/** A deletion is done at once, and said later. */
class SlowSpeaker extends MemoryCookieStore {
  gate: Promise<void> | undefined;

  override async delete(cbtid: string): Promise<CookieEntry | undefined> {
    const entry = await super.delete(cbtid);
    await this.gate;
    return entry;
  }
}

describe('a watched store', () => {
  it('tells of a new id that was deleted with the rotation, in one write', () =>
    withDirectory(async (directory) => {
      const options = { filename: `${directory}/cookies.dat`, purge: false };
      const file = new FileCookieStore(options, { log: silentLogger(), clock: () => Date.parse(CREATED) });
      const store = new WatchedStore(file);
      await store.open();
      await store.create(cookieRecord(A));
      const told = toldBy(store);
      await Promise.all([store.rotate(A, B, MODIFIED), store.delete(B, DELETED)]);
      await until(() => expect(told).toContain(B));
      expect(told).toContain(A);
      await store.close();
    }));

  it('still knows what a cookie was while it is being deleted', async () => {
    const inner = new SlowSpeaker();
    const store = new WatchedStore(inner);
    await store.create(cookieRecord(A));
    await store.rotate(A, B, MODIFIED);
    await store.create(cookieRecord(C));
    const told = toldBy(store);
    let open = (): void => undefined;
    inner.gate = new Promise((resolve) => (open = resolve));
    const leaving = store.delete(B, DELETED);
    // With a new id the oldest ones are looked at: there is no B any more.
    await store.rotate(C, D, MODIFIED);
    await new Promise(setImmediate);
    open();
    await leaving;
    await until(() => expect(told).toContain(B));
    expect(told).toContain(A);
    await store.close();
  });

  it('tells nothing of what was not there, and nobody when it is closed', async () => {
    const store = new WatchedStore(new MemoryCookieStore());
    const told = toldBy(store);
    await store.create(cookieRecord(A));
    await store.create(cookieRecord(B));
    await store.delete(C, DELETED);
    await store.delete(A, DELETED);
    await until(() => expect(told).toEqual([A]));
    await store.delete(B, DELETED);
    await store.close();
    await new Promise(setImmediate);
    expect(told).toEqual([A]);
  });

  it('keeps nothing of cookies that are gone', async () => {
    const owner = new WatchedStore(new MemoryCookieStore());
    const told = toldBy(owner);
    // They vanish without a word, as expired ones do.
    for (let n = 0; n < 200; n += 2) {
      await owner.create(cookieRecord(cookieId(n), { max_age: 1 }));
      await owner.rotate(cookieId(n), cookieId(n + 1), MODIFIED);
      await owner.delete(cookieId(n + 1), MODIFIED, false);
      await new Promise(setImmediate);
    }
    // Another cookie that happens to get the id of a later time shows what is still known of the earlier one.
    await owner.create(cookieRecord(cookieId(1001)));
    await owner.delete(cookieId(1001), MODIFIED);
    await until(() => expect(told).toContain(cookieId(1001)));
    for (let n = 0; n < 190; n += 2) {
      await owner.create(cookieRecord(cookieId(n + 1)));
      await owner.delete(cookieId(n + 1), MODIFIED);
    }
    await until(() => expect(told).toContain(cookieId(189)));
    const earlier = told.filter((cbtid) => Number(cbtid.slice(-17)) % 2 === 0);
    expect(earlier).toEqual([]);
    await owner.close();
  });
});
