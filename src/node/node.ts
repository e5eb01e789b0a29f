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
import { openedStores } from '../cookie/managed-stores.js';
import { StoreManagement } from '../cookie/management.js';
import { NodeMetrics } from '../metrics/node-metrics.js';
import type { CookieCounts } from '../metrics/cookie-counts.js';
import type { CookieConfig } from '../cookie/schema.js';
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
import type { SchemaTree } from '../config/walk.js';
import type { CompiledSchema } from '../config/validate.js';
import { workerTypeOf } from '../worker/registry.js';
import type { Families } from '../worker/registry.js';
import { WorkerError } from '../worker/worker.js';
import type { RunningRouter, Worker, WorkerEnd } from '../worker/worker.js';
import type { NodeOptions, RunningNode, ShutdownReason } from './api.js';
import { ControlServer } from './control.js';
import { cookieRequests } from './cookie-control.js';
import { cookieStoreSummaries } from './cookie-stores.js';
import { takeDirectory, workingDirectory } from './directory.js';
import type { NodeSource, TakenDirectory } from './directory.js';
import { cookieSectionsIn, enabledWorkers, inStartOrder } from './reload/enabled-workers.js';
import type { EnabledWorker } from './reload/enabled-workers.js';
import { joinCluster } from './cluster/join.js';
import type { NodeCluster } from './cluster/node-cluster.js';
import { NodeError } from './error.js';
import { limitProcess } from './limits.js';
import { monitorOf } from './monitor/node-monitor.js';
import { monitorRequests } from './monitor/requests.js';
import { packageVersion } from './package.js';
import { privatePathsOf } from './private-paths.js';
import { processRequests } from './process-control.js';
import type { NodeProcess } from './process-control.js';
import { atMost } from './lifecycle/at-most.js';
import { drainOf, longestEndMs } from './lifecycle/drain.js';
import { nodeInfoOf } from './lifecycle/node-info.js';
import { openLogs } from './lifecycle/logs.js';
import type { OpenLogs } from './lifecycle/logs.js';
import { readinessOf } from './lifecycle/readiness.js';
import { Reloading } from './reload/reloading.js';
import { outdatedSessions } from './reload/outdated.js';
import { prepareWorkers } from './reload/workers.js';
import type { ReloadedNode } from './reload/reloading.js';
import type { ReloadFacts, ReloadReport, ReloadWish } from './reload/report.js';
import { realmsServedBy, sessionRequests } from './session-control.js';
import type { ServedRealm } from './session-control.js';
import { shutdownReason } from './shutdown.js';
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

interface NodeParts extends TakenDirectory, OpenLogs {
  readonly tree?: SchemaTree | undefined;
  readonly families: Families;
  readonly env: NonNullable<NodeOptions['env']>;
  readonly onShutdown: NodeOptions['onShutdown'];
  readonly onStopping: NodeOptions['onStopping'];
}

/** How long the end of the node waits for workers that are its clients before it closes connections, theirs included. */
const CLIENTS_MS = 1000;

class Node implements RunningNode {
  readonly #parts: NodeParts;
  readonly #log: Logger;
  readonly #stores: CookieStores;
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
  /** What it runs with. */
  #loaded: NodeSource;
  /** Workers that have not ended by themselves. */
  #left = 0;
  #started = false;
  /** Why it ends by itself; while it starts, it waits for that. */
  #reason: ShutdownReason | undefined;
  #control: ControlServer | undefined;
  #cluster: NodeCluster | undefined;
  #stopped: Promise<void> | undefined;

  readonly #load: LoadFunction = (module, name) => loadFunction(this.#parts.cbdir, module, name);

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.#log = parts.log;
    this.#loaded = parts.loaded;
    this.#reloading = new Reloading(this.#asReloaded());
    this.#clients = new LocalClients(parts.log);
    const facts = (): ReloadFacts => this.#reloading.facts;
    this.#monitor = monitorOf(
      () => ({ summary: this.summary, startedMs: this.#startedMs, config: facts() }),
      parts.log,
    );
    this.#metrics.identify({ program: process, version: packageVersion() });
    const countsOf = (store: string): CookieCounts => this.#metrics.cookieStore(store);
    this.#stores = new CookieStores({ clock: Date.now, log: parts.log, countsOf }, parts.families.stores);
    this.#warden = new Warden((problem) =>
      parts.log.warn({ problem: messageOf(problem) }, 'nobody ends the programs of the node if it is killed'),
    );
    this.#drain = drainOf(parts.loaded.config.controller.options, parts.log);
  }

  get summary(): NodeSummary {
    const { cbdir, families } = this.#parts;
    const [loaded, workers] = [this.#loaded, enabledWorkers(this.#loaded).map(({ worker }) => worker)];
    const summaries = this.#workers.map(({ summary }) => summary);
    return {
      pid: process.pid,
      title: loaded.config.controller.options.title ?? 'crossbar-ts',
      cbdir,
      ...(loaded.file === undefined ? {} : { config: loaded.file }),
      workers: workers.map(({ id: worker, type }) => ({ worker, type })),
      listening: summaries.flatMap(({ listening }) => listening),
      realms: summaries.flatMap(({ realms }) => realms),
      components: summaries.flatMap(({ components }) => components),
      cookieStores: cookieStoreSummaries(workers, families),
      ...this.#cluster?.told,
    };
  }

  async start(signal?: AbortSignal): Promise<void> {
    try {
      const workers = inStartOrder(enabledWorkers(this.#loaded), this.#parts.families);
      this.#left = workers.length;
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
    for (const store of this.summary.cookieStores) this.#log.info(store, 'cookie store opened');
    const { pid, cbdir, config } = this.summary;
    this.#log.info({ pid, cbdir, config }, 'node started');
    this.#parts.audit?.record({ event: 'node started', about: { pid, config, version: packageVersion() } });
    this.#started = true;
    this.#endByItself();
  }

  #onWorkerEnd(worker: string, end: WorkerEnd): void {
    this.#left -= 1;
    this.#reason ??= this.#reasonOf(worker, end);
    this.#endByItself();
  }

  #reasonOf(worker: string, end: WorkerEnd): ShutdownReason | undefined {
    return shutdownReason(this.#loaded.config.controller.options.shutdown, { ...end, worker, left: this.#left });
  }

  #endByItself(): void {
    const reason = this.#reason;
    if (reason === undefined || !this.#started || this.#stopped !== undefined) return;
    this.#log[reason.failed ? 'error' : 'info'](reason, 'a worker has ended, and the node ends with it');
    this.#endFor(reason);
  }

  #endFor(reason: ShutdownReason): void {
    const { onShutdown } = this.#parts;
    this.stop().then(
      () => onShutdown?.(reason),
      (err: unknown) => {
        this.#log.error({ err }, 'stop failed');
        onShutdown?.({ ...reason, failed: true });
      },
    );
  }

  async connect(realm: string, options: ConnectOptions): Promise<ClientSession> {
    if (this.#stopped !== undefined) throw new NodeError('ERR_NODE_STOPPED', 'the node was stopped');
    return this.#clients.connect(realm, options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#shutDown();
    return this.#stopped;
  }

  async #startControl(): Promise<ControlServer | undefined> {
    const { rundir } = this.#parts;
    if (rundir === undefined) return undefined;
    const cookies = new StoreManagement(() => openedStores(this.#stores, this.#cookieSections), this.#log);
    const handlers = {
      ...cookieRequests(cookies),
      ...sessionRequests(() => this.#servedRealms, this.#log),
      ...processRequests(this.#asProcess()),
      ...monitorRequests(this.#monitor),
    };
    return ControlServer.start({ cbdir: rundir, handlers, log: this.#log });
  }

  /** The node as a whole, for commands. */
  #asProcess(): NodeProcess {
    return {
      status: () => ({
        pid: process.pid,
        version: packageVersion(),
        started: new Date(this.#startedMs).toISOString(),
        ready: this.#readiness.isReady,
        ...this.#cluster?.told,
        realms: this.#servedRealms.map(({ inventory }) => inventory.realm),
        sessions: this.#sessionCount,
        config_loaded: this.#reloading.facts.loadedAt,
        last_reload_successful: this.#reloading.facts.lastReloadSuccessful,
        pending_restart: this.#reloading.facts.pending,
      }),
      longestEndMs: () => longestEndMs(this.#parts.loaded.config.controller.options),
      reload: (wish) => this.reload(wish),
      stop: () => this.#endFor({ failed: false, word: 'stop' }),
    };
  }

  reload(wish?: ReloadWish): Promise<ReloadReport> {
    return this.#reloading.reload(wish);
  }

  #asReloaded(): ReloadedNode {
    const { log, level, read, families, cbdir, tree = nodeSchemaTree } = this.#parts;
    const running = (): NodeSource => this.#loaded;
    return {
      ...{ log, read, tree, clock: Date.now },
      get running() {
        return running();
      },
      prepare: (next, wish) => prepareWorkers(this.#workersById, enabledWorkers(next), next, { families, cbdir, wish }),
      outdated: () => outdatedSessions(this.#servedRealms, this.#loaded.config.controller.options.reload, log),
      took: (source) => {
        this.#loaded = source;
        level.take(source.config.controller.options);
        limitProcess(source.config.controller.options, log);
      },
      told: (facts) => this.#metrics.config.tell(facts),
    };
  }

  get #readiness(): Readiness {
    return readinessOf({
      hasStarted: this.#started,
      isStopping: this.#stopped !== undefined,
      lacksCookies: this.#loaded.needsCookies && this.#stores.allFail,
      cluster: this.#cluster?.readiness,
    });
  }

  get #sessionCount(): number {
    return this.#servedRealms.reduce((sum, { inventory }) => sum + inventory.sessionCount, 0);
  }

  get #cookieSections(): readonly CookieConfig[] {
    return cookieSectionsIn(this.#loaded, this.#parts.families);
  }

  get #servedRealms(): readonly ServedRealm[] {
    return realmsServedBy(this.#routers);
  }

  /** What web services may tell. */
  get #info(): NodeInfo {
    return nodeInfoOf({
      id: this.#loaded.config.controller.id,
      startedMs: this.#startedMs,
      summary: () => this.summary,
      sessions: () => this.#sessionCount,
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
      cookieNames: new Set(this.#cookieSections.map(({ name }) => name)),
      ended: (end) => this.#onWorkerEnd(config.id, end),
      outlivesFailures: () => this.#reasonOf(config.id, { failed: true }) === undefined,
      nodeInfo: this.#info,
      privatePaths: privatePathsOf(loaded, cbdir, families),
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

  async #shutDown(): Promise<void> {
    try {
      if (this.#started) {
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
      await this.#stores.closeAll();
    } finally {
      this.#warden.close();
      this.#parts.audit?.record({ event: 'node stopped', about: { pid: process.pid } });
      await this.#parts.audit?.close();
      await this.#parts.pidFile?.release();
    }
    this.#log.info('node stopped');
  }
}
