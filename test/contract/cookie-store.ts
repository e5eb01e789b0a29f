/** What every cookie store promises (`src/cookie/store.ts`). A new store passes this suite, see `test/unit/cookie/contract.test.ts`. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { CookieStoreError } from '../../src/cookie/store.js';
import type { CookieStore } from '../../src/cookie/store.js';
import { cookieId, cookieRecord, DELETED, JOE, MODIFIED } from '../support/cookie-store.js';

/** Where the records of one test are kept. */
export interface StorePlace {
  /** @returns a new, unopened store on this place, as after a restart. */
  store(): CookieStore;
  dispose(): Promise<void>;
}

export interface StoreAbilities {
  /** Records survive `close` and a new `open`. */
  readonly persistent: boolean;
}

export function cookieStoreContract(
  name: string,
  { persistent }: StoreAbilities,
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
      expect(await store.setAuth(id, JOE, MODIFIED)).toEqual(withLogin);
      expect(await (await reopened()).get(id)).toEqual(withLogin);
      const without = cookieRecord(id, { modified: DELETED, auth: null });
      expect(await store.setAuth(id, null, DELETED)).toEqual(without);
      expect(await (await reopened()).get(id)).toEqual(without);
    });

    it('lets the login that is there already change nothing', async () => {
      await store.create(cookieRecord(id));
      expect(await store.setAuth(id, null, MODIFIED)).toEqual(cookieRecord(id));
      await store.setAuth(id, JOE, MODIFIED);
      expect(await store.setAuth(id, { ...JOE }, DELETED)).toMatchObject({ modified: MODIFIED });
    });

    it('keeps its own copy of a login', async () => {
      const authextra = { devices: ['phone'] };
      await store.create(cookieRecord(id));
      await store.setAuth(id, { ...JOE, authextra }, MODIFIED);
      authextra.devices.push('stolen');
      const stored = (await store.get(id))?.auth?.authextra;
      expect(stored).toEqual({ devices: ['phone'] });
      expect(() => (stored?.['devices'] as string[]).push('stolen')).toThrow(TypeError);
    });

    it('rejects a login for an unknown cookie, and one that is not JSON', async () => {
      await expect(store.setAuth(id, JOE, MODIFIED)).rejects.toBeInstanceOf(CookieStoreError);
      await store.create(cookieRecord(id));
      const unwritable = { ...JOE, authextra: { size: 10n } };
      await expect(store.setAuth(id, unwritable, MODIFIED)).rejects.toBeInstanceOf(CookieStoreError);
      expect(await store.get(id)).toEqual(cookieRecord(id));
    });

    it('forgets a deleted cookie for good', async () => {
      await store.create(cookieRecord(id));
      await store.setAuth(id, JOE, MODIFIED);
      await store.delete(id, DELETED);
      expect(await store.get(id)).toBeUndefined();
      expect(await (await reopened()).get(id)).toBeUndefined();
      await expect(store.setAuth(id, JOE, MODIFIED)).rejects.toBeInstanceOf(CookieStoreError);
      await reopened();
      expect(await (await reopened()).get(id)).toBeUndefined();
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
        store.setAuth(id, JOE, MODIFIED),
        store.delete(id, DELETED),
        store.setAuth(id, JOE, MODIFIED),
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

    it('finishes what was asked before closing, closes twice, and refuses everything afterwards', async () => {
      const last = store.create(cookieRecord(id));
      await Promise.all([store.close(), store.close()]);
      await expect(last).resolves.toBeUndefined();
      await expect(store.get(id)).rejects.toBeInstanceOf(CookieStoreError);
      await expect(store.create(cookieRecord(otherId))).rejects.toBeInstanceOf(CookieStoreError);
      await expect(store.setAuth(id, JOE, MODIFIED)).rejects.toBeInstanceOf(CookieStoreError);
      await expect(store.delete(id, DELETED)).rejects.toBeInstanceOf(CookieStoreError);
      if (persistent) expect(await (await reopened()).get(id)).toEqual(cookieRecord(id));
    });
  });
}
