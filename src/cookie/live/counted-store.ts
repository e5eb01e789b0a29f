/** A cookie store that counts what is done with it. It changes nothing of it. */
import { CookieStoreError } from '../error.js';
import type { CookieCounts } from '../../metrics/cookie-counts.js';
import type { Compaction, CookieChange, CookieEntry, CookieRecord, CookieStore } from '../store.js';

/** A store, and the counts of it. */
export class CountedStore implements CookieStore {
  readonly #store: CookieStore;
  readonly #counts: CookieCounts;
  readonly watch?: NonNullable<CookieStore['watch']>;
  readonly latest?: NonNullable<CookieStore['latest']>;
  readonly compact?: () => Promise<Compaction>;

  constructor(store: CookieStore, counts: CookieCounts) {
    this.#store = store;
    this.#counts = counts;
    if (store.watch !== undefined) this.watch = store.watch.bind(store);
    const latest = store.latest?.bind(store);
    if (latest !== undefined) this.latest = (cbtid) => this.#watched(latest(cbtid));
    const compact = store.compact?.bind(store);
    if (compact !== undefined) this.compact = () => this.#watched(compact());
  }

  open(): Promise<void> {
    return this.#store.open();
  }

  get(cbtid: string): Promise<CookieEntry | undefined> {
    return this.#watched(this.#store.get(cbtid));
  }

  async create(record: CookieRecord): Promise<void> {
    await this.#watched(this.#store.create(record));
    this.#counts.created += 1;
    if (record.auth !== null) this.#counts.logins += 1;
  }

  async update(cbtid: string, change: CookieChange): Promise<CookieRecord> {
    const record = await this.#watched(this.#store.update(cbtid, change));
    if ('auth' in change && change.auth !== null) this.#counts.logins += 1;
    return record;
  }

  rotate(cbtid: string, successor: string, rotated: string, returned?: boolean): Promise<CookieRecord> {
    return this.#watched(this.#store.rotate(cbtid, successor, rotated, returned));
  }

  delete(cbtid: string, deleted: string, isTold?: boolean): Promise<CookieEntry | undefined> {
    return this.#watched(this.#store.delete(cbtid, deleted, isTold));
  }

  unreturned(): Promise<readonly string[]> {
    return this.#watched(this.#store.unreturned());
  }

  evict(cbtid: string): Promise<void> {
    return this.#watched(this.#store.evict(cbtid));
  }

  list(): Promise<readonly CookieRecord[]> {
    return this.#watched(this.#store.list());
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  /** @returns the promise as it is: nobody waits longer for it. */
  #watched<T>(done: Promise<T>): Promise<T> {
    done.catch((error: unknown) => {
      // An error without a cause: the store works, and refuses what was asked.
      if (!(error instanceof CookieStoreError) || error.cause !== undefined) this.#counts.failures += 1;
    });
    return done;
  }
}
