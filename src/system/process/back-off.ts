/**
 * How long to wait before a process that has ended is started again: each time twice as long, and from the beginning when it has lived
 * for a while. The clock is handed in.
 */

/** In milliseconds. */
export interface BackOffTimes {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Who lives that long has not failed to start. */
  readonly aliveMs: number;
}

/** Half a second, doubled up to 30 s; from the beginning after 10 s of life. */
export const BACK_OFF: BackOffTimes = { firstMs: 500, maxMs: 30_000, aliveMs: 10_000 };

/** The waiting times of one process. */
export class BackOff {
  readonly #clock: () => number;
  readonly #times: BackOffTimes;
  #nextMs: number;
  #startedAt: number | undefined;

  /** @param clock milliseconds that never go back. */
  constructor(clock: () => number, times = BACK_OFF) {
    this.#clock = clock;
    this.#times = times;
    this.#nextMs = times.firstMs;
  }

  /** The process has been started. */
  started(): void {
    this.#startedAt = this.#clock();
  }

  /** The process has ended, or could not be started. @returns how many milliseconds to wait. */
  ended(): number {
    const { firstMs, maxMs, aliveMs } = this.#times;
    if (this.#startedAt !== undefined && this.#clock() - this.#startedAt >= aliveMs) this.#nextMs = firstMs;
    this.#startedAt = undefined;
    const waitMs = this.#nextMs;
    this.#nextMs = Math.min(maxMs, waitMs * 2);
    return waitMs;
  }
}
