/**
 * Queues by key: the work for one key runs one after the other, in order of arrival. Different keys do not wait for each
 * other.
 */
export class KeyedQueue {
  // key -> resolves when the last work that was queued for it is done
  readonly #last = new Map<string, Promise<void>>();

  /** Runs `work` when it is its turn. Resolves or rejects as `work` does. */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    let done = (): void => undefined;
    const mine = new Promise<void>((resolve) => (done = resolve));
    this.#last.set(key, mine);
    try {
      await before;
      return await work();
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key);
      done();
    }
  }

  /** How many keys have work that is running or waits. */
  get size(): number {
    return this.#last.size;
  }
}
