/**
 * The cookies with which nobody has come back yet, oldest first. Whoever asks without a cookie gets one, as often as he
 * likes; so the oldest of these make way for new ones. It never touches a cookie with which somebody came back, that had a login,
 * or that has an open connection; the store looks once more, because another process may know better.
 */
import { OldestFirst } from '../oldest-first.js';
import type { RepeatedLog } from '../../log/repeated.js';
import type { CookieStore } from '../store.js';

/** How many of the oldest make way for one new cookie: more than one, so that what a crash brought back goes soon. */
const FORGOTTEN_PER_NEW = 16;

export interface UnreturnedDeps {
  readonly store: CookieStore;
  /** How many there may be; `Infinity` for no limit. */
  readonly max: number;
  readonly log: RepeatedLog;
  /** Whether a cookie has an open connection. */
  readonly isHere: (cbtid: string) => boolean;
}

export class Unreturned {
  readonly #deps: UnreturnedDeps;
  readonly #ids = new OldestFirst<string, true>();
  // what earlier runs left is asked for with the first new cookie
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

  /** Somebody came back with it, or logged in under it; or it is gone. */
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
