/**
 * What a node has deleted from the directory, and when the others know of it. A client may know that a registration is over before the
 * deletion of its key has come to all nodes: whoever is about to refuse another one because of it asks first.
 */
import { keyOf } from '../node-ref.js';
import type { NodeRef } from '../node-ref.js';

/** Asks a node for its {@link Releases.revision}. Rejects when it does not answer. */
export type ReleasedOf = (node: NodeRef) => Promise<number>;

export class Releases {
  readonly #underWay = new Set<Promise<number>>();
  #last = 0;

  /** Resolves and rejects as the deletion does. @param deleting its revision. */
  async follow(deleting: Promise<number>): Promise<void> {
    this.#underWay.add(deleting);
    try {
      this.#last = Math.max(this.#last, await deleting);
    } finally {
      this.#underWay.delete(deleting);
    }
  }

  /**
   * @returns the revision of the last deletion, once those that are under way are done: whoever has seen it knows of everything that was
   *   over when this was called. Never rejects.
   */
  async revision(): Promise<number> {
    await Promise.allSettled(this.#underWay);
    return this.#last;
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
