/** What a node remembers of another one that is there. */
import type { NodeRef } from './node-ref.js';

export interface KnownNode {
  readonly node: NodeRef;
  /** See `Membership.slot`. */
  readonly slot: number;
  /** When a heartbeat came last, in milliseconds of the scheduler. */
  heardMs: number;
  /** When a message to it first reached nobody, since then. */
  absentMs: number | undefined;
  /** Another one did, some time later. */
  isAbsent: boolean;
}
