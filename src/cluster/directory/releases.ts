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

/** Asks a node for its {@link Releases.revision}. Rejects when it does not answer. */
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
  readonly #underWay = new Set<Promise<number>>();
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

  /** Deletes a key; again while the engine does not answer. */
  deleteLater(key: string): void {
    this.delete(key).catch((error: unknown) => {
      if (this.#isEnded) return;
      this.#left(key, error);
      this.#later(RETRY_MS, () => this.deleteLater(key));
    });
  }

  /** Deletes a key. Rejects with EngineError. */
  async delete(key: string): Promise<void> {
    const { bucket } = this.#deps;
    await this.#follow(bucket.delete(key));
    this.#later(MARK_MS, () => {
      // A mark that stays does no harm.
      bucket.erase(key).catch((error: unknown) => this.#left(key, error));
    });
  }

  /** Nothing is tried again. */
  end(): void {
    this.#isEnded = true;
    for (const stop of this.#timers) stop();
    this.#timers.clear();
  }

  async #follow(deleting: Promise<number>): Promise<void> {
    this.#underWay.add(deleting);
    try {
      this.#last = Math.max(this.#last, await deleting);
    } finally {
      this.#underWay.delete(deleting);
    }
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
 * @returns the revision behind which everything is known that was over on some nodes. One that does not answer is taken at its word, as it
 *   stands in the directory. Never rejects.
 */
export async function releasedBy(nodes: readonly NodeRef[], ask: ReleasedOf | undefined): Promise<number> {
  if (ask === undefined) return 0;
  const different = new Map(nodes.map((node) => [keyOf(node), node]));
  const revisions = await Promise.all([...different.values()].map((node) => ask(node).catch(() => 0)));
  return Math.max(0, ...revisions.filter((revision) => Number.isFinite(revision)));
}
