/**
 * A node: everything that a config names, built, started and stopped together. No signal handlers, nothing on standard
 * output, any number of nodes in one process. Each has a directory of its own, or none (`directory.ts`).
 *
 *     start: config -> node.pid -> the cluster -> every worker (`worker/router-worker.ts`: realms, components, transports), those in front
 *            of routers after them, those that are clients of the others last -> control socket
 *     stop:  0. `drain.delay`: nothing changes but that the node says it is not ready
 *               the control socket: no command comes any more
 *            1. workers that are clients of the others: they say goodbye while those are there; others wait a moment for it
 *            2. every other worker: its transports stop listening, the connections of all of them are closed one by one
 *               (`transport/drain.ts`), those left after a grace are cut; then its components and the sessions of
 *               `connect` leave
 *            3. the cluster, which others take over at once; cookie stores: flush and close, nobody is left who could write
 *            4. the warden, which has nobody left to watch
 *            5. node.pid: from here on another node may have the directory
 *
 * The end of a worker may be the end of the node (`shutdown.ts`). A start that fails takes the way of `stop` for all that had started.
 */

import type { LoadFunction } from '../auth/method.js';
import { LocalClients } from '../client/local-clients.js';
import type { ClientSession, ConnectOptions } from '../client/api.js';
import { StoreManagement } from '../cookie/management.js';
import { NodeMetrics } from '../metrics/node-metrics.js';
import type { CookieCounts } from '../metrics/cookie-counts.js';
import { CookieStores } from '../cookie/stores.js';
import { silentLogger } from '../log/logger.js';
import type { Logger } from '../log/logger.js';
import type { Monitor } from '../monitor/monitor.js';
import { loadFunction } from '../system/module.js';
import { messageOf } from '../system/error.js';
import { Warden } from '../system/process/warden.js';
import type { Drain } from '../transport/drain.js';
import type { NodeInfo, Readiness } from '../transport/transport-type.js';
import { SharedPorts } from '../transport/shared-port.js';
import { nodeSchemaTree } from '../config/schema.js';
import type { NodeConfig } from '../config/schema.js';
import type { CompiledSchema } from '../config/validate.js';
import { RouterProcesses } from '../worker/apart/processes.js';
import type { ApartDeps } from '../worker/apart/deps.js';
import type { ProcessPulse } from '../worker/apart/order.js';
import { workerTypeOf } from '../worker/registry.js';
import type { Families } from '../worker/registry.js';
import { WorkerError } from '../worker/worker.js';
import type { RunningRouter, Worker } from '../worker/worker.js';
import type { NodeOptions, RunningNode } from './api.js';
import { apartDepsOf } from './apart/apart-deps.js';
import { confirmed, readinessAlso } from './apart/hosting.js';
import type { HostedNode } from './apart/hosting.js';
import { hostedRequests, ownPulse } from './apart/hosted-requests.js';
import { Lending, managedStoresOf, storeTypesOf } from './apart/lending.js';
import { sessionRequestsOfAll } from './apart/session-requests.js';
import { ControlServer } from './control.js';
import type { ControlHandlers } from './control.js';
import { cookieRequests } from './cookie-control.js';
import { takeDirectory, workingDirectory } from './directory.js';
import type { NodeSource } from './directory.js';
import { enabledWorkers, inStartOrder } from './reload/enabled-workers.js';
import type { EnabledWorker } from './reload/enabled-workers.js';
import { joinCluster } from './cluster/join.js';
import type { NodeCluster } from './cluster/node-cluster.js';
import { NodeError } from './error.js';
import { limitProcess } from './limits.js';
import { monitorOf } from './monitor/node-monitor.js';
import type { NodeInView } from './monitor/node-monitor.js';
import { monitorRequests } from './monitor/requests.js';
import { packageVersion } from './package.js';
import { processRequests } from './process-control.js';
import type { NodeProcess, NodeStatus } from './process-control.js';
import { atMost } from './lifecycle/at-most.js';
import { OwnEnd } from './lifecycle/own-end.js';
import { drainOf, longestEndMs } from './lifecycle/drain.js';
import { nodeInfoOf } from './lifecycle/node-info.js';
import { nodeStatusOf, nodeSummaryOf, sayStarted } from './lifecycle/node-summary.js';
import { openLogs } from './lifecycle/logs.js';
import type { NodeParts } from './lifecycle/node-parts.js';
import { readinessOf } from './lifecycle/readiness.js';
import { Reloading } from './reload/reloading.js';
import { outdatedSessions } from './reload/outdated.js';
import { factsOf, prepareWorkers } from './reload/workers.js';
import type { ReloadedNode } from './reload/reloading.js';
import type { ReloadReport, ReloadWish } from './reload/report.js';
import { realmsServedBy, sessionRequests } from './session-control.js';
import type { ServedRealm } from './session-control.js';
import type { NodeSummary } from './summary.js';

/** What may stand in the config of a node, and what the words in it stand for. */
export interface NodeWords {
  readonly families: Families;
  /** By default of the words that we ship. */
  readonly schema?: CompiledSchema;
}

/**
 * Starts a node with what it may be made of.
 *
 * @throws ConfigError when the config is missing or wrong, with every problem.
 * @throws NodeError when the directory is missing or taken, or a part cannot start; the message names the part.
 * @throws the reason of `signal`.
 */
export async function startNodeWith({ families, schema }: NodeWords, options: NodeOptions): Promise<RunningNode> {
  const { log: plain = silentLogger(), configSetsLogLevel = false } = options;
  const directory = await takeDirectory(options, plain, schema);
  const { loaded } = directory;
  // The silent logger is everybody's.
  const logs = await openLogs(directory, plain, configSetsLogLevel && options.log !== undefined);
  limitProcess(loaded.config.controller.options, logs.log);
  const { env = process.env, onShutdown, onStopping } = options;
  const node = new Node({ ...directory, tree: schema?.tree, families, ...logs, env, onShutdown, onStopping });
  await node.start(options.signal);
  return node;
}

/** How long the end of the node waits for workers that are its clients before it closes connections, theirs included. */
const CLIENTS_MS = 1000;

/** A node: see the head of this file. Others start one by {@link startNodeWith}. */
export class Node implements HostedNode {
  readonly #parts: NodeParts;
  readonly #log: Logger;
  readonly #stores: CookieStores;
  readonly #lending: Lending;
  readonly #drain: Drain;
  /** Every worker that was told to start, also one that failed. */
  readonly #workers: Worker[] = [];
  readonly #workersById = new Map<string, Worker>();
  /** Those of them that are clients of the others. */
  readonly #clientWorkers = new Set<Worker>();
  readonly #routers = new Map<string, RunningRouter>();
  readonly #clients: LocalClients;
  readonly #sharedPorts = new SharedPorts();
  readonly #warden: Warden;
  readonly #startedMs = Date.now();
  readonly #monitor: Monitor;
  readonly #metrics = new NodeMetrics();
  readonly #reloading: Reloading;
  readonly #processes = new RouterProcesses();
  /** What it runs with. */
  #loaded: NodeSource;
  readonly #ownEnd: OwnEnd;
  #started = false;
  #control: ControlServer | undefined;
  #cluster: NodeCluster | undefined;
  #stopped: Promise<void> | undefined;

  readonly #load: LoadFunction = (module, name) => loadFunction(this.#parts.cbdir, module, name);

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.#log = parts.log;
    this.#loaded = parts.loaded;
    this.#reloading = new Reloading(this.#asReloaded());
    this.#ownEnd = new OwnEnd({
      ...{ log: parts.log, onShutdown: parts.onShutdown, stop: () => this.stop() },
      words: () => this.#loaded.config.controller.options.shutdown,
    });
    this.#clients = new LocalClients(parts.log);
    const [startedMs, facts] = [this.#startedMs, () => this.#reloading.facts];
    const view = (): NodeInView => ({ summary: this.summary, startedMs, config: facts() });
    this.#monitor = monitorOf(view, parts.log, this.#processes);
    this.#metrics.add(() => this.#processes.counted());
    this.#metrics.identify({ program: process, version: packageVersion() });
    const countsOf = (store: string): CookieCounts => this.#metrics.cookieStore(store);
    this.#stores = new CookieStores({ clock: Date.now, log: parts.log, countsOf }, storeTypesOf(parts));
    this.#lending = new Lending(this.#stores, parts.log);
    this.#warden = new Warden((problem) =>
      parts.log.warn({ problem: messageOf(problem) }, 'nobody ends the programs of the node if it is killed'),
    );
    this.#drain = drainOf(parts.loaded.config.controller.options, parts.log);
  }

  get summary(): NodeSummary {
    const [{ cbdir, families }, loaded, told] = [this.#parts, this.#loaded, this.#cluster?.told];
    return nodeSummaryOf({ loaded, cbdir, families, running: this.#workers, told });
  }

  async start(signal?: AbortSignal): Promise<void> {
    try {
      const workers = inStartOrder(enabledWorkers(this.#loaded), this.#parts.families);
      this.#ownEnd.expects(workers.length);
      this.#cluster = await joinCluster(this.#loaded.config, { log: this.#log, signal, metrics: this.#metrics });
      for (const worker of workers) await this.#startWorker(worker, signal);
      this.#sharedPorts.complete();
      this.#control = await this.#startControl();
      signal?.throwIfAborted();
    } catch (error) {
      await this.#stopAfterFailure();
      signal?.throwIfAborted();
      throw error;
    }
    this.#started = true;
    await this.#tellReadiness();
    const { pid, config } = this.summary;
    sayStarted(this.summary, this.#log, this.#parts.hosting !== undefined);
    this.#parts.audit?.record({ event: 'node started', about: { pid, config, version: packageVersion() } });
    this.#ownEnd.started();
  }

  async connect(realm: string, options: ConnectOptions): Promise<ClientSession> {
    if (this.#stopped !== undefined) throw new NodeError('ERR_NODE_STOPPED', 'the node was stopped');
    return this.#clients.connect(realm, options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  stop(): Promise<void> {
    this.#ownEnd.stopping();
    this.#stopped ??= this.#shutDown();
    return this.#stopped;
  }

  async #startControl(): Promise<ControlServer | undefined> {
    const { rundir } = this.#parts;
    if (rundir === undefined) return undefined;
    const stores = () => managedStoresOf(this.#loaded, this.#stores, this.#parts.families);
    const handlers = {
      ...cookieRequests(new StoreManagement(stores, this.#log)),
      ...sessionRequestsOfAll(() => this.#servedRealms, this.#log, this.#processes),
      ...processRequests(this.#asProcess()),
      ...monitorRequests(this.#monitor),
    };
    return ControlServer.start({ cbdir: rundir, handlers, log: this.#log });
  }

  /** The node as a whole, for commands. */
  #asProcess(): NodeProcess {
    return {
      status: () => this.#status,
      longestEndMs: () => longestEndMs(this.#parts.loaded.config.controller.options),
      reload: (wish) => this.reload(wish),
      stop: () => this.#ownEnd.endFor({ failed: false, word: 'stop' }),
    };
  }

  get #status(): NodeStatus {
    const [startedMs, { isReady }, reload] = [this.#startedMs, this.#readiness, this.#reloading.facts];
    const facts = { startedMs, isReady, reload, told: this.#cluster?.told };
    return nodeStatusOf({ ...facts, served: this.#servedRealms, processes: this.#processes });
  }

  reload(wish?: ReloadWish): Promise<ReloadReport> {
    return this.#reloading.reload(wish);
  }

  #asReloaded(): ReloadedNode {
    const { log, level, read, families, cbdir, tree = nodeSchemaTree, hosting } = this.#parts;
    const running = (): NodeSource => this.#loaded;
    return {
      ...{ log: hosting === undefined ? log : silentLogger(), read, tree, clock: Date.now },
      get running() {
        return running();
      },
      prepare: (next, wish) =>
        confirmed(prepareWorkers(this.#workersById, next, { families, cbdir, wish, hosting }), hosting),
      outdated: () => outdatedSessions(this.#servedRealms, this.#loaded.config.controller.options.reload, log),
      took: (source) => {
        this.#loaded = source;
        level.take(source.config.controller.options);
        limitProcess(source.config.controller.options, log);
      },
      told: (facts) => this.#metrics.config.tell(facts),
    };
  }

  // As the process of a worker: see `HostedNode`.
  get pulse(): ProcessPulse {
    return ownPulse(this.#servedRealms, this.#readinessBeside());
  }

  endIsNear(): void {
    this.#drain.near();
  }

  get config(): NodeConfig {
    return this.#loaded.config;
  }

  get requests(): ControlHandlers {
    const own = sessionRequests(() => this.#servedRealms, this.#log);
    const visited = { log: this.#log, routers: this.#routers };
    return { ...own, ...hostedRequests(this.#monitor, this.#metrics, visited) };
  }

  /** For workers in processes of their own. */
  get #apart(): ApartDeps {
    return apartDepsOf({
      ...{ loaded: this.#loaded, processes: this.#processes, lending: this.#lending, startedMs: this.#startedMs },
      isStopping: () => this.#stopped !== undefined,
      sessions: () => this.#ownSessions,
      readinessBeside: (worker) => this.#readinessBeside(worker),
    });
  }

  get #readiness(): Readiness {
    return readinessAlso(this.#readinessBeside(), this.#parts.hosting);
  }

  /** @param worker whose process does not count. */
  #readinessBeside(worker?: string): Readiness {
    return readinessOf({
      hasStarted: this.#started,
      isStopping: this.#stopped !== undefined,
      lacksCookies: this.#loaded.needsCookies && this.#stores.allFail,
      cluster: this.#cluster?.readiness,
      processes: this.#processes.problemBeside(worker),
    });
  }

  get #ownSessions(): number {
    return this.#servedRealms.reduce((sum, { inventory }) => sum + inventory.sessionCount, 0);
  }

  get #servedRealms(): readonly ServedRealm[] {
    return realmsServedBy(this.#routers);
  }

  /** What web services may tell. */
  get #info(): NodeInfo {
    const { hosting } = this.#parts;
    return nodeInfoOf({
      id: this.#loaded.config.controller.id,
      startedMs: hosting?.told.startedMs ?? this.#startedMs,
      summary: () => ({ ...this.summary, ...hosting?.told }),
      sessions: () => this.#ownSessions + (hosting?.told.sessions ?? this.#processes.sessionsBeside()),
      readiness: () => this.#readiness,
      reload: () => this.#reloading.facts,
    });
  }

  async #startWorker(
    { worker: config, pointer, authenticators }: EnabledWorker,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const [{ cbdir, families, env }, loaded] = [this.#parts, this.#loaded];
    const type = workerTypeOf(config, families);
    const worker = type.create(config, {
      ...{ pointer, cbdir, log: this.#log, load: this.#load, stores: this.#stores, drain: this.#drain },
      ...{ clients: this.#clients, routers: this.#routers, families, authenticators, env, warden: this.#warden },
      ...{ monitor: this.#monitor, metrics: this.#metrics, uplinks: this.#cluster?.uplinks },
      ...{ sharedPorts: this.#sharedPorts, startdir: workingDirectory(), proxyTrust: loaded.config.controller.options },
      apart: this.#apart,
      ended: (end) => this.#ownEnd.workerEnded(config.id, end),
      outlivesFailures: () => this.#ownEnd.reasonOf(config.id, { failed: true }) === undefined,
      nodeInfo: this.#info,
      ...factsOf(loaded, { cbdir, families, hosting: this.#parts.hosting }),
    });
    this.#workers.push(worker);
    this.#workersById.set(config.id, worker);
    if (type.startsLast === true) this.#clientWorkers.add(worker);
    try {
      await worker.start(signal);
    } catch (cause) {
      if (!(cause instanceof WorkerError)) throw cause;
      throw new NodeError('ERR_NODE_START', cause.message, { cause: cause.cause });
    }
  }

  async #stopAfterFailure(): Promise<void> {
    try {
      await this.stop();
    } catch (err) {
      // The caller is told why the start failed; this comes on top of it.
      this.#log.error({ err }, 'stop after a failed start failed');
    }
  }

  async #tellReadiness(): Promise<void> {
    // Behind this turn: `stop` has to be seen.
    await Promise.resolve();
    for (const worker of this.#workers) await worker.readinessChanged?.();
  }

  async #shutDown(): Promise<void> {
    try {
      if (this.#started) {
        await this.#tellReadiness();
        this.#parts.onStopping?.(longestEndMs(this.#parts.loaded.config.controller.options));
        await this.#drain.announce();
      }
      await this.#control?.stop();
      const clientsGone = Promise.all([...this.#clientWorkers].map((worker) => worker.stop()));
      if (this.#clientWorkers.size > 0) await atMost(CLIENTS_MS, clientsGone);
      const drained = this.#drain.run();
      const left = drained.then(() => this.#clients.stop());
      const routers = this.#workers.filter((worker) => !this.#clientWorkers.has(worker));
      await Promise.all([clientsGone, left, ...routers.map((worker) => worker.stop(drained))]);
      await this.#cluster?.stop();
      await this.#lending.end();
      await this.#stores.closeAll();
    } finally {
      this.#warden.close();
      this.#parts.audit?.record({ event: 'node stopped', about: { pid: process.pid } });
      await this.#parts.audit?.close();
      await this.#parts.pidFile?.release();
    }
    if (this.#parts.hosting === undefined) this.#log.info('node stopped');
  }
}
