/**
 * A node: everything that a config names, built, started and stopped together. No signal handlers, nothing on standard
 * output, any number of nodes in one process. Each has a directory of its own, or none (`directory.ts`).
 *
 *     start: config -> node.pid -> every worker (`worker/router-worker.ts`: realms, components, transports), those in front
 *            of routers after them, those that are clients of the others last -> control socket
 *     stop:  0. `drain.delay`: nothing changes but that the node says it is not ready
 *               the control socket: no command comes any more
 *            1. workers that are clients of the others: they say goodbye while those are there; others wait a moment for it
 *            2. every other worker: its transports stop listening, the connections of all of them are closed one by one
 *               (`transport/drain.ts`), those left after a grace are cut; then its components and the sessions of
 *               `connect` leave
 *            3. cookie stores: flush and close; nobody is left who could write
 *            4. the warden, which has nobody left to watch
 *            5. node.pid: from here on another node may have the directory
 *
 * The end of a worker may be the end of the node (`shutdown.ts`). A start that fails takes the way of `stop` for all that had started.
 */
import { setTimeout as delay } from 'node:timers/promises';

import type { LoadFunction } from '../auth/method.js';
import { LocalClients } from '../client/local-clients.js';
import type { ClientSession, ConnectOptions } from '../client/api.js';
import { openedStores } from '../cookie/managed-stores.js';
import { StoreManagement } from '../cookie/management.js';
import { NodeMetrics } from '../metrics/node-metrics.js';
import type { CookieCounts } from '../metrics/cookie-counts.js';
import type { CookieConfig } from '../cookie/schema.js';
import { CookieStores } from '../cookie/stores.js';
import { withAudit } from '../log/audit.js';
import { silentLogger } from '../log/logger.js';
import type { Logger } from '../log/logger.js';
import type { Monitor } from '../monitor/monitor.js';
import { loadFunction } from '../system/module.js';
import { messageOf } from '../system/error.js';
import { Warden } from '../system/process/warden.js';
import { Drain, drainTimesOf, longestDrainMs } from '../transport/drain.js';
import type { NodeDetails, NodeInfo, Readiness } from '../transport/transport-type.js';
import { SharedPorts } from '../transport/shared-port.js';
import type { CompiledSchema } from '../config/validate.js';
import { workerTypeOf } from '../worker/registry.js';
import type { Families } from '../worker/registry.js';
import type { WorkerConfig } from '../worker/schema.js';
import { isDisabled, WorkerError } from '../worker/worker.js';
import type { RunningRouter, Worker, WorkerDeps, WorkerEnd } from '../worker/worker.js';
import type { NodeOptions, RunningNode, ShutdownReason } from './api.js';
import { ControlServer } from './control.js';
import { openAudit } from './audit/open-audit.js';
import type { OpenAudit } from './audit/open-audit.js';
import { cookieRequests } from './cookie-control.js';
import { cookieSectionsOf, cookieStoreSummaries } from './cookie-stores.js';
import { takeDirectory } from './directory.js';
import type { NodeSource, TakenDirectory } from './directory.js';
import { NodeError } from './error.js';
import { limitProcess } from './limits.js';
import { monitorOf } from './monitor/node-monitor.js';
import { monitorRequests } from './monitor/requests.js';
import { packageVersion } from './package.js';
import { privatePathsOf } from './private-paths.js';
import { processRequests } from './process-control.js';
import type { NodeProcess } from './process-control.js';
import { atMost } from './lifecycle/at-most.js';
import { readinessOf } from './lifecycle/readiness.js';
import { sessionRequests } from './session-control.js';
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
  const { log: plain = silentLogger() } = options;
  const directory = await takeDirectory(options, plain, schema);
  const { loaded } = directory;
  const { audit: auditConfig } = loaded.config.controller.options;
  const audit = auditConfig === undefined ? undefined : await openAudit(auditConfig, directory, plain);
  const log = audit === undefined ? plain : withAudit(plain, audit);
  for (const { file, line, column, pointer, text } of loaded.warnings) {
    log.warn({ file, line, column, pointer, problem: text }, 'config warning');
  }
  for (const { file, line, column, pointer, text } of loaded.notes) {
    log.info({ file, line, column, pointer, note: text }, 'config note');
  }
  limitProcess(loaded.config.controller.options, log);
  const { env = process.env, onShutdown, onStopping } = options;
  const node = new Node({ ...directory, families, log, audit, env, onShutdown, onStopping });
  await node.start(options.signal);
  return node;
}

interface NodeParts extends TakenDirectory {
  readonly families: Families;
  readonly log: Logger;
  readonly audit: OpenAudit | undefined;
  readonly env: NonNullable<NodeOptions['env']>;
  readonly onShutdown: NodeOptions['onShutdown'];
  readonly onStopping: NodeOptions['onStopping'];
}

/** What follows when the last connection was told: it may take a second to read that, requests have to end, stores are written. */
const LAST_STEPS_MS = 5000;

/** How long the end of the node waits for workers that are its clients before it closes connections, theirs included. */
const CLIENTS_MS = 1000;

class Node implements RunningNode {
  readonly #parts: NodeParts;
  readonly #log: Logger;
  readonly #stores: CookieStores;
  readonly #drain: Drain;
  /** Every worker that was told to start, also one that failed. */
  readonly #workers: Worker[] = [];
  /** Those of them that are clients of the others. */
  readonly #clientWorkers = new Set<Worker>();
  readonly #routers = new Map<string, RunningRouter>();
  readonly #clients: LocalClients;
  readonly #sharedPorts = new SharedPorts();
  readonly #warden: Warden;
  readonly #startedMs = Date.now();
  readonly #monitor: Monitor;
  readonly #metrics = new NodeMetrics();
  /** Workers that have not ended by themselves. */
  #left = 0;
  #started = false;
  /** Why it ends by itself; while it starts, it waits for that. */
  #reason: ShutdownReason | undefined;
  #control: ControlServer | undefined;
  #stopped: Promise<void> | undefined;

  readonly #load: LoadFunction = (module, name) => loadFunction(this.#parts.cbdir, module, name);

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.#log = parts.log;
    this.#clients = new LocalClients(parts.log);
    this.#monitor = monitorOf(() => ({ summary: this.summary, startedMs: this.#startedMs }), parts.log);
    this.#metrics.config.loadedMs = this.#startedMs;
    this.#metrics.identify({ program: process, version: packageVersion() });
    const countsOf = (store: string): CookieCounts => this.#metrics.cookieStore(store);
    this.#stores = new CookieStores({ clock: Date.now, log: parts.log, countsOf }, parts.families.stores);
    this.#warden = new Warden((problem) =>
      parts.log.warn({ problem: messageOf(problem) }, 'nobody ends the programs of the node if it is killed'),
    );
    const { drain, shutdown_goodbye: saysGoodbye } = parts.loaded.config.controller.options;
    this.#drain = new Drain({
      log: parts.log,
      saysGoodbye,
      times: drainTimesOf(drain),
      elapsed: () => performance.now(),
      wait: (ms) => delay(ms),
      random: Math.random,
    });
  }

  get summary(): NodeSummary {
    const { cbdir, loaded, families } = this.#parts;
    const workers = enabledWorkers(loaded).map(({ worker }) => worker);
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
    };
  }

  async start(signal?: AbortSignal): Promise<void> {
    try {
      const workers = this.#inOrder(enabledWorkers(this.#parts.loaded));
      this.#left = workers.length;
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

  /** What leads to routers comes after them, and clients of the others come last; else the order is that of the config. */
  #inOrder(workers: readonly EnabledWorker[]): EnabledWorker[] {
    const rankOf = ({ worker }: EnabledWorker): number => {
      const { leadsToRouters, startsLast } = workerTypeOf(worker, this.#parts.families);
      if (startsLast === true) return 2;
      return leadsToRouters === true ? 1 : 0;
    };
    return workers.toSorted((a, b) => rankOf(a) - rankOf(b));
  }

  #onWorkerEnd(worker: string, end: WorkerEnd): void {
    this.#left -= 1;
    this.#reason ??= this.#reasonOf(worker, end);
    this.#endByItself();
  }

  #reasonOf(worker: string, end: WorkerEnd): ShutdownReason | undefined {
    const { shutdown } = this.#parts.loaded.config.controller.options;
    return shutdownReason(shutdown, { ...end, worker, left: this.#left });
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
    const sections = this.#cookieSections;
    const cookies = new StoreManagement(() => openedStores(this.#stores, sections), this.#log);
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
        realms: this.#servedRealms.map(({ inventory }) => inventory.realm),
        sessions: this.#sessionCount,
      }),
      longestEndMs: () => this.#longestEndMs,
      stop: () => this.#endFor({ failed: false, word: 'stop' }),
    };
  }

  /** How long the end takes at most, if nothing hangs. */
  get #longestEndMs(): number {
    return longestDrainMs(drainTimesOf(this.#parts.loaded.config.controller.options.drain)) + LAST_STEPS_MS;
  }

  get #readiness(): Readiness {
    return readinessOf({
      hasStarted: this.#started,
      isStopping: this.#stopped !== undefined,
      lacksCookies: this.#parts.loaded.needsCookies && this.#stores.allFail,
    });
  }

  get #sessionCount(): number {
    return this.#servedRealms.reduce((sum, { inventory }) => sum + inventory.sessionIds.length, 0);
  }

  get #cookieSections(): readonly CookieConfig[] {
    const { loaded, families } = this.#parts;
    return cookieSectionsOf(
      enabledWorkers(loaded).map(({ worker }) => worker),
      families,
    );
  }

  get #servedRealms(): readonly ServedRealm[] {
    return [...this.#routers].flatMap(([worker, { inventories }]) =>
      inventories.map((inventory) => ({ worker, inventory })),
    );
  }

  /** What web services may tell. */
  get #info(): NodeInfo {
    const { id } = this.#parts.loaded.config.controller;
    const details = (): NodeDetails => {
      const { title, pid, cbdir, workers } = this.summary;
      const named = workers.map(({ worker, type }) => ({ id: worker, type }));
      return {
        title,
        pid,
        directory: cbdir,
        node: process.versions.node,
        workers: named,
        sessions: this.#sessionCount,
      };
    };
    const readiness = (): Readiness => this.#readiness;
    const version = packageVersion();
    return { version, ...(id !== undefined && { id }), startedMs: this.#startedMs, details, readiness };
  }

  async #startWorker(
    { worker: config, pointer, authenticators }: EnabledWorker,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { loaded, cbdir, families, env } = this.#parts;
    const type = workerTypeOf(config, families);
    const worker = type.create(config, {
      ...{ pointer, cbdir, log: this.#log, load: this.#load, stores: this.#stores, drain: this.#drain },
      ...{ clients: this.#clients, routers: this.#routers, families, authenticators, env, warden: this.#warden },
      ...{ monitor: this.#monitor, metrics: this.#metrics },
      ...{ sharedPorts: this.#sharedPorts, startdir: workingDirectory() },
      proxyTrust: loaded.config.controller.options,
      cookieNames: new Set(this.#cookieSections.map(({ name }) => name)),
      ended: (end) => this.#onWorkerEnd(config.id, end),
      outlivesFailures: () => this.#reasonOf(config.id, { failed: true }) === undefined,
      nodeInfo: this.#info,
      privatePaths: privatePathsOf(loaded, cbdir, families),
    });
    this.#workers.push(worker);
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
        this.#parts.onStopping?.(this.#longestEndMs);
        await this.#drain.announce();
      }
      await this.#control?.stop();
      const clientsGone = Promise.all([...this.#clientWorkers].map((worker) => worker.stop()));
      if (this.#clientWorkers.size > 0) await atMost(CLIENTS_MS, clientsGone);
      const drained = this.#drain.run();
      const left = drained.then(() => this.#clients.stop());
      const routers = this.#workers.filter((worker) => !this.#clientWorkers.has(worker));
      await Promise.all([clientsGone, left, ...routers.map((worker) => worker.stop(drained))]);
      await this.#stores.closeAll();
    } finally {
      this.#warden.close();
      this.#parts.audit?.record({ event: 'node stopped', about: { pid: process.pid } });
      this.#parts.audit?.close();
      await this.#parts.pidFile?.release();
    }
    this.#log.info('node stopped');
  }
}

function workingDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined; // it was removed: nobody can look for anything there
  }
}

interface EnabledWorker extends Pick<WorkerDeps, 'pointer' | 'authenticators'> {
  readonly worker: WorkerConfig;
}

/** The workers that are not switched off, with their place in the config. */
function enabledWorkers({ config, authenticators }: NodeSource): EnabledWorker[] {
  return config.workers
    .map((worker, index) => ({ worker, pointer: `/workers/${index}`, authenticators: authenticators[index] ?? [] }))
    .filter(({ worker }) => !isDisabled(worker));
}
