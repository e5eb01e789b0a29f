/** What every cookie store promises (`src/cookie/store.ts`). A new store passes this suite, see `test/unit/cookie/contract.test.ts`. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { LiveCookies } from '../../src/cookie/live/live-cookies.js';
import { LENIENT } from '../../src/cookie/rules.js';
import { CookieStoreError } from '../../src/cookie/error.js';
import type { CookieRecord, CookieStore } from '../../src/cookie/store.js';
import { silentLogger } from '../../src/log/logger.js';
import { cookieId, cookieRecord, DELETED, JOE, MODIFIED, recordOf } from '../support/cookie-store.js';

/** Where the records of one test are kept. */
export interface StorePlace {
  /** @returns a new, unopened store on this place, as after a restart. */
  store(): CookieStore;
  /** Another process that has the same place open; only with the ability `shared`. */
  elsewhere?(): Promise<OtherProcess>;
  dispose(): Promise<void>;
}

export interface OtherProcess {
  /** Does `logout ID`, `expire ID` or `rotate ID SUCCESSOR`. */
  order(what: string): Promise<void>;
  end(): Promise<void>;
}

export interface StoreAbilities {
  /** Records survive `close` and a new `open`. */
  readonly persistent: boolean;
  /** Several processes can have the same place open at the same time. */
  readonly shared: boolean;
}

/** Not expired by the clock of any process, that of the suite or the real one. */
const ALIVE = { created: '2000-01-01T00:00:00.000Z', max_age: 4_000_000_000 };

export function cookieStoreContract(
  name: string,
  { persistent, shared }: StoreAbilities,
  factory: () => Promise<StorePlace>,
): void {
  describe(`cookie store ${name}`, () => {
    let place: StorePlace;
    let store: CookieStore;
    const [id, otherId] = [cookieId(1), cookieId(2)];

    beforeEach(async () => {
      place = await factory();
      store = place.store();
      await store.open();
    });
    afterEach(async () => {
      await store.close();
      await place.dispose();
    });

    /** The same place after a restart; the same store for those that forget. */
    async function reopened(): Promise<CookieStore> {
      if (persistent) {
        await store.close();
        store = place.store();
        await store.open();
      }
      return store;
    }

    it('does not know a cookie that nobody made', async () => {
      expect(await store.get(id)).toBeUndefined();
    });

    it('gives back what was created, to the letter', async () => {
      const record = cookieRecord(id);
      await store.create(record);
      expect(await store.get(id)).toEqual(record);
      expect(await (await reopened()).get(id)).toEqual(record);
      expect(await store.get(otherId)).toBeUndefined();
    });

    it('refuses to create an id twice and keeps the first', async () => {
      await store.create(cookieRecord(id));
      await expect(store.create(cookieRecord(id, { max_age: 1 }))).rejects.toBeInstanceOf(CookieStoreError);
      expect(await (await reopened()).get(id)).toEqual(cookieRecord(id));
    });

    it('of two creations of one id at once lets one through', async () => {
      const results = await Promise.allSettled([store.create(cookieRecord(id)), store.create(cookieRecord(id))]);
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    });

    it('attaches a login and takes it away', async () => {
      await store.create(cookieRecord(id));
      const withLogin = cookieRecord(id, { modified: MODIFIED, auth: JOE });
      expect(await store.update(id, { auth: JOE, modified: MODIFIED })).toEqual(withLogin);
      expect(await (await reopened()).get(id)).toEqual(withLogin);
      const without = cookieRecord(id, { modified: DELETED, auth: null });
      expect(await store.update(id, { auth: null, modified: DELETED })).toEqual(without);
      expect(await (await reopened()).get(id)).toEqual(without);
    });

    it('lets the login that is there already change nothing', async () => {
      await store.create(cookieRecord(id));
      expect(await store.update(id, { auth: null, modified: MODIFIED })).toEqual(cookieRecord(id));
      await store.update(id, { auth: JOE, modified: MODIFIED });
      expect(await store.update(id, { auth: { ...JOE }, modified: DELETED })).toMatchObject({ modified: MODIFIED });
    });

    it('keeps what a login was made with, over a rotation, too', async () => {
      const source = { provider: 'google', issuer: 'https://id.example', subject: '42', sid: 's', expires: MODIFIED };
      const auth = { ...JOE, credential: 'c0de', source };
      await store.create(cookieRecord(id));
      expect((await store.update(id, { auth, modified: MODIFIED })).auth).toEqual(auth);
      const successor = cookieId(77);
      expect((await store.rotate(id, successor, DELETED)).auth).toEqual(auth);
      expect((await recordOf(store, successor))?.auth).toEqual(auth);
      if (persistent) expect((await recordOf(await reopened(), successor))?.auth).toEqual(auth);
    });

    it('keeps its own copy of a login', async () => {
      const authextra = { devices: ['phone'] };
      await store.create(cookieRecord(id));
      await store.update(id, { auth: { ...JOE, authextra }, modified: MODIFIED });
      authextra.devices.push('stolen');
      const stored = (await recordOf(store, id))?.auth?.authextra;
      expect(stored).toEqual({ devices: ['phone'] });
      expect(() => (stored?.['devices'] as string[]).push('stolen')).toThrow(TypeError);
    });

    it('rejects a login for an unknown cookie, and one that is not JSON', async () => {
      await expect(store.update(id, { auth: JOE, modified: MODIFIED })).rejects.toBeInstanceOf(CookieStoreError);
      await store.create(cookieRecord(id));
      const unwritable = { ...JOE, authextra: { size: 10n } };
      await expect(store.update(id, { auth: unwritable, modified: MODIFIED })).rejects.toBeInstanceOf(CookieStoreError);
      expect(await store.get(id)).toEqual(cookieRecord(id));
    });

    it('tells what it has forgotten, and leaves the successor of a forward', async () => {
      await store.create(cookieRecord(id));
      const moved = await store.rotate(id, otherId, MODIFIED);
      expect(await store.delete(id, DELETED)).toEqual({ cbtid: id, moved_to: otherId, moved: MODIFIED });
      expect(await store.delete(id, DELETED)).toBeUndefined();
      expect(await (await reopened()).get(otherId)).toEqual(moved);
      expect(await store.delete(otherId, DELETED)).toEqual(moved);
      expect(await store.get(otherId)).toBeUndefined();
    });

    it('forgets a deleted cookie for good', async () => {
      await store.create(cookieRecord(id));
      await store.update(id, { auth: JOE, modified: MODIFIED });
      await store.delete(id, DELETED);
      expect(await store.get(id)).toBeUndefined();
      expect(await (await reopened()).get(id)).toBeUndefined();
      await expect(store.update(id, { auth: JOE, modified: MODIFIED })).rejects.toBeInstanceOf(CookieStoreError);
      await reopened();
      expect(await (await reopened()).get(id)).toBeUndefined();
    });

    it('notes when a browser was seen, apart from its login', async () => {
      await store.create(cookieRecord(id));
      expect(await store.update(id, { seen: MODIFIED })).toEqual(cookieRecord(id, { seen: MODIFIED }));
      const changed = cookieRecord(id, { seen: MODIFIED, modified: MODIFIED, auth: JOE });
      expect(await store.update(id, { auth: JOE, modified: MODIFIED })).toEqual(changed);
      expect(await store.update(id, { seen: DELETED })).toEqual({ ...changed, seen: DELETED });
      expect(await (await reopened()).get(id)).toEqual({ ...changed, seen: DELETED });
    });

    it('gives the record a new id on rotation, and leads from the old one to it', async () => {
      await store.create(cookieRecord(id));
      await store.update(id, { auth: JOE, modified: MODIFIED });
      await store.update(id, { seen: MODIFIED });
      const moved = cookieRecord(otherId, {
        modified: MODIFIED,
        auth: JOE,
        seen: MODIFIED,
        rotated: DELETED,
        returned: false,
      });
      expect(await store.rotate(id, otherId, DELETED)).toEqual(moved);
      const forward = { cbtid: id, moved_to: otherId, moved: DELETED };
      for (const use of [() => Promise.resolve(store), reopened]) {
        const each = await use();
        expect(await each.get(otherId)).toEqual(moved);
        expect(await each.get(id)).toEqual(forward);
        expect(await each.list()).toEqual([moved]);
      }
      const again = { ...moved, seen: DELETED };
      expect(await store.update(otherId, { seen: DELETED })).toEqual(again);
      expect(await (await reopened()).get(otherId)).toEqual(again);
    });

    it('rotates again and again: every old id knows its own successor', async () => {
      await store.create(cookieRecord(id));
      const third = cookieId(3);
      await Promise.all([store.rotate(id, otherId, MODIFIED), store.rotate(otherId, third, DELETED)]);
      await reopened();
      expect(await store.get(id)).toMatchObject({ moved_to: otherId });
      expect(await store.get(otherId)).toMatchObject({ moved_to: third });
      expect(await store.get(third)).toEqual(cookieRecord(third, { rotated: DELETED, returned: false }));
    });

    it('notes once that somebody came back with an id, and that nobody ever came with a replaced one', async () => {
      await store.create(cookieRecord(id, { returned: false }));
      expect(await (await reopened()).get(id)).toEqual(cookieRecord(id, { returned: false }));
      expect(await store.update(id, { returned: true })).toEqual(cookieRecord(id));
      expect(await (await reopened()).get(id)).toEqual(cookieRecord(id));
      await store.rotate(id, otherId, MODIFIED);
      await store.rotate(otherId, cookieId(3), DELETED, false);
      for (const use of [() => Promise.resolve(store), reopened]) {
        const each = await use();
        expect(await each.get(id)).toEqual({ cbtid: id, moved_to: otherId, moved: MODIFIED });
        const lost = { cbtid: otherId, moved_to: cookieId(3), moved: DELETED, returned: false };
        expect(await each.get(otherId)).toEqual(lost);
        expect(await each.get(cookieId(3))).toMatchObject({ returned: false });
      }
    });

    it('lets nobody use a replaced id any longer', async () => {
      await store.create(cookieRecord(id));
      await store.rotate(id, otherId, MODIFIED);
      const results = await Promise.allSettled([
        store.update(id, { auth: JOE, modified: DELETED }),
        store.update(id, { seen: DELETED }),
        store.rotate(id, cookieId(3), DELETED),
        store.create(cookieRecord(id)),
        store.create(cookieRecord(otherId)),
      ]);
      const refusal = { status: 'rejected', reason: expect.any(CookieStoreError) as unknown };
      expect(results).toEqual(Array.from({ length: 5 }, () => refusal));
      expect(await store.get(cookieId(3))).toBeUndefined();
      expect(await (await reopened()).get(otherId)).toEqual(
        cookieRecord(otherId, { rotated: MODIFIED, returned: false }),
      );
    });

    it('of two rotations of one id at once lets one through', async () => {
      await store.create(cookieRecord(id));
      const both = [store.rotate(id, otherId, MODIFIED), store.rotate(id, cookieId(3), MODIFIED)];
      expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
      expect((await store.list()).map(({ cbtid }) => cbtid)).toEqual([otherId]);
    });

    it('does not rotate to an id that is taken, nor from one that is unknown', async () => {
      await store.create(cookieRecord(id));
      await store.create(cookieRecord(otherId));
      for (const [from, to] of [
        [id, otherId],
        [id, id],
        [cookieId(3), cookieId(4)],
      ] as const) {
        await expect(store.rotate(from, to, MODIFIED)).rejects.toBeInstanceOf(CookieStoreError);
      }
      expect(await (await reopened()).get(id)).toEqual(cookieRecord(id));
      expect(await store.get(otherId)).toEqual(cookieRecord(otherId));
      expect(await store.get(cookieId(4))).toBeUndefined();
    });

    it('forgets a forward alone, and the record behind it alone', async () => {
      await store.create(cookieRecord(id));
      await store.rotate(id, otherId, MODIFIED);
      await store.delete(id, DELETED);
      expect(await (await reopened()).get(id)).toBeUndefined();
      expect(await store.get(otherId)).toMatchObject({ cbtid: otherId });
      await store.rotate(otherId, cookieId(3), MODIFIED);
      await store.delete(cookieId(3), DELETED);
      expect(await (await reopened()).get(cookieId(3))).toBeUndefined();
      expect(await store.get(otherId)).toEqual({ cbtid: otherId, moved_to: cookieId(3), moved: MODIFIED });
      expect(await store.list()).toEqual([]);
    });

    it('forgets what nobody came back with, and only that', async () => {
      const never = (n: number, change = {}): CookieRecord => cookieRecord(cookieId(n), { returned: false, ...change });
      const records = [never(1), cookieRecord(cookieId(2)), never(3), never(4), never(5, { created: DELETED })];
      for (const record of records) await store.create(record);
      await store.update(cookieId(3), { auth: JOE, modified: MODIFIED });
      await store.update(cookieId(4), { auth: JOE, modified: MODIFIED });
      await store.update(cookieId(4), { auth: null, modified: DELETED });
      await reopened();
      expect(await store.unreturned()).toEqual([cookieId(1), cookieId(5)]);
      for (let n = 0; n <= 5; n += 1) await store.evict(cookieId(n));
      const left = [...(await store.list())].map(({ cbtid }) => cbtid).sort();
      expect(left).toEqual([2, 3, 4].map((n) => cookieId(n)));
      expect(await store.unreturned()).toEqual([]);
      await expect(store.update(id, { returned: true })).rejects.toBeInstanceOf(CookieStoreError);
    });

    it('lists all records, also expired ones', async () => {
      const records = [1, 2, 3].map((n) => cookieRecord(cookieId(n), { max_age: n === 3 ? 1 : 604800 }));
      await Promise.all(records.map((record) => store.create(record)));
      await store.delete(cookieId(2), DELETED);
      const listed = [...(await (await reopened()).list())].sort((a, b) => (a.cbtid < b.cbtid ? -1 : 1));
      // A store may drop what is expired when it opens.
      expect(listed.filter(({ max_age }) => max_age > 1)).toEqual([records[0]]);
      if (!persistent) expect(listed).toEqual([records[0], records[2]]);
    });

    it('takes the deletion of an unknown cookie without complaint', async () => {
      await store.delete(id, DELETED);
      await store.create(cookieRecord(otherId));
      await Promise.all([store.delete(otherId, DELETED), store.delete(otherId, DELETED)]);
      expect(await store.get(otherId)).toBeUndefined();
    });

    it('takes changes of one cookie in order without waiting for each', async () => {
      const results = await Promise.allSettled([
        store.create(cookieRecord(id)),
        store.update(id, { auth: JOE, modified: MODIFIED }),
        store.delete(id, DELETED),
        store.update(id, { auth: JOE, modified: MODIFIED }),
      ]);
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
      expect(await (await reopened()).get(id)).toBeUndefined();
    });

    it('creates a thousand cookies at once', async () => {
      const ids = Array.from({ length: 1000 }, (_, n) => cookieId(n));
      await Promise.all(ids.map((each) => store.create(cookieRecord(each))));
      await reopened();
      const found = await Promise.all(ids.map((each) => store.get(each)));
      expect(found.map((record) => record?.cbtid)).toEqual(ids);
    });

    it('can be watched where processes share it, and only there', () => {
      expect(store.watch !== undefined).toBe(shared);
    });

    describe.runIf(shared)('another process', () => {
      let other: OtherProcess | undefined;
      beforeEach(async () => {
        other = await place.elsewhere?.();
      });
      afterEach(() => other?.end());

      it('is seen to log cookies out, also behind a new id, and to do nothing else', async () => {
        const ids = Array.from({ length: 6 }, (_, n) => cookieId(n));
        const [out, moved, successor, expired, unasked, last] = ids as [string, string, string, string, string, string];
        const withLogin = { ...ALIVE, modified: MODIFIED, auth: JOE };
        for (const each of [out, moved, expired, unasked, last]) await store.create(cookieRecord(each, withLogin));
        const told: string[] = [];
        const end = store.watch?.(
          () => [out, moved, expired, last],
          (cbtid) => void told.push(cbtid),
        );
        await other?.order(`rotate ${moved} ${successor}`);
        for (const order of [`logout ${out}`, `expire ${expired}`, `logout ${unasked}`]) await other?.order(order);
        await vi.waitFor(() => expect(told).toContain(out), { timeout: 30_000 });
        await other?.order(`logout ${successor}`);
        await vi.waitFor(() => expect(told).toContain(moved), { timeout: 30_000 });
        await other?.order(`logout ${last}`);
        await vi.waitFor(() => expect(told).toContain(last), { timeout: 30_000 });
        expect([...new Set(told)].sort()).toEqual([out, moved, last].sort());
        expect(await store.get(out)).toBeUndefined();
        end?.();
      });

      it('is not watched any longer than is asked for', async () => {
        await store.create(cookieRecord(id));
        await store.create(cookieRecord(otherId));
        const told: string[] = [];
        const [short, long] = [vi.fn(), (cbtid: string) => void told.push(cbtid)];
        store.watch?.(() => [id, otherId], short)();
        store.watch?.(() => [id, otherId], long);
        await other?.order(`logout ${id}`);
        await vi.waitFor(() => expect(told).toContain(id), { timeout: 30_000 });
        expect(short).not.toHaveBeenCalled();
      });

      it('ends the sessions of a cookie here with its logout, and those that come later stay', async () => {
        await store.create(cookieRecord(id, { ...ALIVE, modified: MODIFIED, auth: JOE }));
        await store.create(cookieRecord(otherId, ALIVE));
        const liveCookies = new LiveCookies({ store, rules: LENIENT, clock: Date.now, log: silentLogger() });
        const enter = (cbtid: string) => {
          const liveCookie = liveCookies.enter(cookieRecord(cbtid), { authid: 'derived', isCookieId: false });
          const session = { id: 1, dismiss: vi.fn() };
          liveCookie.joined(session);
          return { liveCookie, session };
        };
        const [mine, stranger] = [enter(id), enter(otherId)];
        await other?.order(`logout ${id}`);
        await vi.waitFor(
          () => expect(mine.session.dismiss).toHaveBeenCalledWith('wamp.close.logout', expect.any(String)),
          { timeout: 30_000 },
        );
        expect(await mine.liveCookie.login(id)).toBeUndefined();
        const anew = { id: 2, dismiss: vi.fn() };
        mine.liveCookie.joined(anew);
        await other?.order(`logout ${otherId}`);
        await vi.waitFor(() => expect(stranger.session.dismiss).toHaveBeenCalled(), { timeout: 30_000 });
        expect(anew.dismiss).not.toHaveBeenCalled();
        liveCookies.close();
      });
    });

    it('finishes what was asked before closing, closes twice, and refuses everything afterwards', async () => {
      const last = store.create(cookieRecord(id));
      await Promise.all([store.close(), store.close()]);
      await expect(last).resolves.toBeUndefined();
      await expect(store.get(id)).rejects.toBeInstanceOf(CookieStoreError);
      await expect(store.create(cookieRecord(otherId))).rejects.toBeInstanceOf(CookieStoreError);
      await expect(store.update(id, { auth: JOE, modified: MODIFIED })).rejects.toBeInstanceOf(CookieStoreError);
      await expect(store.delete(id, DELETED)).rejects.toBeInstanceOf(CookieStoreError);
      await expect(store.rotate(id, otherId, MODIFIED)).rejects.toBeInstanceOf(CookieStoreError);
      await expect(store.list()).rejects.toBeInstanceOf(CookieStoreError);
      if (persistent) expect(await (await reopened()).get(id)).toEqual(cookieRecord(id));
    });
  });
}
