/**
 * How many lines a process may write to the log of the node: so many at once, then so many a second. What is left out is counted,
 * and told once a second. The clock and the timer are handed in.
 */

/** By default a burst of 1000 lines, then 200 a second. */
export const LINE_RATE = { burst: 1000, perSecond: 200 } as const;

/** Time, and how to wait. */
export interface LineRateDeps {
  /** Milliseconds that never go back. */
  readonly clock: () => number;
  /** Calls back later. @returns what gives that up. */
  readonly after: (ms: number, callback: () => void) => () => void;
  /** So many lines were left out since the last time. */
  readonly onOmitted: (lines: number) => void;
}

/** Lets lines through, or counts them. */
export class LineRate {
  readonly #deps: LineRateDeps;
  readonly #limit: { readonly burst: number; readonly perSecond: number };
  #room: number;
  #filledAt: number;
  #omitted = 0;
  #cancel: (() => void) | undefined;

  constructor(deps: LineRateDeps, limit: { readonly burst: number; readonly perSecond: number } = LINE_RATE) {
    this.#deps = deps;
    this.#limit = limit;
    this.#room = limit.burst;
    this.#filledAt = deps.clock();
  }

  /** @returns whether there is room for a line; else it is counted. */
  take(): boolean {
    this.#fill();
    if (this.#room >= 1) {
      this.#room -= 1;
      return true;
    }
    this.#omitted += 1;
    // Told whenever there is room, it would be every second line.
    this.#cancel ??= this.#deps.after(1000, () => this.end());
    return false;
  }

  /** Tells what was left out and not told yet. */
  end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const lines = this.#omitted;
    this.#omitted = 0;
    if (lines > 0) this.#deps.onOmitted(lines);
  }

  #fill(): void {
    const now = this.#deps.clock();
    const { burst, perSecond } = this.#limit;
    this.#room = Math.min(burst, this.#room + ((now - this.#filledAt) * perSecond) / 1000);
    this.#filledAt = now;
  }
}
