/**
 * A store of one process that several use: its own, and those to whom it is lent. It tells each of them who was logged out, as stores do that
 * several processes have open themselves, so that neither `LiveCookies` nor a borrower needs to know which kind it is.
 *
 *     rotate a -> b     b is known to have been a, as long as there is a b
 *     delete b          whoever has sessions under a or b is told of them
 */
import { OldestFirst } from '../oldest-first.js';
import { isForward, MAX_FORWARDS } from '../store.js';
import { Watchers } from '../watchers.js';
import type { Compaction, CookieChange, CookieEntry, CookieRecord, CookieStore, Here } from '../store.js';

/** How many of the known rotations are looked at with each new one: more than one, so that those of expired cookies go. */
const SWEPT_AT_ONCE = 2;

/** A store that has no `watch`, with one. */
export class WatchedStore implements CookieStore {
  /** The store itself. */
  readonly inner: CookieStore;
  readonly entries?: () => Promise<number>;
  readonly compact?: () => Promise<Compaction>;
  // current id -> those that it took the place of, the last one first; sessions may know the cookie by one of them
  readonly #earlier = new OldestFirst<string, readonly string[]>();
  readonly #watchers = new Watchers((cbtid) => this.#take(cbtid));
  // ids that are being deleted, and have not been told; how often
  readonly #leaving = new Map<string, number>();

  constructor(inner: CookieStore) {
    this.inner = inner;
    if (inner.entries !== undefined) this.entries = inner.entries.bind(inner);
    if (inner.compact !== undefined) this.compact = inner.compact.bind(inner);
  }

  open(): Promise<void> {
    return this.inner.open();
  }

  get(cbtid: string): Promise<CookieEntry | undefined> {
    return this.inner.get(cbtid);
  }

  create(record: CookieRecord): Promise<void> {
    return this.inner.create(record);
  }

  update(cbtid: string, change: CookieChange): Promise<CookieRecord> {
    return this.inner.update(cbtid, change);
  }

  async rotate(cbtid: string, successor: string, rotated: string, returned?: boolean): Promise<CookieRecord> {
    const moved = await this.inner.rotate(cbtid, successor, rotated, returned);
    const earlier = this.#earlier.get(cbtid) ?? [];
    this.#earlier.delete(cbtid);
    this.#earlier.set(successor, [cbtid, ...earlier].slice(0, MAX_FORWARDS));
    void this.#sweep();
    return moved;
  }

  async delete(cbtid: string, deleted: string, isTold = true): Promise<CookieEntry | undefined> {
    if (!isTold) return this.inner.delete(cbtid, deleted, false);
    this.#leaving.set(cbtid, (this.#leaving.get(cbtid) ?? 0) + 1);
    try {
      const entry = await this.inner.delete(cbtid, deleted, true);
      // What it was before is asked for when they are told: a rotation that came first may be noted a moment later.
      if (entry !== undefined) this.#watchers.gone([cbtid]);
      return entry;
    } finally {
      setImmediate(() => this.#left(cbtid));
    }
  }

  unreturned(): Promise<readonly string[]> {
    return this.inner.unreturned();
  }

  evict(cbtid: string): Promise<void> {
    return this.inner.evict(cbtid);
  }

  list(): Promise<readonly CookieRecord[]> {
    return this.inner.list();
  }

  watch(here: Here, onGone: (cbtid: string) => void): () => void {
    return this.#watchers.add(here, onGone);
  }

  close(): Promise<void> {
    this.#watchers.end();
    this.#earlier.clear();
    return this.inner.close();
  }

  /** All ids of a cookie that is gone. */
  #take(cbtid: string): readonly string[] {
    const earlier = this.#earlier.get(cbtid) ?? [];
    this.#earlier.delete(cbtid);
    return [cbtid, ...earlier];
  }

  #left(cbtid: string): void {
    const times = this.#leaving.get(cbtid) ?? 0;
    if (times > 1) this.#leaving.set(cbtid, times - 1);
    else this.#leaving.delete(cbtid);
  }

  /** The store forgets what has expired by itself. Never rejects. */
  async #sweep(): Promise<void> {
    for (let count = 0; count < SWEPT_AT_ONCE; count += 1) {
      const cbtid = this.#earlier.oldest(0);
      const earlier = cbtid === undefined ? undefined : this.#earlier.get(cbtid);
      if (cbtid === undefined || earlier === undefined) return;
      // To the young end, before others look.
      this.#earlier.delete(cbtid);
      this.#earlier.set(cbtid, earlier);
      const isOver = await this.#isOver(cbtid);
      if (isOver && !this.#leaving.has(cbtid) && this.#earlier.get(cbtid) === earlier) this.#earlier.delete(cbtid);
    }
  }

  async #isOver(cbtid: string): Promise<boolean> {
    try {
      const entry = await this.inner.get(cbtid);
      return entry === undefined || isForward(entry);
    } catch {
      // Nothing is known of it while the store fails. One that is being closed forgets them all.
      return false;
    }
  }
}
