/** Lets the changes of one id happen one after the other, in the order in which they were asked for. Others do not wait for them. */
export class InTurn {
  // key -> settles when the last work that was asked for is done
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` when all earlier work on these keys is done. Resolves or rejects as `work` does. */
  take<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const before = keys.map((key) => this.#last.get(key)).filter((each) => each !== undefined);
    const mine = before.length === 0 ? work() : Promise.allSettled(before).then(work);
    for (const key of keys) this.#last.set(key, mine);
    const done = (): void => {
      for (const key of keys) if (this.#last.get(key) === mine) this.#last.delete(key);
    };
    mine.then(done, done);
    return mine;
  }

  /** Resolves when nothing is under way. Never rejects. */
  async idle(): Promise<void> {
    while (this.#last.size > 0) await Promise.allSettled(this.#last.values());
  }
}
