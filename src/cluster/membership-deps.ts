/** What a membership is made with, and whom it tells what it finds out. */
import type { Bucket, Engine } from '../engine/engine.js';
import type { RepeatedLogDeps } from '../log/repeated.js';
import type { Scheduler } from '../router/observer.js';
import type { NodeRef } from './node-ref.js';

/** In milliseconds; each longer than the one before. */
export interface MembershipTimings {
  /** Between two heartbeats. */
  readonly heartbeatMs: number;
  /** Without a heartbeat: nobody waits for the node any more. */
  readonly suspectMs: number;
  /** Without proof of the own life: the node serves nobody any more. */
  readonly fenceMs: number;
  /** Without a heartbeat: others take the place of the node. */
  readonly removeMs: number;
}

/** What becomes known of the other nodes, and of this one. None of it may throw. */
export interface MembershipListener {
  joined(node: NodeRef): void;
  /** A node has left, or was removed; also one that had gone before this node joined, and an earlier life of this node. */
  removed(node: NodeRef): void;
  /**
   * This node has to clean up behind one that was removed, which may have joined before this one did. Called again on another node
   * when this one goes before the promise resolves. A rejection is logged, and it is tried again.
   */
  clean(node: NodeRef): Promise<void>;
  /** Called once. Nothing else is told afterwards. @param why for people */
  fenced(why: string): void;
}

export interface MembershipDeps extends RepeatedLogDeps {
  readonly engine: Engine;
  readonly bucket: Bucket;
  /** The subject of heartbeats. */
  readonly subject: string;
  /** The name of this node. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly scheduler: Scheduler;
  readonly timings: MembershipTimings;
  readonly listener: MembershipListener;
}
