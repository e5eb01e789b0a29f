/**
 * Keeps cookies in memory: everybody is a stranger again after a restart. Answers at once; what it promises otherwise
 * is in `store.ts`.
 */
import { ownAuth, withAuth } from './auth-value.js';
import { oldestExpired } from './expiry.js';
import { CookieStoreError } from './store.js';
import type { CookieStoreType } from './store-type.js';
import type { CookieAuth, CookieRecord, CookieStore } from './store.js';

export const memoryStore: CookieStoreType<'memory'> = {
  type: 'memory',
  create: () => new MemoryCookieStore(),
};

/** The store type `memory`. */
export class MemoryCookieStore implements CookieStore {
  readonly #records = new Map<string, CookieRecord>();
  #closed = false;

  open(): Promise<void> {
    return Promise.resolve();
  }

  get(cbtid: string): Promise<CookieRecord | undefined> {
    return this.#answer(() => this.#records.get(cbtid));
  }

  create(record: CookieRecord): Promise<void> {
    return this.#answer(() => {
      if (this.#records.has(record.cbtid)) throw new CookieStoreError('this cookie id is taken');
      this.#records.set(record.cbtid, { ...record, auth: ownAuth(record.auth) });
      // The time of day is the new record's own: a store keeps no clock.
      for (const old of oldestExpired(this.#records, Date.parse(record.created))) this.#records.delete(old);
    });
  }

  setAuth(cbtid: string, auth: CookieAuth | null, modified: string): Promise<CookieRecord> {
    return this.#answer(() => {
      const record = this.#records.get(cbtid);
      if (record === undefined) throw new CookieStoreError('this cookie is not known');
      const changed = withAuth(record, auth, modified);
      this.#records.set(cbtid, changed);
      return changed;
    });
  }

  delete(cbtid: string): Promise<void> {
    return this.#answer(() => {
      this.#records.delete(cbtid);
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#records.clear();
    return Promise.resolve();
  }

  // An async function so that what `work` throws becomes a rejection.
  // eslint-disable-next-line @typescript-eslint/require-await
  async #answer<T>(work: () => T): Promise<T> {
    if (this.#closed) throw new CookieStoreError('the cookie store is closed');
    return work();
  }
}
