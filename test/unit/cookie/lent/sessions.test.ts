/** What the sessions of one process notice of what another one does to a store that both use: as with two nodes and one database. */
import { describe, expect, it, vi } from 'vitest';

import { FileCookieStore } from '../../../../src/cookie/file/store.js';
import { LiveCookies } from '../../../../src/cookie/live/live-cookies.js';
import type { LiveCookie } from '../../../../src/cookie/live/live-cookie.js';
import { MemoryCookieStore } from '../../../../src/cookie/memory.js';
import { LENIENT } from '../../../../src/cookie/rules.js';
import type { CookieRules } from '../../../../src/cookie/rules.js';
import type { CookieRecord, CookieStore } from '../../../../src/cookie/store.js';
import { silentLogger } from '../../../../src/log/logger.js';
import { cookieId, cookieRecord, CREATED, JOE, MODIFIED, recordOf } from '../../../support/cookie-store.js';
import { LentPlace } from '../../../support/lent-stores.js';
import { until } from '../../../support/until.js';

const [ID, SECOND, THIRD] = [cookieId(1), cookieId(2), cookieId(3)];
const NOW = Date.parse(CREATED) + 60_000;

interface Side {
  readonly store: CookieStore;
  readonly liveCookies: LiveCookies;
}

function sideOf(store: CookieStore, rules: Partial<CookieRules> = {}): Side {
  const all = { ...LENIENT, ...rules };
  return { store, liveCookies: new LiveCookies({ store, rules: all, clock: () => NOW, log: silentLogger() }) };
}

/** Opens a connection under a cookie, with a session. */
function enter(
  { liveCookies }: Side,
  record: CookieRecord,
): { liveCookie: LiveCookie; dismiss: ReturnType<typeof vi.fn> } {
  const liveCookie = liveCookies.enter(record, { authid: 'derived', isCookieId: false });
  const dismiss = vi.fn();
  liveCookie.joined({ id: 1, dismiss });
  return { liveCookie, dismiss };
}

const KINDS: readonly (readonly [string, (directory: string) => CookieStore])[] = [
  ['in memory', () => new MemoryCookieStore()],
  [
    'in a file',
    (directory) =>
      new FileCookieStore(
        { filename: `${directory}/cookies.dat`, purge: false },
        { log: silentLogger(), clock: () => NOW },
      ),
  ],
];

/** Who does something, and who notices. */
const FROM_THE_OWNER = ['the owner', 'a borrower'] as const;
const ROADS: readonly (readonly [string, string])[] = [
  FROM_THE_OWNER,
  ['a borrower', 'the owner'],
  ['a borrower', 'another borrower'],
];

describe.each(KINDS)('a lent store %s', (_name, make) => {
  async function withSides(
    road: readonly [string, string],
    use: (doer: Side, other: Side) => Promise<void>,
    rules: Partial<CookieRules> = {},
  ): Promise<void> {
    const place = await LentPlace.with(make);
    try {
      const [doer, other] = await Promise.all(
        road.map(async (who) => sideOf(who === 'the owner' ? place.owner : await place.borrow(), rules)),
      );
      if (doer === undefined || other === undefined) throw new TypeError('two sides');
      await use(doer, other);
      for (const { liveCookies } of [doer, other]) liveCookies.close();
    } finally {
      await place.dispose();
    }
  }

  describe.each(ROADS)('%s does it, %s notices', (...road) => {
    it('ends the sessions of a cookie that is logged out, and no others', () =>
      withSides(road, async (doer, other) => {
        await doer.liveCookies.create(cookieRecord(ID, { auth: JOE, modified: MODIFIED }));
        await doer.liveCookies.create(cookieRecord(SECOND, { auth: JOE, modified: MODIFIED }));
        const [mine, stranger] = [enter(other, cookieRecord(ID)), enter(other, cookieRecord(SECOND))];
        expect(await doer.liveCookies.logOut(ID)).toBe(true);
        await until(() => expect(mine.dismiss).toHaveBeenCalledWith('wamp.close.logout', expect.any(String)));
        expect(await mine.liveCookie.login(ID)).toBeUndefined();
        expect(await stranger.liveCookie.login(SECOND)).toEqual(JOE);
        expect(stranger.dismiss).not.toHaveBeenCalled();
      }));

    it('ends the sessions of a cookie that was logged out under later ids', () =>
      withSides(road, async (doer, other) => {
        await doer.liveCookies.create(cookieRecord(ID, { auth: JOE, modified: MODIFIED }));
        const mine = enter(other, cookieRecord(ID));
        expect(await doer.liveCookies.rotate(ID, SECOND)).toMatchObject({ cbtid: SECOND });
        expect(await mine.liveCookie.login(ID)).toBe('outdated');
        await doer.liveCookies.setLogin(SECOND, { ...JOE, authid: 'mary' });
        expect(await doer.liveCookies.rotate(SECOND, THIRD)).toMatchObject({ cbtid: THIRD });
        expect(mine.dismiss).not.toHaveBeenCalled();
        expect(await doer.liveCookies.logOut(THIRD)).toBe(true);
        await until(() => expect(mine.dismiss).toHaveBeenCalled());
      }));

    it('ends its own sessions that know the cookie by the id before that of the other', () =>
      withSides(road, async (doer, other) => {
        await doer.liveCookies.create(cookieRecord(ID, { auth: JOE, modified: MODIFIED }));
        const mine = enter(doer, cookieRecord(ID));
        expect(await other.liveCookies.rotate(ID, SECOND)).toMatchObject({ cbtid: SECOND });
        // Another browser tab, with the new id: the first one is under the old one here.
        expect(await doer.liveCookies.logOut(SECOND)).toBe(true);
        await until(() => expect(mine.dismiss).toHaveBeenCalled());
      }));

    it('knows a login at once, and that it was taken away', () =>
      withSides(road, async (doer, other) => {
        await other.liveCookies.create(cookieRecord(ID));
        const there = enter(other, cookieRecord(ID));
        expect(await doer.liveCookies.setLogin(ID, JOE)).toBe(true);
        expect(await there.liveCookie.login(ID)).toEqual(JOE);
        expect(await doer.liveCookies.setLogin(ID, null)).toBe(true);
        expect(await there.liveCookie.login(ID)).toBeUndefined();
        expect(there.dismiss).not.toHaveBeenCalled();
      }));

    it('knows a new id, lets the old one in for a while, and both out when it comes later', () =>
      withSides(road, async (doer, other) => {
        await doer.liveCookies.create(cookieRecord(ID, { auth: JOE, modified: MODIFIED }));
        const mine = enter(other, cookieRecord(ID));
        const moved = await doer.liveCookies.rotate(ID, SECOND);
        expect(await other.liveCookies.recognise(ID, 30_000)).toMatchObject({ record: moved, standing: 'replaced' });
        expect(await other.liveCookies.recognise(SECOND, 30_000)).toMatchObject({ record: moved, standing: 'current' });
        expect(await other.liveCookies.rotate(ID, THIRD)).toBeUndefined();
        await doer.liveCookies.noteReturn(cookieRecord(SECOND, { rotated: MODIFIED }));
        const late = await other.liveCookies.recognise(ID, 0);
        expect(late).toMatchObject({ standing: 'reused' });
        if (late !== undefined) await other.liveCookies.expose(ID, late.record);
        await until(() => expect(mine.dismiss).toHaveBeenCalled());
        expect(await doer.liveCookies.find(SECOND)).toBeUndefined();
      }));

    it('notes that a cookie is in use', () =>
      withSides(
        road,
        async (doer, other) => {
          await other.liveCookies.create(cookieRecord(ID));
          doer.liveCookies.noteUse(ID);
          const seen = new Date(NOW).toISOString();
          await until(async () => expect(await recordOf(other.store, ID)).toMatchObject({ seen }));
        },
        { idleMs: 60_000 },
      ));

    it('counts cookies with which nobody came back together, and spares those with which somebody did', () =>
      withSides(
        road,
        async (doer, other) => {
          const fresh = (n: number): CookieRecord => cookieRecord(cookieId(n), { returned: false });
          for (const n of [1, 2, 3]) await other.store.create(fresh(n));
          await other.liveCookies.noteReturn(fresh(1));
          await until(async () => expect(await recordOf(doer.store, ID)).toMatchObject({ returned: true }));
          // The first new cookie at which it counts: those of the other are there.
          await doer.liveCookies.create(fresh(4));
          await until(async () => {
            const left = (await other.store.list()).map(({ cbtid }) => cbtid);
            expect(left.sort()).toEqual([1, 3, 4].map(cookieId));
          });
        },
        { maxUnreturned: 2 },
      ));
  });

  it('says nothing of what has expired', () =>
    withSides(FROM_THE_OWNER, async (doer, other) => {
      const expired = cookieRecord(ID, { max_age: 1 });
      await doer.store.create(expired);
      await doer.store.create(cookieRecord(SECOND));
      const [mine, last] = [enter(other, expired), enter(other, cookieRecord(SECOND))];
      // It is deleted because it has expired, which each process finds by itself.
      expect(await doer.liveCookies.find(ID)).toBeUndefined();
      await until(async () => expect(await doer.store.get(ID)).toBeUndefined());
      await doer.liveCookies.logOut(SECOND);
      await until(() => expect(last.dismiss).toHaveBeenCalled());
      expect(mine.dismiss).not.toHaveBeenCalled();
    }));
});
