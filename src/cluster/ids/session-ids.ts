/**
 * Session ids that no two nodes give, without a question for each. A node has a slot (see `Membership.slot`), and an id is
 * the slot and 37 random bits, encrypted as one number: so it looks like any id drawn from [1, 2^53] (section "IDs"), and every node can
 * tell on which node the session is.
 */
import { MAX_ID } from '../../wamp/id.js';
import { SLOTS } from '../nodes-bucket.js';
import { Permutation } from './permutation.js';
import type { RandomId } from '../../wamp/id.js';

/** So many ids has each slot. */
const IDS_OF_SLOT = MAX_ID / SLOTS;

export class SessionIds {
  readonly #permutation: Permutation;
  readonly #slot: number;
  readonly #randomId: RandomId;

  /**
   * @param key of the cluster: see `ids/key.ts`.
   * @param slot of this node.
   * @param randomId draws what tells the sessions of this node from each other.
   */
  constructor(key: Uint8Array, slot: number, randomId: RandomId) {
    this.#permutation = new Permutation(key);
    this.#slot = slot;
    this.#randomId = randomId;
  }

  /** @returns an id that no other node gives. A session of this node may have it already. Ids of registrations are drawn here, too. */
  next(): number {
    const id = this.#permutation.forth(this.#slot * IDS_OF_SLOT + (this.#randomId() % IDS_OF_SLOT));
    // 2^53 stands in the place of 0, which is no id.
    return id === 0 ? MAX_ID : id;
  }

  /** @returns the slot of the node that gave an id; undefined for what is no id. */
  slotOf(id: number): number | undefined {
    if (!Number.isInteger(id) || id < 1 || id > MAX_ID) return undefined;
    return Math.floor(this.#permutation.back(id % MAX_ID) / IDS_OF_SLOT);
  }
}
