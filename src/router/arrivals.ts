/**
 * Tells those who wait for a procedure that it is there: a client that decides for others may come back later than they do.
 */
import { covers } from './pattern-relations.js';
import type { RegistrationObserver, RegistrationView } from './observer.js';

export class Arrivals {
  readonly #isThere: (procedure: string) => boolean;
  // procedure -> who waits for it; nobody, most of the time
  readonly #waiting = new Map<string, Set<() => void>>();

  /** @param isThere whether somebody answers who is waited for. */
  constructor(isThere: (procedure: string) => boolean) {
    this.#isThere = isThere;
  }

  /**
   * @param arrived called once, in the middle of the registration: must not call back into the dealer.
   * @returns a function that calls it off; harmless afterwards.
   */
  expect(procedure: string, arrived: () => void): () => void {
    const waiting = this.#waiting.get(procedure) ?? new Set();
    this.#waiting.set(procedure, waiting.add(arrived));
    return () => {
      waiting.delete(arrived);
      if (waiting.size === 0 && this.#waiting.get(procedure) === waiting) this.#waiting.delete(procedure);
    };
  }

  /** @returns an observer that hands on to `inner`, and looks then: when the first callee is there. */
  behind(inner: RegistrationObserver): RegistrationObserver {
    return {
      created: (session, registration) => inner.created(session, registration),
      joined: (session, registration) => {
        inner.joined(session, registration);
        if (this.#waiting.size > 0) this.#look(registration);
      },
      left: (session, registration) => inner.left(session, registration),
      deleted: (session, registration) => inner.deleted(session, registration),
    };
  }

  #look(registration: RegistrationView): void {
    for (const [procedure, waiting] of this.#waiting) {
      if (!covers(registration, { uri: procedure, match: 'exact' }) || !this.#isThere(procedure)) continue;
      this.#waiting.delete(procedure);
      for (const arrived of waiting) arrived();
    }
  }
}
