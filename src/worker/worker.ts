/**
 * What a worker is: a part of a node that starts and stops as a whole. To add a kind: a file that exports a {@link WorkerType}, a
 * line in `worker/registry.ts`, and its schema with a line in the `oneOf` of `worker/schema.ts`.
 */
import type { LoadFunction } from '../auth/method.js';
import type { LocalClients } from '../client/local-clients.js';
import type { CookieConfig } from '../cookie/schema.js';
import type { CookieStores } from '../cookie/stores.js';
import type { Logger } from '../log/logger.js';
import type { Monitor } from '../monitor/monitor.js';
import type { NodeMetrics } from '../metrics/node-metrics.js';
import type { Decider } from '../router/deciders.js';
import type { Inventory } from '../router/meta/inventory.js';
import type { RouterUplinks } from '../router/router.js';
import type { Warden } from '../system/process/warden.js';
import type { BehindFronts } from '../transport/apart/apart.js';
import type { Drain } from '../transport/drain.js';
import type { NodeInfo } from '../transport/transport-type.js';
import type { NodeFacts } from '../transport/reload/prepared.js';
import type { ProxyTrustConfig } from '../transport/proxies/schema.js';
import type { SharedPorts } from '../transport/shared-port.js';
import type { WorkerFamilies } from './families.js';
import type { ProxyRoutes } from './proxy/schema.js';
import type { TransportConfig } from './schema.js';
import type { ApartDeps, NodePart } from './apart/deps.js';
import type { ComponentSummary, ListeningSummary, OutdatedSessions, RealmSummary } from './summary.js';

/** What the node gives to its workers. */
export interface WorkerDeps {
  /** The JSON Pointer of the worker in the config, for messages. */
  readonly pointer: string;
  /** The node directory, absolute. */
  readonly cbdir: string;
  readonly log: Logger;
  readonly load: LoadFunction;
  /** The procedures that decide about its clients. */
  readonly authenticators: readonly Decider[];
  /** What the words of its config stand for. */
  readonly families: WorkerFamilies;
  readonly stores: CookieStores;
  /** Programs of this process that want to join a realm. */
  readonly clients: LocalClients;
  /** The router workers that have started, by their ids. */
  readonly routers: Map<string, RunningRouter>;
  /** What ends the connections of the node. */
  readonly drain: Drain;
  /** Ports of the node that transports of several workers have. */
  readonly sharedPorts: SharedPorts;
  /** What operators look at. */
  readonly monitor: Monitor;
  /** What the node counts. */
  readonly metrics: NodeMetrics;
  /** What may be told of the node. */
  readonly nodeInfo: NodeInfo;
  /** Whose headers tell where clients are, for the whole node. */
  readonly proxyTrust: ProxyTrustConfig;
  /** The names of all cookies by which the node recognises browsers. */
  readonly cookieNames: ReadonlySet<string>;
  /** Files and directories that are never served, absolute. */
  readonly privatePaths: readonly string[];
  /** Where the node was started, absolute; undefined when that directory is gone. */
  readonly startdir: string | undefined;
  /** The other nodes of its realms; undefined: the node is alone. */
  readonly uplinks?: RouterUplinks | undefined;
  /** The environment of the node, for programs that it starts. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends the programs that it started when the node is gone. */
  readonly warden: Warden;
  /** The worker has ended by itself, and the shutdown words of the node count it. Called once, at any time. */
  readonly ended: (end: WorkerEnd) => void;
  /** @returns whether the shutdown words of the node let it go on when a part of the worker fails. */
  readonly outlivesFailures: () => boolean;
  /** For workers in processes of their own. */
  readonly apart: ApartDeps;
}

/** A router worker, as workers in front of it and the commands of the operator see it. */
export interface RunningRouter {
  /**
   * Starts a transport whose clients join the realms of the router, and stops it with its own.
   * @throws WorkerError when it cannot start.
   */
  takeOver(transport: TransportConfig, from: TransportOrigin): Promise<void>;
  /** Stops all transports, also its own. Resolves when their clients are gone; idempotent. */
  stopTransports(): Promise<void>;
  /** What is in its realms. */
  readonly inventories: readonly Inventory[];
}

/** Where a transport stands in the config, and which roles of which realms it leads to; all where `routes` is left out. */
export interface TransportOrigin {
  /** The id of the worker. */
  readonly worker: string;
  readonly pointer: string;
  readonly routes?: ProxyRoutes;
  /** Fronts listen for it: here it has a socket file that is nobody else's business. */
  readonly behindFronts?: BehindFronts;
}

/** How a worker ended by itself. */
export interface WorkerEnd {
  readonly failed: boolean;
}

/** Created without side effects; `start` once, `stop` at any time. */
export interface Worker {
  /**
   * @param signal gives the start up.
   * @throws WorkerError when a part of it cannot start; the reason of `signal`.
   */
  start(signal?: AbortSignal): Promise<void>;
  /**
   * Ends what has started, also after a failed start. Idempotent.
   * @param drained resolves when the connections of the node are closed; a client of the others is told before that.
   */
  stop(drained?: Promise<unknown>): Promise<void>;
  /**
   * Prepares to go on with another config, of the same type and id. A worker without it takes a new start.
   * @throws WorkerError (rejects) when a part cannot be set up: all is as before.
   */
  prepareReload?(next: AnyWorkerConfig, facts: ReloadFacts): Promise<PreparedWorker>;
  /** The node is ready, or is not any more. Resolves when all who ask the worker are told so, after a second at the latest. */
  readinessChanged?(): Promise<void>;
  /** What of it listens where, and which realms and components it has. */
  readonly summary: WorkerOffer;
}

/** What the node tells a worker with its new config. */
export interface ReloadFacts extends NodeFacts {
  /** What a process of its own is told of the rest of the config. */
  readonly node: NodePart;
  /** Whether components may be stopped and started. */
  readonly restartsComponents: boolean;
  /** The procedures that decide about its clients. */
  readonly authenticators: readonly Decider[];
}

/** What a change took away from sessions that are open. */
export interface ReloadLoss {
  /** Subscriptions and registrations that the new rules forbid. */
  readonly revoked: number;
  /** Realms and roles that are gone, and their sessions with them. */
  readonly removed: number;
  /** Of sessions in another process: those that would not be let in any more. */
  readonly outdated?: OutdatedSessions;
}

/** What came of a change of components. */
export interface ComponentsChange {
  /** The ids of those that have started, with a new config or for the first time. */
  readonly started: readonly string[];
  /** The ids of those that are gone. */
  readonly stopped: readonly string[];
  /** Why all of them are as before: one could not start. */
  readonly problems: readonly string[];
  /** JSON Pointers into the new config: what is not in force for that reason. */
  readonly pending: readonly string[];
}

/** What came of a change of components, and what the worker runs with. */
export interface SettledWorker<C extends AnyWorkerConfig = AnyWorkerConfig> extends ComponentsChange {
  readonly config: C;
}

/** A change of a worker that is ready. Either `commit` or `discard` is called. */
export interface PreparedWorker<C extends AnyWorkerConfig = AnyWorkerConfig> {
  /** What it runs with then. */
  readonly config: C;
  /** JSON Pointers into the new config: what stays as it is until the next start. */
  readonly pending: readonly string[];
  /** The change, in one step, which is done when this returns, or has begun in another process. Never throws, never rejects. */
  commit(): ReloadLoss | Promise<ReloadLoss>;
  /** Behind `commit`: what takes its time. Never rejects. */
  settle?(): Promise<SettledWorker<C>>;
  /** All is as before. */
  discard(): Promise<void>;
}

/** What a worker offers. */
export interface WorkerOffer {
  readonly listening: readonly ListeningSummary[];
  readonly realms: readonly RealmSummary[];
  /** Those that have started. */
  readonly components: readonly ComponentSummary[];
}

/** What all workers have in their config. */
export interface AnyWorkerConfig {
  readonly type: string;
  readonly id: string;
  /** Not every kind has them. */
  readonly options?: { readonly disabled?: boolean };
}

/** @returns whether a worker is switched off. */
export function isDisabled({ options }: AnyWorkerConfig): boolean {
  return options?.disabled === true;
}

/** One kind of worker. */
export interface WorkerType<C extends AnyWorkerConfig = AnyWorkerConfig> {
  /** The word for it in `type`. */
  readonly type: C['type'];
  /** It stands in front of router workers: it starts when those have started. */
  readonly leadsToRouters?: true;
  /** It is a client of the others: it starts when all of those listen. */
  readonly startsLast?: true;
  create(config: C, deps: WorkerDeps): Worker;
  /** @returns its `cookie` sections, in the order of the config. */
  cookieSections(config: C, families: WorkerFamilies): readonly CookieConfig[];
  /** @returns the files of it that are nobody else's business, like private keys; absolute. */
  privateFiles(config: C): readonly string[];
}

/** A part of a worker could not start; the message names it, `cause` is why. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError';
}
