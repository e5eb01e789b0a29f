/** A claim of this node, from the moment in which its session wants to be a callee until that is over. */
import type { RegistrationClaim, Uplink } from '../../router/uplink.js';
import type { Beginning } from './verdict.js';

/** Takes the answer to a claim: see `Uplink.registered`. */
export type Done = Parameters<Uplink['registered']>[1];

/** What is known of it. */
export interface Own {
  readonly realm: string;
  readonly claim: RegistrationClaim;
  /** What the other nodes read. */
  readonly written: RegistrationClaim;
  /** When it asked. */
  readonly createdMs: number;
  /** The id of its registration in an earlier life of this node. */
  readonly keptId: number | undefined;
  /** Undefined when it has its answer. */
  done: Done | undefined;
  /** When it is a callee: how that began. */
  beginning?: Beginning;
  /** The key is being written as that of a callee. */
  isConfirming: boolean;
  /** Whether those that stand in its way were asked if they are over: not yet, just now, or all have answered. */
  asked: 'no' | 'asking' | 'yes';
}
