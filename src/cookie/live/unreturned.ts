/**
 * The cookies that no browser has come back with yet, oldest first. Every request without a cookie gets a new one, so a client could
 * fill the store; therefore the oldest of these cookies make way for new ones. A cookie that a browser came back with, that had
 * a login, or that has an open connection stays. The store checks again, because another process may know better.
 */
import { OldestFirst } from '../oldest-first.js';
import type { RepeatedLog } from '../../log/repeated.js';
import type { CookieStore } from '../store.js';

/** How many of the oldest make way for one new cookie: more than one, so that those that a crash brought back go soon. */
const FORGOTTEN_PER_NEW = 16;

export interface UnreturnedDeps {
  readonly store: CookieStore;
  /** How many there may be; `Infinity` for no limit. */
  readonly max: number;
  readonly log: RepeatedLog;
  /** Whether a cookie has an open connection. */
  readonly isHere: (cbtid: string) => boolean;
}

/** Keeps the number of cookies that no browser came back with below a limit. */
export class Unreturned {
  readonly #deps: UnreturnedDeps;
  readonly #ids = new OldestFirst<string, true>();
  // the store is asked for those of earlier runs with the first new cookie
  #loading: Promise<void> | undefined;
  #isLoaded = false;

  constructor(deps: UnreturnedDeps) {
    this.#deps = deps;
  }

  /** A cookie was made. */
  add(cbtid: string): void {
    this.#ids.set(cbtid, true);
    if (this.#isLoaded) this.#makeRoom();
    else this.#loading ??= this.#load();
  }

  /** A browser came back with it, or logged in under it; or it is gone. */
  remove(cbtid: string): void {
    this.#ids.delete(cbtid);
  }

  async #load(): Promise<void> {
    try {
      const stored = await this.#deps.store.unreturned();
      const young = [...this.#ids.keys()];
      this.#ids.clear();
      for (const cbtid of stored) this.#ids.set(cbtid, true);
      for (const cbtid of young) this.#ids.set(cbtid, true);
      this.#isLoaded = true;
      this.#makeRoom();
    } catch (err) {
      this.#loading = undefined;
      this.#deps.log.say('warn', { err }, 'cookies with which nobody came back could not be counted');
    }
  }

  #makeRoom(): void {
    for (let looked = 0; looked < FORGOTTEN_PER_NEW && this.#ids.size > this.#deps.max; looked += 1) {
      const cbtid = this.#ids.oldest(0);
      if (cbtid === undefined) return;
      this.#ids.delete(cbtid);
      if (this.#deps.isHere(cbtid)) this.#ids.set(cbtid, true);
      else this.#forget(cbtid);
    }
  }

  #forget(cbtid: string): void {
    const { store, max, log } = this.#deps;
    log.say(
      'warn',
      {
        max_unreturned: max,
        remedy: 'raise max_unreturned, or put the cookie section on the WebSocket path only',
      },
      'more cookies than max_unreturned: the oldest with which nobody came back are forgotten',
    );
    store.evict(cbtid).catch((err: unknown) => {
      log.say('warn', { err }, 'cookies with which nobody came back could not be forgotten');
    });
  }
}
