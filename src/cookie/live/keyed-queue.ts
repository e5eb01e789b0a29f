/**
 * Work on one thing at a time: whoever comes for a key waits until all before him are done with it. Different keys do not
 * wait for each other.
 */
export class KeyedQueue {
  /** Key -> when the last of those who came for it is done. */
  readonly #last = new Map<string, Promise<void>>();

  /** Does `work` when it is its turn. Resolves or rejects as it does. */
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

  /** How many keys are being worked on. */
  get size(): number {
    return this.#last.size;
  }
}
