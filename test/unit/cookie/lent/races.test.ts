/** What two borrowers and the owner do to one cookie at the same time. */
import { setImmediate as turn } from 'node:timers/promises';

import { describe, expect, it, vi } from 'vitest';

import { CookieStoreError } from '../../../../src/cookie/error.js';
import { LiveCookies } from '../../../../src/cookie/live/live-cookies.js';
import { MemoryCookieStore } from '../../../../src/cookie/memory.js';
import { LENIENT } from '../../../../src/cookie/rules.js';
import type { CookieStore } from '../../../../src/cookie/store.js';
import { silentLogger } from '../../../../src/log/logger.js';
import { cookieId, cookieRecord, DELETED, JOE, MODIFIED, seededRandom } from '../../../support/cookie-store.js';
import { LentPlace } from '../../../support/lent-stores.js';
import { until } from '../../../support/until.js';

const [first, second, third] = [cookieId(1), cookieId(2), cookieId(3)];
const NOW = Date.parse('2026-11-21T00:00:00Z');

/** Each call begins, and ends, in another of the next turns. */
class Dawdler extends MemoryCookieStore {
  readonly #random: () => number;

  constructor(seed: number) {
    super();
    this.#random = seededRandom(seed);
  }

  async #dawdle(): Promise<void> {
    for (let turns = Math.floor(this.#random() * 4); turns > 0; turns -= 1) await turn();
  }

  override async get(...args: Parameters<CookieStore['get']>): ReturnType<CookieStore['get']> {
    await this.#dawdle();
    return super.get(...args);
  }

  override async rotate(...args: Parameters<CookieStore['rotate']>): ReturnType<CookieStore['rotate']> {
    await this.#dawdle();
    return super.rotate(...args);
  }

  override async update(...args: Parameters<CookieStore['update']>): ReturnType<CookieStore['update']> {
    await this.#dawdle();
    return super.update(...args);
  }

  override async delete(cbtid: string): ReturnType<CookieStore['delete']> {
    await this.#dawdle();
    return super.delete(cbtid);
  }
}

describe('three processes at one cookie', () => {
  const rounds = Array.from({ length: 30 }, (_, seed) => seed);

  it.each(rounds)('rotate: one is first, and a logout leaves nobody logged in, and no session (%i)', async (seed) => {
    const place = await LentPlace.with(() => new Dawdler(seed));
    const stores = [place.owner, await place.borrow(), await place.borrow()] as const;
    const live = stores.map((store) => {
      return new LiveCookies({ store, rules: LENIENT, clock: () => NOW, log: silentLogger() });
    });
    const [a, b, c] = stores;
    await a.create(cookieRecord(first, { auth: JOE, modified: MODIFIED }));
    const sessions = live.map((liveCookies) => {
      const liveCookie = liveCookies.enter(cookieRecord(first), { authid: 'derived', isCookieId: false });
      const dismiss = vi.fn();
      liveCookie.joined({ id: 1, dismiss });
      return dismiss;
    });
    const outcomes = await Promise.allSettled([
      a.rotate(first, second, DELETED),
      b.rotate(first, third, DELETED),
      c.update(first, { auth: { ...JOE, authrole: 'other' }, modified: DELETED }),
    ]);
    expect(outcomes.slice(0, 2).filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(CookieStoreError);
    }
    const records = await a.list();
    for (const store of stores) expect(await store.list()).toEqual(records);
    // A login that was acknowledged is the one that the successor has.
    const expected = outcomes[2].status === 'fulfilled' ? 'other' : JOE.authrole;
    expect(records.map(({ auth }) => auth?.authrole)).toEqual([expected]);

    const end = records[0]?.cbtid ?? '';
    const [inA, inB, inC] = live as [LiveCookies, LiveCookies, LiveCookies];
    await Promise.allSettled([inA.logOut(first), b.rotate(end, cookieId(4), DELETED), inC.setLogin(end, JOE)]);
    for (const store of stores) expect(await store.list()).toEqual([]);
    expect(await inB.find(end)).toBeUndefined();
    for (const dismiss of sessions) await until(() => expect(dismiss).toHaveBeenCalled());
    for (const liveCookies of live) liveCookies.close();
    await place.dispose();
  });

  it('of two logins and a logout, the logout is last, or the login is refused', async () => {
    const place = await LentPlace.with(() => new Dawdler(7));
    const [b, c] = [await place.borrow(), await place.borrow()];
    for (let n = 0; n < 30; n += 1) {
      const id = cookieId(n);
      await b.create(cookieRecord(id));
      const [login, , again] = await Promise.allSettled([
        b.update(id, { auth: JOE, modified: MODIFIED }),
        c.delete(id, DELETED),
        place.owner.update(id, { auth: JOE, modified: DELETED }),
      ]);
      for (const outcome of [login, again]) {
        if (outcome.status === 'rejected')
          expect(outcome.reason).toMatchObject({ message: 'this cookie is not known' });
      }
      for (const store of [place.owner, b, c]) expect(await store.get(id)).toBeUndefined();
    }
    await place.dispose();
  });

  it('take an id once', async () => {
    const place = await LentPlace.with(() => new MemoryCookieStore());
    const stores = [place.owner, await place.borrow(), await place.borrow()];
    const outcomes = await Promise.allSettled(stores.map((store) => store.create(cookieRecord(first))));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ message: 'this cookie id is taken' });
    }
    await place.dispose();
  });
});
