/**
 * Deadlines that are all equally far away: whoever was added first is due first, so one timer and a queue serve any
 * number of connections (a timer for each would cost memory and time even when it never fires).
 */
export class DeadlineQueue<T> {
  readonly #delayMs: number;
  readonly #onDue: (item: T) => void;
  // item -> when it is due; in order of insertion, which is the order of the deadlines
  readonly #due = new Map<T, number>();
  #timer: NodeJS.Timeout | undefined;

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
    this.#timer = setTimeout(() => this.#wake(), ms);
    // A deadline alone is no reason to keep the process running.
    this.#timer.unref();
  }

  #wake(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const [item, due] of this.#due) {
      if (due > now) return this.#sleep(Math.max(1, Math.ceil(due - now)));
      this.#due.delete(item);
      this.#onDue(item);
    }
  }
}
