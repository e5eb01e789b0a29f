/**
 * Deadlines that are all equally far away: whoever was added first is due first, so one timer and a queue serve any
 * number of connections (a timer for each would cost memory and time even when it never fires).
 */
import { InPlaceMap } from '../collections/in-place.js';

/** Who is due at once, say 10,000 connections to be pinged, is served in portions: others have a turn in between. */
const MAX_AT_ONCE = 256;
/** How much later than its deadline an item may be served, as a part of the delay. */
const MAX_LATE_SHARE = 1 / 64;
/**
 * A timer that goes off this much too late, in milliseconds, tells that this process did not run: the machine was paused, or had no time
 * for it. What peers have sent meanwhile is not read yet, and they get as much time again to answer.
 */
const PAUSE_MS = 1000;

/** Deadlines of one length, with one timer for all of them. */
export class DeadlineQueue<T extends object> {
  readonly #delayMs: number;
  readonly #onDue: (item: T) => void;
  // item -> when it is due; in order of insertion, which is the order of the deadlines
  readonly #due = new InPlaceMap<T, number>();
  #timer: NodeJS.Timeout | undefined;
  // When the timer is to go off, and whether it is set because the one before told of a pause.
  #wakesAt = 0;
  #isGrace = false;

  /**
   * @param delayMs how long after `add` an item is due; 0 means never.
   * @param onDue called with an item that was not removed in time; the item is no longer in the queue then.
   */
  constructor(delayMs: number, onDue: (item: T) => void) {
    this.#delayMs = delayMs;
    this.#onDue = onDue;
  }

  /** Starts the time of `item`, or starts it anew. */
  add(item: T): void {
    if (this.#delayMs === 0) return;
    this.#due.delete(item);
    this.#due.set(item, performance.now() + this.#delayMs);
    if (this.#timer === undefined) this.#sleep(this.#delayMs);
  }

  delete(item: T): void {
    this.#due.delete(item);
  }

  clear(): void {
    this.#due.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #sleep(ms: number): void {
    this.#wakesAt = performance.now() + ms;
    this.#timer = setTimeout(() => this.#wake(), ms);
    // A deadline alone is no reason to keep the process running.
    this.#timer.unref();
  }

  #wake(): void {
    const now = performance.now();
    // Once in a row: a process that is always late ends what is due nevertheless.
    this.#isGrace = !this.#isGrace && now - this.#wakesAt > PAUSE_MS;
    if (this.#isGrace) return this.#sleep(PAUSE_MS);
    let count = 0;
    for (const [item, due] of this.#due) {
      if (count++ === MAX_AT_ONCE) return this.#sleep(1);
      // A little late rather than often: those whose time comes shortly after are served together.
      if (due > now) return this.#sleep(Math.max(1, this.#delayMs * MAX_LATE_SHARE, Math.ceil(due - now)));
      this.#due.delete(item);
      // What it adds finds the timer that has just gone off, and sets no other one.
      this.#onDue(item);
    }
    this.#timer = undefined;
  }
}
