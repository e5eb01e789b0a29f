/** What is under way inside the memory engine: rows of actions, each in order, and no order between two rows. */

/**
 * Decides when a row goes on. By default all that waits runs in the next turn of the event loop; a test may choose another time for
 * each row.
 * @param proceed runs what waits, or only the first `count` actions. @returns how many are left.
 */
export type Pace = (proceed: (count?: number) => number) => void;

/** One row of actions. */
export class Link {
  readonly #pace: Pace;
  #waiting: (() => void)[] = [];
  #isAsked = false;
  #isHeld = false;

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  push(action: () => void): void {
    this.#waiting.push(action);
    this.#ask();
  }

  /** Nothing goes on until {@link release}. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    if (this.#waiting.length > 0) this.#ask();
  }

  /** What waits is lost. */
  drop(): void {
    this.#waiting = [];
  }

  #ask(): void {
    if (this.#isAsked || this.#isHeld) return;
    this.#isAsked = true;
    this.#pace((count) => this.#proceed(count));
  }

  #proceed(count = this.#waiting.length): number {
    this.#isAsked = false;
    if (this.#isHeld) return 0;
    const now = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    for (const action of now) action();
    if (this.#waiting.length > 0) this.#ask();
    return this.#waiting.length;
  }
}
