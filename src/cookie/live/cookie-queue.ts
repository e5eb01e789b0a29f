/** Lets the changes of one cookie happen one after the other, also when the cookie gets a new id in between. */
import { KeyedQueue } from './keyed-queue.js';
import { isForward, MAX_FORWARDS } from '../store.js';
import type { CookieRecord, CookieStore } from '../store.js';

export class CookieQueue {
  readonly #store: Pick<CookieStore, 'get'>;
  readonly #queue = new KeyedQueue();

  constructor(store: Pick<CookieStore, 'get'>) {
    this.#store = store;
  }

  /**
   * Runs `work` when no other work on the cookie is running. Resolves or rejects as `work` does.
   * @param cbtid any id that the cookie has or had.
   * @param work gets the record under its current id; undefined when there is none.
   */
  async take<T>(cbtid: string, work: (record: CookieRecord | undefined) => Promise<T>, followed = 0): Promise<T> {
    const outcome = await this.#queue.take(cbtid, async () => {
      const entry = await this.#store.get(cbtid);
      if (entry === undefined || !isForward(entry)) return { result: await work(entry) };
      return followed < MAX_FORWARDS ? { id: entry.moved_to } : { result: await work(undefined) };
    });
    return 'result' in outcome ? outcome.result : this.take(outcome.id, work, followed + 1);
  }
}
