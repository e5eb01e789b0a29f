/** Keeps cookies in memory: all browsers are strangers again after a restart. Its contract is in `store.ts`. */
import { ownChange, ownRecord, unreturnedIds, withChange } from './record-copy.js';
import { oldestExpired } from './expiry.js';
import { OldestFirst } from './oldest-first.js';
import { forwardTo, sweepForwards } from './forwards.js';
import { CookieStoreError } from './error.js';
import { isUnreturned } from './store.js';
import { msOf } from './time.js';
import type { CookieStoreType } from './store-type.js';
import type { CookieChange, CookieEntry, CookieForward, CookieRecord, CookieStore } from './store.js';

export const memoryStore: CookieStoreType<'memory'> = {
  type: 'memory',
  create: () => new MemoryCookieStore(),
};

/** The store type `memory`. */
export class MemoryCookieStore implements CookieStore {
  // An id is in one of the two at most. Records are in the order of creation or, where it is kept, of the last visit.
  readonly #records = new OldestFirst<string, CookieRecord>();
  readonly #forwards = new Map<string, CookieForward>();
  #closed = false;

  open(): Promise<void> {
    return Promise.resolve();
  }

  get(cbtid: string): Promise<CookieEntry | undefined> {
    return this.#answer(() => this.#at(cbtid));
  }

  create(record: CookieRecord): Promise<void> {
    return this.#answer(() => {
      this.#add(ownRecord(record));
      // The time is that of the new record, because a store keeps no clock.
      for (const old of oldestExpired(this.#records, msOf(record.created))) this.#records.delete(old);
      sweepForwards(this.#forwards, this.#at);
    });
  }

  update(cbtid: string, change: CookieChange): Promise<CookieRecord> {
    return this.#answer(() => {
      const record = this.#known(cbtid);
      const changed = withChange(record, ownChange(change));
      if (changed.seen !== record.seen) this.#records.delete(cbtid); // to the young end
      this.#records.set(cbtid, changed);
      return changed;
    });
  }

  rotate(cbtid: string, successor: string, rotated: string, returned = true): Promise<CookieRecord> {
    return this.#answer(() => {
      const moved = { ...this.#known(cbtid), cbtid: successor, rotated, returned: false };
      this.#add(moved);
      this.#records.delete(cbtid);
      this.#forwards.set(cbtid, forwardTo(moved, cbtid, returned));
      sweepForwards(this.#forwards, this.#at);
      return moved;
    });
  }

  delete(cbtid: string): Promise<CookieEntry | undefined> {
    return this.#answer(() => {
      const entry = this.#records.get(cbtid) ?? this.#forwards.get(cbtid);
      this.#records.delete(cbtid);
      this.#forwards.delete(cbtid);
      return entry;
    });
  }

  unreturned(): Promise<readonly string[]> {
    return this.#answer(() => unreturnedIds(this.#records.values()));
  }

  evict(cbtid: string): Promise<void> {
    return this.#answer(() => {
      const record = this.#records.get(cbtid);
      if (record !== undefined && isUnreturned(record)) this.#records.delete(cbtid);
    });
  }

  entries(): Promise<number> {
    return this.#answer(() => this.#records.size);
  }

  list(): Promise<readonly CookieRecord[]> {
    return this.#answer(() => [...this.#records.values()]);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#records.clear();
    this.#forwards.clear();
    return Promise.resolve();
  }

  readonly #at = (cbtid: string): CookieEntry | undefined => this.#records.get(cbtid) ?? this.#forwards.get(cbtid);

  #known(cbtid: string): CookieRecord {
    const record = this.#records.get(cbtid);
    if (record === undefined) throw new CookieStoreError('this cookie is not known');
    return record;
  }

  #add(record: CookieRecord): void {
    const { cbtid } = record;
    if (this.#records.has(cbtid) || this.#forwards.has(cbtid)) throw new CookieStoreError('this cookie id is taken');
    this.#records.set(cbtid, record);
  }

  // An async function so that what `work` throws becomes a rejection.
  // eslint-disable-next-line @typescript-eslint/require-await
  async #answer<T>(work: () => T): Promise<T> {
    if (this.#closed) throw new CookieStoreError('the cookie store is closed');
    return work();
  }
}
