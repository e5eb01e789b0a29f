/**
 * Deadlines of many things with one timer: a binary heap ordered by time, and a timer for the earliest. Setting, moving
 * and clearing cost the logarithm of how many there are; with none, no timer runs. The time of day plays no part: a clock
 * that somebody sets right must not end calls.
 */
import type { Scheduler } from '../observer.js';

/** Longest wait asked of the scheduler; timers of the system cannot count much further. Longer ones take several. */
const LONGEST_WAIT_MS = 2 ** 30;

export interface Deadline<T> {
  readonly item: T;
  /** The wait it was set for. */
  readonly ms: number;
  /** When it is due, as the scheduler counts. */
  at: number;
  /** Its place in the heap. */
  index: number;
}

export class Deadlines<T> {
  readonly #scheduler: Scheduler;
  readonly #expired: (item: T) => void;
  // No entry is due before the one at half its index (counted from 1).
  readonly #heap: Deadline<T>[] = [];
  #stopTimer: (() => void) | undefined;
  #timerAt = Infinity;
  #firing = false;

  /** @param expired called for each deadline that was not cleared in time; it may set and clear others. */
  constructor(scheduler: Scheduler, expired: (item: T) => void) {
    this.#scheduler = scheduler;
    this.#expired = expired;
  }

  /** How many there are. */
  get size(): number {
    return this.#heap.length;
  }

  set(item: T, ms: number): Deadline<T> {
    const deadline = { item, ms, at: this.#scheduler.elapsed() + ms, index: this.#heap.length };
    this.#heap.push(deadline);
    this.#rise(deadline);
    this.#arm();
    return deadline;
  }

  /** The wait begins anew. */
  restart(deadline: Deadline<T>): void {
    deadline.at = this.#scheduler.elapsed() + deadline.ms;
    this.#sink(deadline);
  }

  clear(deadline: Deadline<T>): void {
    this.#take(deadline);
    if (this.#heap.length === 0) this.#disarm();
  }

  #take(deadline: Deadline<T>): void {
    const last = this.#heap.pop();
    if (last === undefined || last === deadline) return;
    this.#put(last, deadline.index);
    this.#rise(last);
    this.#sink(last);
  }

  #put(deadline: Deadline<T>, index: number): void {
    this.#heap[index] = deadline;
    deadline.index = index;
  }

  #rise(deadline: Deadline<T>): void {
    for (;;) {
      const parent = this.#heap[(deadline.index - 1) >> 1];
      if (deadline.index === 0 || parent === undefined || parent.at <= deadline.at) return;
      this.#swap(deadline, parent);
    }
  }

  #sink(deadline: Deadline<T>): void {
    for (;;) {
      const left = this.#heap[2 * deadline.index + 1];
      const right = this.#heap[2 * deadline.index + 2];
      const child = left !== undefined && right !== undefined && right.at < left.at ? right : left;
      if (child === undefined || child.at >= deadline.at) return;
      this.#swap(deadline, child);
    }
  }

  #swap(one: Deadline<T>, other: Deadline<T>): void {
    const { index } = one;
    this.#put(one, other.index);
    this.#put(other, index);
  }

  /** A timer that goes off too early does no harm, so one is only replaced by an earlier one. */
  #arm(): void {
    const [first] = this.#heap;
    if (first === undefined || first.at >= this.#timerAt || this.#firing) return;
    this.#disarm();
    this.#timerAt = first.at;
    const wait = Math.min(Math.max(first.at - this.#scheduler.elapsed(), 0), LONGEST_WAIT_MS);
    this.#stopTimer = this.#scheduler.after(wait, () => this.#onTimer());
  }

  #disarm(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#timerAt = Infinity;
  }

  #onTimer(): void {
    this.#disarm();
    // Until all that is due has been dealt with, what `expired` sets starts no timer.
    this.#firing = true;
    const now = this.#scheduler.elapsed();
    for (let [first] = this.#heap; first !== undefined && first.at <= now; [first] = this.#heap) {
      this.#take(first);
      this.#expired(first.item);
    }
    this.#firing = false;
    this.#arm();
  }
}
