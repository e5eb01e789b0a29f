/**
 * Whether a cookie store takes new cookies. It knows that from those who need one: the first failure is noted, and so is the next
 * success. A node that fails is sent nobody any more by its load balancer, so nobody would ever notice that the store is well again:
 * whoever asks has it tried, with a cookie that nobody gets.
 */
import { drawBytes } from '../../system/random.js';
import { CookieStoreError } from '../error.js';
import { isoTime } from '../time.js';
import type { CookieRecord, CookieStore } from '../store.js';

/** A store that fails is tried no more often than that. */
const RETRY_MS = 1000;

/** Watches the new cookies of a store. */
export class StoreHealth {
  readonly #store: Pick<CookieStore, 'create' | 'delete'>;
  readonly #clock: () => number;
  #hasFailed = false;
  /** When it was last tried for the sake of it, in milliseconds since 1970. */
  #triedMs = -Infinity;

  /** @param clock milliseconds since 1970. */
  constructor(store: Pick<CookieStore, 'create' | 'delete'>, clock: () => number) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Whether the last new cookie could not be stored. If so, the store is tried: who asks later hears how that went. */
  get isFailing(): boolean {
    if (this.#hasFailed) this.#tryAgain();
    return this.#hasFailed;
  }

  /**
   * Stores a new cookie. Resolves when that is durable.
   * @throws CookieStoreError (rejects) as the store does.
   */
  async create(record: CookieRecord): Promise<void> {
    try {
      await this.#store.create(record);
      this.#hasFailed = false;
    } catch (error) {
      // Without a cause the store works, and refuses what was asked.
      if (error instanceof CookieStoreError && error.cause !== undefined) this.#hasFailed = true;
      throw error;
    }
  }

  #tryAgain(): void {
    const nowMs = this.#clock();
    // The clock may have been set back.
    if (Math.abs(nowMs - this.#triedMs) < RETRY_MS) return;
    this.#triedMs = nowMs;
    const created = isoTime(nowMs);
    const cbtid = drawBytes(24).toString('base64');
    const dates = { created, modified: null, seen: null, rotated: null };
    const record = { cbtid, ...dates, max_age: 1, auth: null, returned: false };
    this.create(record)
      .then(() => this.#store.delete(cbtid, created, false))
      // It fails as before. Where only the deletion did, the cookie is over in a second.
      .catch(() => undefined);
  }
}
