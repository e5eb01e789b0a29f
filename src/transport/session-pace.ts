/**
 * How many sessions a connection may have, one after the other: each writes two lines into the log and tells others that it
 * came and went, and HELLO and GOODBYE are short. Clients that change their realm do so now and then.
 */

/** So many within this time; then the next HELLO has to wait. */
export const MAX_SESSIONS = 10;
const WINDOW_MS = 1000;

export class SessionPace {
  #since = -Infinity;
  #sessions = 0;

  /** A session ended. @param now milliseconds that never go back. @returns whether the next one has to wait. */
  ended(now: number): boolean {
    if (now - this.#since >= WINDOW_MS) {
      this.#since = now;
      this.#sessions = 0;
    }
    this.#sessions += 1;
    return this.#sessions >= MAX_SESSIONS;
  }
}
