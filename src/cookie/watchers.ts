/**
 * Tells of cookies that were logged out by others: all of a turn of the event loop at once, so that each watcher is asked once. A watcher
 * that does not answer keeps nobody else waiting.
 */
import { inSlices } from './slices.js';
import type { Here } from './store.js';

interface Watcher {
  readonly here: Here;
  readonly onGone: (cbtid: string) => void;
}

/** Those who watch one store. */
export class Watchers {
  readonly #watchers = new Set<Watcher>();
  readonly #idsOf: (cbtid: string) => readonly string[];
  readonly #gone = new Set<string>();
  #turn: NodeJS.Immediate | undefined;

  /** @param idsOf all ids that a cookie had, by the last of them; asked when it is told. By default that one. */
  constructor(idsOf: (cbtid: string) => readonly string[] = (cbtid) => [cbtid]) {
    this.#idsOf = idsOf;
  }

  /** See `CookieStore.watch`. */
  add(here: Here, onGone: (cbtid: string) => void): () => void {
    const watcher = { here, onGone };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** @param cbtids of one cookie that was logged out: all that it had, or the last. */
  gone(cbtids: readonly string[]): void {
    if (this.#watchers.size === 0) return;
    for (const cbtid of cbtids) this.#gone.add(cbtid);
    this.#turn ??= setImmediate(() => this.#tellAll());
  }

  /** Asks for each open cookie whether it was logged out meanwhile. */
  async lookAll(isGone: (cbtid: string) => boolean): Promise<void> {
    const look = async (watcher: Watcher): Promise<void> => {
      await inSlices(await watcher.here(), (cbtid) => {
        if (isGone(cbtid) && this.#watchers.has(watcher)) watcher.onGone(cbtid);
      });
    };
    await Promise.all([...this.#watchers].map(look));
  }

  /** @returns the ids of all cookies with an open connection. Never rejects. */
  async here(): Promise<readonly string[]> {
    return (await Promise.all([...this.#watchers].map(async ({ here }) => here()))).flat();
  }

  /** Nobody is told any more. */
  end(): void {
    this.#watchers.clear();
    clearImmediate(this.#turn);
  }

  #tellAll(): void {
    this.#turn = undefined;
    const gone = new Set([...this.#gone].flatMap(this.#idsOf));
    this.#gone.clear();
    for (const watcher of [...this.#watchers]) void this.#tell(watcher, gone);
  }

  async #tell(watcher: Watcher, gone: ReadonlySet<string>): Promise<void> {
    for (const cbtid of await watcher.here([...gone])) {
      if (gone.has(cbtid) && this.#watchers.has(watcher)) watcher.onGone(cbtid);
    }
  }
}
