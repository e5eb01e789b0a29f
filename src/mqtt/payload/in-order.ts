/** Keeps the order of results of which some have to be waited for. One for each connection and direction. */

/** How much may wait. */
export interface WaitingLimits {
  readonly results: number;
  /** What they are made of. One may be larger. */
  readonly bytes: number;
}

/** So much may wait of what one client sent, before nothing more of it is read. */
export const MAX_DECODING: WaitingLimits = { results: 100, bytes: 1_048_576 };
/** As soon as less waits, more is read. */
export const LESS_DECODING: WaitingLimits = { results: 50, bytes: 524_288 };

/** Results are handed on as they were added. */
export class InOrder {
  /** The end of all that was added; undefined: nothing waits. */
  #last: Promise<void> | undefined;
  #waiting = 0;
  #bytes = 0;

  /** How many results have not been handed on. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether something of so many bytes more would be too much. */
  isFull({ results, bytes }: WaitingLimits, more = 0): boolean {
    return this.#waiting >= results || (this.#waiting > 0 && this.#bytes + more > bytes);
  }

  /**
   * Hands on at once what is here and has nothing before it.
   * @param result anything but a promise is a result
   * @param deliver never throws
   * @param drop gets what a promise rejects with. Never throws
   * @param bytes of what the result is made of
   */
  add<T>(result: T | Promise<T>, deliver: (result: T) => void, drop: (error: unknown) => void, bytes = 0): void {
    if (this.#last === undefined && !(result instanceof Promise)) return deliver(result);
    this.#waiting += 1;
    this.#bytes += bytes;
    // It may be rejected before its turn comes: that is looked at then, and not earlier.
    const settled = Promise.resolve(result).then(
      (value) => () => deliver(value),
      (error: unknown) => () => drop(error),
    );
    const last = Promise.all([this.#last, settled]).then(([, act]) => {
      this.#waiting -= 1;
      this.#bytes -= bytes;
      if (this.#last === last) this.#last = undefined;
      act();
    });
    this.#last = last;
  }
}
