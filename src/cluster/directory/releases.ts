/**
 * What a node has deleted from the directory, and when the others know of it. A client may know that a registration is over before the
 * deletion of its key has come to all nodes: whoever is about to refuse another one because of it asks first.
 */
import { sayRepeated } from '../../log/repeated.js';
import { keyOf } from '../node-ref.js';
import { nodeOfEntry } from './entry.js';
import type { RepeatedLogDeps } from '../../log/repeated.js';
import type { Scheduler } from '../../router/observer.js';
import type { Bucket } from '../../engine/engine.js';
import type { NodeRef } from '../node-ref.js';

/** Asks a node for its {@link Releases.revision}; 0 when nothing is heard of it any more. Never rejects. */
export type ReleasedOf = (node: NodeRef) => Promise<number>;

export interface ReleasesDeps extends RepeatedLogDeps {
  readonly bucket: Pick<Bucket, 'delete' | 'erase'>;
  readonly scheduler: Pick<Scheduler, 'after'>;
}

/** The mark of a key that was deleted is erased this much later: by then all have seen it. */
const MARK_MS = 60_000;

/** Between two attempts to delete a key. */
const RETRY_MS = 250;

export class Releases {
  readonly #deps: ReleasesDeps;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #timers = new Set<() => void>();
  #last = 0;
  #isEnded = false;

  constructor(deps: ReleasesDeps) {
    this.#deps = deps;
  }

  /**
   * @returns the revision of the last deletion, once those that are under way are done: whoever has seen it knows of everything that was
   *   over when this was called. Never rejects.
   */
  async revision(): Promise<number> {
    await Promise.allSettled(this.#underWay);
    return this.#last;
  }

  /** Deletes a key; again while the engine does not answer. It is under way until it is done. */
  deleteLater(key: string): void {
    void this.#follow(this.#deleteAtLast(key));
  }

  /** Deletes a key. Rejects with EngineError. */
  delete(key: string): Promise<void> {
    return this.#follow(this.#delete(key));
  }

  /** Nothing is tried again. */
  end(): void {
    this.#isEnded = true;
    for (const stop of this.#timers) stop();
    this.#timers.clear();
  }

  async #follow(deleting: Promise<void>): Promise<void> {
    this.#underWay.add(deleting);
    try {
      await deleting;
    } finally {
      this.#underWay.delete(deleting);
    }
  }

  async #deleteAtLast(key: string): Promise<void> {
    for (;;) {
      try {
        return await this.#delete(key);
      } catch (error) {
        if (this.#isEnded) return;
        this.#left(key, error);
        await new Promise<void>((resolve) => this.#later(RETRY_MS, resolve));
      }
    }
  }

  async #delete(key: string): Promise<void> {
    const { bucket } = this.#deps;
    const revision = await bucket.delete(key);
    // Those that were under way at once may be done in any order.
    this.#last = Math.max(this.#last, revision);
    this.#later(MARK_MS, () => {
      // A mark that stays does no harm.
      bucket.erase(key).catch((error: unknown) => this.#left(key, error));
    });
  }

  #later(ms: number, action: () => void): void {
    if (this.#isEnded) return;
    const stop = this.#deps.scheduler.after(ms, () => {
      this.#timers.delete(stop);
      action();
    });
    this.#timers.add(stop);
  }

  #left(key: string, error: unknown): void {
    const node = nodeOfEntry(key);
    const facts = { err: error, node: node && keyOf(node) };
    sayRepeated(this.#deps, 'warn', facts, 'a registration that is over is still in the cluster');
  }
}

/**
 * @returns the revision behind which everything is known that was over on some nodes. One of which nothing is heard is taken at its word,
 *   as it stands in the directory. Never rejects.
 */
export async function releasedBy(nodes: readonly NodeRef[], ask: ReleasedOf | undefined): Promise<number> {
  if (ask === undefined) return 0;
  const different = new Map(nodes.map((node) => [keyOf(node), node]));
  const revisions = await Promise.all([...different.values()].map(ask));
  return Math.max(0, ...revisions.filter((revision) => Number.isFinite(revision)));
}
