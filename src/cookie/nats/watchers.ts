/** Tells of cookies that other nodes have logged out: all of a turn of the event loop at once, so that each open cookie is looked at once. */
import { inSlices } from '../slices.js';

interface Watcher {
  readonly here: () => readonly string[];
  readonly onGone: (cbtid: string) => void;
}

export class Watchers {
  readonly #watchers = new Set<Watcher>();
  readonly #gone = new Set<string>();
  #turn: NodeJS.Immediate | undefined;

  /** See `CookieStore.watch`. */
  add(here: () => readonly string[], onGone: (cbtid: string) => void): () => void {
    const watcher = { here, onGone };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** @param cbtids of one cookie that was logged out: all that it had. */
  gone(cbtids: readonly string[]): void {
    if (this.#watchers.size === 0) return;
    for (const cbtid of cbtids) this.#gone.add(cbtid);
    this.#turn ??= setImmediate(() => this.#tell());
  }

  /** Asks for each open cookie whether it was logged out meanwhile. */
  async lookAll(isGone: (cbtid: string) => boolean): Promise<void> {
    for (const watcher of [...this.#watchers]) {
      await inSlices(watcher.here(), (cbtid) => {
        if (isGone(cbtid) && this.#watchers.has(watcher)) watcher.onGone(cbtid);
      });
    }
  }

  end(): void {
    this.#watchers.clear();
    clearImmediate(this.#turn);
  }

  #tell(): void {
    this.#turn = undefined;
    const gone = new Set(this.#gone);
    this.#gone.clear();
    for (const { here, onGone } of [...this.#watchers]) {
      for (const cbtid of here()) if (gone.has(cbtid)) onGone(cbtid);
    }
  }
}
