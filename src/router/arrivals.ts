/**
 * Waits for procedures to be registered. After a restart the client that decides for others (an authorizer) may come back later
 * than they do.
 */
import { covers } from './pattern-relations.js';
import type { RegistrationObserver, RegistrationView } from './observer.js';

/** The callbacks that wait for a callee of a procedure. */
export class Arrivals {
  readonly #isThere: (procedure: string) => boolean;
  // procedure -> the callbacks that wait for it; usually empty
  readonly #waiting = new Map<string, Set<() => void>>();

  /** @param isThere whether the procedure has a callee that the router may ask. */
  constructor(isThere: (procedure: string) => boolean) {
    this.#isThere = isThere;
  }

  /**
   * @param arrived called once, while the dealer registers the procedure: must not call the dealer.
   * @returns a function that cancels the wait; harmless when `arrived` was called.
   */
  expect(procedure: string, arrived: () => void): () => void {
    const waiting = this.#waiting.get(procedure) ?? new Set();
    this.#waiting.set(procedure, waiting.add(arrived));
    return () => {
      waiting.delete(arrived);
      if (waiting.size === 0 && this.#waiting.get(procedure) === waiting) this.#waiting.delete(procedure);
    };
  }

  /** @returns an observer that calls `inner` first, and then the callbacks of a procedure that has its first callee. */
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
