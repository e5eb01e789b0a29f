/**
 * A node that is the process of one router worker of another node: it has no directory, no config file and no commands of its own. Whoever
 * runs it (`router-program/`) tells it what it has to know of the node that it belongs to.
 */
import type { NodeConfig } from '../../config/schema.js';
import type { Logger } from '../../log/logger.js';
import type { NodeTold } from '../../worker/apart/deps.js';
import type { ProcessPulse, RouterOrder } from '../../worker/apart/order.js';
import { WorkerError } from '../../worker/worker.js';
import type { PreparedWorker } from '../../worker/worker.js';
import type { RunningNode } from '../api.js';
import type { ControlHandlers } from '../control.js';
import type { NodeSource, TakenDirectory } from '../directory.js';
import type { Readiness } from '../../transport/transport-type.js';

/** What is asked of whoever runs such a node. */
export interface Hosting {
  /** What it was told to run; another one when a reload begins. */
  readonly order: RouterOrder;
  /** What the node that it belongs to said last. */
  readonly told: NodeTold;
  /** A change is ready. Resolves with whether it is to be done. */
  confirm(prepared: readonly PreparedWorker[]): Promise<boolean>;
}

/** @returns where such a node lives. */
export function hostedDirectory(cbdir: string, hosting: Hosting): TakenDirectory {
  const read = (): Promise<NodeSource> => Promise.resolve(sourceOf(hosting.order));
  return { cbdir, rundir: undefined, loaded: sourceOf(hosting.order), read, pidFile: undefined };
}

function sourceOf({ worker, pointer, node, authenticators }: RouterOrder): NodeSource {
  // It was checked by the node, whose type is not known where orders are made.
  const { options, ...controller } = node.controller as NodeConfig['controller'];
  const own = { ...options, drain: { ...options.drain, delay: 0 } };
  // The level comes with the node's, and the delay is over when it is told to stop.
  delete (own as { log_level?: unknown }).log_level;
  return {
    config: { version: 2, controller: { ...controller, options: own }, workers: [worker] },
    authenticators: [authenticators],
    needsCookies: node.needsCookies,
    pointers: [pointer],
    ...{ warnings: [], notes: [], sights: [] },
    problemAt: (path, text) => ({ file: 'config', line: 0, column: 0, pointer: `/${path.join('/')}`, text }),
  };
}

/** @returns the changes, when they are to be done. @throws WorkerError (rejects) when not: they are discarded. */
export async function confirmed(
  preparing: Promise<readonly PreparedWorker[]>,
  hosting: Hosting | undefined,
): Promise<readonly PreparedWorker[]> {
  const prepared = await preparing;
  if (hosting === undefined || (await hosting.confirm(prepared))) return prepared;
  await Promise.all(prepared.map((change) => change.discard()));
  throw new WorkerError('another part of the node could not take its config');
}

/** @returns whether clients can come, to this process and to the node. */
export function readinessAlso(own: Readiness, hosting: Hosting | undefined): Readiness {
  if (hosting === undefined) return own;
  const { readiness } = hosting.told;
  const found = Object.entries(own.checks).filter(([, text]) => text !== 'ok');
  return {
    isReady: own.isReady && readiness.isReady,
    checks: { ...readiness.checks, ...Object.fromEntries(found) },
  };
}

/** How the process of a worker is started as a node. */
export interface HostedOptions {
  /** The node directory, absolute. */
  readonly cbdir: string;
  readonly hosting: Hosting;
  readonly log: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gives the start up. */
  readonly signal: AbortSignal;
}

/** Such a node, while it runs. */
export interface HostedNode extends RunningNode {
  /** A sign of life. */
  readonly pulse: ProcessPulse;
  /** The end of the node that it belongs to is near: nothing changes but that those who ask are told so. */
  endIsNear(): void;
  /** What it runs with. */
  readonly config: NodeConfig;
  /** What the node that it belongs to may ask. */
  readonly requests: ControlHandlers;
}
