/** Questions to other nodes whose answer is needed: an answer that is late, or was lost, is not taken for "no". */
import { EngineError } from '../engine/engine.js';
import type { Dict } from '../wamp/payload.js';
import type { Scheduler } from '../router/observer.js';
import type { Frame } from './frame.js';
import type { Membership } from './membership.js';
import type { NodeRef } from './node-ref.js';
import type { Peers } from './peers.js';

export interface AskingDeps {
  readonly peers: Pick<Peers, 'ask'>;
  readonly membership: Pick<Membership, 'isSuspect'>;
  readonly scheduler: Pick<Scheduler, 'after'>;
}

/** Between two questions to a node that gave no answer: it may be the link of this node that is down. */
const RETRY_MS = 100;

export interface PersistingDeps {
  /** Whether it is worth asking: the node is there, and this one has not left. */
  readonly isThere: (node: NodeRef) => boolean;
  readonly scheduler: Pick<Scheduler, 'after'>;
  /** Between two questions, in milliseconds. */
  readonly retryMs: number;
  /** Told each failure. */
  readonly failed?: (error: unknown) => void;
}

/** As {@link askWhileHeard}, of a node that is silent for a while, too. @returns undefined when it is not there any more. */
export async function askWhileThere(
  { isThere, scheduler, retryMs, failed }: PersistingDeps,
  node: NodeRef,
  ask: () => Promise<Frame>,
): Promise<Frame | undefined> {
  while (isThere(node)) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      failed?.(error);
      await new Promise<void>((resolve) => scheduler.after(retryMs, resolve));
    }
  }
  return undefined;
}

/**
 * @param heard see `Ask`
 * @returns the answer of a node; undefined when nothing is heard of it any more. Rejects with what is no EngineError: a fault of ours.
 */
export async function askWhileHeard(
  { peers, membership, scheduler }: AskingDeps,
  node: NodeRef,
  kind: string,
  head: Dict,
  heard?: (answer: Frame) => void,
): Promise<Frame | undefined> {
  while (!membership.isSuspect(node)) {
    try {
      return await peers.ask(node, kind, head, heard);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      if (membership.isSuspect(node)) return undefined;
      await new Promise<void>((resolve) => scheduler.after(RETRY_MS, resolve));
    }
  }
  return undefined;
}
