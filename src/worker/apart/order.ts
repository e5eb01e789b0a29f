/**
 * What the process of a router worker is told by its node, and what it tells: data alone. Part of neither side: the node makes orders
 * (`apart-worker.ts`), and `router-program/` obeys them.
 */
import type { Decider } from '../../router/deciders.js';
import type { NodePart, NodeTold } from './deps.js';
import type { ComponentsChange, ReloadLoss, WorkerOffer } from '../worker.js';
import type { RouterWorkerConfig } from '../schema.js';
import type { VisitOrder } from './visit-order.js';

/** What the process is to run. Secrets are in it. */
export interface RouterOrder {
  readonly worker: RouterWorkerConfig;
  /** The place of the worker in the config file. */
  readonly pointer: string;
  readonly node: NodePart;
  readonly authenticators: readonly Decider[];
  /** The names of all cookies of the node, and the paths that are never served. */
  readonly cookieNames: readonly string[];
  readonly privatePaths: readonly string[];
  /** The socket file of the node that lends it the cookie stores of its sections. */
  readonly stores: string;
  /** Fronts that lead to it. */
  readonly visits: readonly VisitOrder[];
}

/** The first message of the node. */
export interface RouterSetup {
  readonly order: RouterOrder;
  /** The node directory, absolute. */
  readonly cbdir: string;
  /** A word of pino's. */
  readonly logLevel: string;
  readonly told: NodeTold;
}

/** What the node says. */
export type NodeWord =
  | { readonly setup: RouterSetup }
  | { readonly level: string }
  | { readonly told: NodeTold }
  /** Whether the reload that is prepared is done. */
  | { readonly decided: boolean };

/** A sign of life. */
export interface ProcessPulse {
  /** Resident memory. */
  readonly rssBytes: number;
  /** Processor time since its start. */
  readonly cpuMs: number;
  readonly sessions: number;
  readonly realms: readonly string[];
  /** Its own checks (`node/lifecycle/readiness.ts`). */
  readonly checks: Readonly<Record<string, string>>;
}

/** A reload that is prepared in the process, and waits for a word. */
export interface PreparedOrder {
  /** What the worker runs with then. */
  readonly config: RouterWorkerConfig;
  readonly pending: readonly string[];
}

/** What came of a reload in the process. */
export interface DoneOrder extends ReloadLoss, ComponentsChange {
  /** What the worker runs with. */
  readonly config: RouterWorkerConfig;
  readonly offer: WorkerOffer;
}

/** What the process says. */
export type ProcessWord =
  | { readonly log: string }
  /** It lives, and does not serve yet. */
  | { readonly starts: true }
  | { readonly serves: WorkerOffer }
  | { readonly failed: string }
  | { readonly pulse: ProcessPulse }
  | { readonly prepared: PreparedOrder };

/** Asked by the node: a {@link RouterOrder} and a {@link Wished}; the answer is a {@link DoneOrder}. */
export const RELOAD = 'reload';

/** How the reload is wanted. */
export interface WishedReload {
  readonly order: RouterOrder;
  readonly restartComponents: boolean;
}
