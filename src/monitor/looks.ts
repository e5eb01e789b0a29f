/**
 * Looks happen one after the other, however many people look: each takes its turns of the event loop, and a hundred at the same time
 * would take a hundred turns at once. Who wants what somebody waits for already gets the same answer.
 */
import { ErrorUri, WampError } from '../wamp/error.js';

/** So many different looks may wait. */
const MAX_WAITING = 32;

/** The queue of one node. */
export class Looks {
  // what is asked for -> the answer, until it is there
  readonly #waiting = new Map<string, Promise<unknown>>();
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param question what is asked for, in full: the same question has the same answer.
   * @throws WampError (rejects) `wamp.error.unavailable` when too many wait.
   */
  look<T>(question: string, answer: () => Promise<T>): Promise<T> {
    const asked = this.#waiting.get(question);
    if (asked !== undefined) return asked as Promise<T>;
    if (this.#waiting.size >= MAX_WAITING) {
      return Promise.reject(new WampError(ErrorUri.UNAVAILABLE, 'too many look at the same time, try again'));
    }
    const given = this.#last.then(answer).finally(() => this.#waiting.delete(question));
    this.#waiting.set(question, given);
    // The next one waits for the end of it, however it ends.
    this.#last = given.catch(() => undefined);
    return given;
  }
}
