/**
 * A bound on what is under way at a time in the threads of the system. What is done with their results is done at once for all that are
 * ready: 3000 tokens, whose signatures were checked together, would hold the event loop for half a second.
 */

/** Hands out a number of turns, in the order in which they were asked for. */
export class Turns {
  #free: number;
  readonly #waiting = new Set<() => void>();

  /** @param count how many may be out at a time. */
  constructor(count: number) {
    this.#free = count;
  }

  /** @returns what gives the turn back; to be called once. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.add(resolve));
    return () => this.#giveBack();
  }

  #giveBack(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
