/**
 * Logouts, from the call to the store. A logout holds in this process at once. When the store cannot take it, it is tried again
 * until the store can.
 *
 *     begun --stored--> done          nothing is kept here
 *     begun --the store fails--> owed --after a while--> done, or owed again
 */
import { shortId } from '../../log/logger.js';
import { isForward } from '../store.js';
import type { Logger } from '../../log/logger.js';
import type { CookieQueue } from './cookie-queue.js';
import type { LiveSession } from './live-cookie.js';
import type { CookieStore } from '../store.js';

/** How long until a logout that could not be stored is tried again, in milliseconds. */
const RETRY_MS = 5000;

export interface PendingLogoutsDeps {
  readonly store: CookieStore;
  /** The changes of the cookies of the store. */
  readonly queue: CookieQueue;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: Logger;
  /** Ends the sessions of this process under an id. */
  readonly endHere: (cbtid: string, except?: LiveSession) => void;
}

/** Logs out the cookies of one store, and knows the logouts that are not stored yet. */
export class PendingLogouts {
  readonly #deps: PendingLogoutsDeps;
  // ids that are logged out and may still be in the store
  readonly #dead = new Set<string>();
  // those of them that the store could not delete
  readonly #owed = new Set<string>();
  #retry: NodeJS.Timeout | undefined;

  constructor(deps: PendingLogoutsDeps) {
    this.#deps = deps;
  }

  /** Whether an id is logged out, and that is not stored yet. */
  has(cbtid: string): boolean {
    return this.#dead.has(cbtid);
  }

  /** See `LiveCookies.logOut`. */
  async logOut(cbtid: string, except?: LiveSession): Promise<boolean> {
    const ids = new Set([cbtid]);
    this.#begin(cbtid, except);
    return this.#settle(ids, () =>
      this.#deps.queue.take(cbtid, async (record) => {
        if (record === undefined) return false;
        // The cookie may have got another id meanwhile.
        ids.add(record.cbtid);
        this.#begin(record.cbtid, except);
        // Another process may give it a new one until the very last moment.
        await this.#erase(ids, except);
        return true;
      }),
    );
  }

  /** From now on an id counts as logged out. */
  #begin(cbtid: string, except: LiveSession | undefined): void {
    this.#dead.add(cbtid);
    this.#deps.endHere(cbtid, except);
  }

  /**
   * Runs what stores a logout. When it rejects, the logout is owed.
   * @param ids what is logged out; `work` may add to it.
   */
  async #settle<T>(ids: ReadonlySet<string>, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      for (const id of ids) this.#owed.add(id);
      const [cookieId = ''] = ids;
      this.#deps.log.error(
        { cookieId: shortId(cookieId), err: error },
        'logout could not be stored; it holds until the node stops',
      );
      this.#retryLater();
      throw error;
    } finally {
      for (const id of ids) if (!this.#owed.has(id)) this.#dead.delete(id);
    }
  }

  /**
   * Deletes ids from the store, and the ids that have taken their places, which are added to `ids`.
   * @param except the session that asked for the logout: it ends in its own way.
   * @throws CookieStoreError (rejects) when the store fails.
   */
  async #erase(ids: Set<string>, except?: LiveSession): Promise<void> {
    for (const id of ids) {
      const entry = await this.#deps.store.delete(id, new Date(this.#deps.clock()).toISOString());
      if (entry === undefined || !isForward(entry) || ids.has(entry.moved_to)) continue;
      ids.add(entry.moved_to);
      this.#begin(entry.moved_to, except);
    }
  }

  /** Stops trying. */
  close(): void {
    clearTimeout(this.#retry);
  }

  #retryLater(): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      for (const cbtid of this.#owed) this.#payUp(cbtid);
    }, RETRY_MS).unref();
  }

  #payUp(cbtid: string): void {
    const ids = new Set([cbtid]);
    this.#erase(ids).then(
      () => {
        for (const id of ids) {
          this.#owed.delete(id);
          this.#dead.delete(id);
        }
        this.#deps.log.info({ cookieId: shortId(cbtid) }, 'logout stored after all');
      },
      () => {
        for (const id of ids) this.#owed.add(id);
        this.#retryLater();
      },
    );
  }
}
