/**
 * Group commit: whatever arrives in one turn of the event loop, or while a commit is running, is committed together.
 * A thousand new cookies at once cost a few disk syncs instead of a thousand. Where several come at a time, more are on
 * their way, and are waited for a moment: a sync costs far more than what it syncs. A single one never waits.
 */
import { setImmediate as turnOfTheLoop, setTimeout as pause } from 'node:timers/promises';

const GATHERING_MS = 1;

export class CommitQueue<T> {
  readonly #commit: (batch: readonly T[]) => Promise<void>;
  #waiting: T[] = [];
  #loop: Promise<void> | undefined;

  /** @param commit called with one batch at a time, in order of arrival; must settle its items itself and not reject. */
  constructor(commit: (batch: readonly T[]) => Promise<void>) {
    this.#commit = commit;
  }

  push(item: T): void {
    this.#waiting.push(item);
    this.#loop ??= this.#run();
  }

  /** Resolves when everything that was pushed so far is committed. */
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
