/**
 * Group commit: all items that arrive in one turn of the event loop, or while a commit is running, are committed together. A
 * thousand new cookies at once cost a few disk syncs instead of a thousand. After a batch of several items more are likely,
 * and are waited for a moment, because a sync costs far more than what it syncs. A single item never waits.
 */
import { setImmediate as turnOfTheLoop, setTimeout as pause } from 'node:timers/promises';

const GATHERING_MS = 1;

/** Collects items into batches, and commits one batch after the other. */
export class CommitQueue<T> {
  readonly #commit: (batch: readonly T[]) => Promise<void>;
  #waiting: T[] = [];
  #loop: Promise<void> | undefined;

  /** @param commit called with one batch at a time, in order of arrival; must settle the items itself and never reject. */
  constructor(commit: (batch: readonly T[]) => Promise<void>) {
    this.#commit = commit;
  }

  push(item: T): void {
    this.#waiting.push(item);
    this.#loop ??= this.#run();
  }

  /** Resolves when everything that was pushed is committed. */
  async idle(): Promise<void> {
    await this.#loop;
  }

  async #run(): Promise<void> {
    let wasShared = false;
    while (this.#waiting.length > 0) {
      await (wasShared ? pause(GATHERING_MS) : turnOfTheLoop());
      const batch = this.#waiting;
      this.#waiting = [];
      wasShared = batch.length > 1;
      await this.#commit(batch);
    }
    this.#loop = undefined;
  }
}
