/**
 * Does in portions what comes in large numbers at once, and in its order: NATS tells all of a bucket in a few turns of the event loop.
 * What comes alone is done at once.
 */
import { setImmediate as nextTurn, clearImmediate } from 'node:timers';

/** So much is done in a turn of the event loop: some milliseconds. */
export const PORTION = 500;

export class Portions {
  readonly #waiting: (() => void)[] = [];
  /** How many of them were done. */
  #done = 0;
  #inThisTurn = 0;
  #turn: NodeJS.Immediate | undefined;

  /** Does it now, or in a later turn when earlier work waits or this turn has had its portion. */
  run(work: () => void): void {
    this.#turn ??= nextTurn(() => this.#goOn());
    if (this.#waiting.length > 0 || this.#inThisTurn >= PORTION) {
      this.#waiting.push(work);
      return;
    }
    this.#inThisTurn += 1;
    work();
  }

  /** Forgets what waits. */
  drop(): void {
    this.#waiting.length = 0;
    this.#done = 0;
    clearImmediate(this.#turn);
    this.#turn = undefined;
    this.#inThisTurn = 0;
  }

  #goOn(): void {
    this.#turn = undefined;
    const end = Math.min(this.#waiting.length, this.#done + PORTION);
    this.#inThisTurn = end - this.#done;
    if (this.#inThisTurn === 0) return;
    this.#turn = nextTurn(() => this.#goOn());
    while (this.#done < end) {
      const work = this.#waiting[this.#done];
      // Whoever was told has dropped the rest.
      if (work === undefined) break;
      this.#done += 1;
      work();
    }
    if (this.#done < this.#waiting.length) return;
    this.#waiting.length = 0;
    this.#done = 0;
  }
}
