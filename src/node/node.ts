/**
 * A node: everything that a config names, built, started and stopped together. This is also the entry for programs
 * that embed one (`import { startNode } from 'crossbar-ts'`): no signal handlers, nothing on standard output, any
 * number of nodes in one process as long as each has a directory of its own.
 *
 *     start: config -> node.pid -> for each router worker: realms, then components, so that they are there when the first
 *            client comes, then transports (cookie stores open, port opens) -> control socket
 *     stop:  0. the control socket: no command comes any more
 *            1. every transport: stop listening; the connections of all of them are closed one by one
 *               (`transport/drain.ts`), and what is left after a grace is cut (`TransportServer.stop`)
 *            2. every component: GOODBYE, then what it does to stop
 *            3. cookie stores: flush and close; nobody is left who could write
 *            4. node.pid: from here on another node may have the directory
 *
 * A start that fails takes the way of `stop` for all that had started.
 */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';

import type { LoadFunction } from '../auth/method.js';
import type { Component } from '../component/component.js';
import { loadFunction } from '../system/module.js';
import { loadConfig } from '../config/load.js';
import type { ComponentConfig } from '../component/schema.js';
import type { LoadedConfig } from '../config/load.js';
import type { RouterWorkerConfig, TransportConfig } from '../config/schema.js';
import { CookieDirectory } from '../cookie/directory.js';
import { CookieStores } from '../cookie/stores.js';
import { silentLogger } from '../log/logger.js';
import type { Logger } from '../log/logger.js';
import { cookieProcedures } from '../session/cookie-procedures.js';
import { createSessionDeps } from '../session/deps.js';
import { BUDGET_LIMITS } from '../router/budget.js';
import { Router } from '../router/router.js';
import { Drain } from '../transport/drain.js';
import type { BoundAddress } from '../transport/listen.js';
import { EndpointServer } from '../transport/endpoint.js';
import { RawSocketAcceptor } from '../transport/rawsocket/rawsocket.js';
import { createWebServer, createWebSocketServer } from '../webservice/server.js';
import { createUniversalServer } from '../webservice/universal.js';
import type { WebServerDeps } from '../webservice/server.js';
import { authenticatorsOf } from './deciders.js';
import { existingDirectory, resolveRundir } from './cbdir.js';
import { ControlServer } from './control.js';
import { LocalAdministration } from './cookie-administration.js';
import { cookieRequests } from './cookie-control.js';
import { openedStores } from './cookie-stores.js';
import { NodeError } from './error.js';
import { messageOf } from '../system/error.js';
import { limitProcess } from './limits.js';
import { packageVersion } from './package.js';
import { privatePathsOf } from './private-paths.js';
import { acquirePidFile } from './pidfile.js';
import type { PidFile } from './pidfile.js';
import { createRandomId } from '../system/random.js';
import { systemScheduler } from './scheduler.js';
import { cookieStoreSummaries, listeningSummary, realmSummaries } from './summarize.js';
import type { ListeningSummary, NodeSummary } from './summary.js';

export type { NodeSummary } from './summary.js';

export interface NodeOptions {
  /** The node directory; it must exist. */
  readonly cbdir: string;
  /** The config file; default `config.yaml` or `config.json` in the node directory. */
  readonly config?: string;
  /** A pino logger; default: none. */
  readonly log?: Logger;
  /** Where `node.pid` and `node.sock` lie, for a node directory that cannot be written to; default: the node directory. */
  readonly rundir?: string;
  /** Where `$NAME` in the config is looked up; default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Gives the start up: what has started is stopped, and `startNode` rejects with its reason. Without effect later. */
  readonly signal?: AbortSignal;
  /** Noted in node.pid for people who look who runs here; default: `cbdir` and `config`. */
  readonly commandOptions?: Readonly<Record<string, unknown>>;
}

/** A node that runs. */
export interface RunningNode {
  /** What listens where, which realms there are and which cookie stores. */
  readonly summary: NodeSummary;
  /** Ends it in the order above. Idempotent; rejects when a cookie store cannot be closed, after all else is done. */
  stop(): Promise<void>;
}

/**
 * Starts a node.
 *
 * @throws ConfigError when the config is missing or wrong, with every problem.
 * @throws NodeError when the directory is missing or taken, or a part cannot start; the message names the part.
 * @throws the reason of `signal`.
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { log = silentLogger(), env = process.env } = options;
  const cbdir = existingDirectory(path.resolve(options.cbdir));
  const given = options.config === undefined ? {} : { config: options.config };
  const loaded = await loadConfig({ cbdir, env, ...given });
  const rundir = resolveRundir(options.rundir, cbdir);
  const pidFile = await acquirePidFile({ cbdir: rundir, options: options.commandOptions ?? { cbdir, ...given }, log });
  for (const { file, line, column, pointer, text } of loaded.warnings) {
    log.warn({ file, line, column, pointer, problem: text }, 'config warning');
  }
  limitProcess(loaded.config.controller.options, log);
  const node = new Node({ cbdir, rundir, loaded, pidFile, log });
  await node.start(options.signal);
  return node;
}

interface NodeParts {
  readonly cbdir: string;
  readonly rundir: string;
  readonly loaded: LoadedConfig;
  readonly pidFile: PidFile;
  readonly log: Logger;
}

/** What every kind of transport is to its node. */
interface TransportServer {
  /** @throws when it cannot listen, or a part of it does not start. */
  start(): Promise<BoundAddress>;
  /** Idempotent; never rejects. */
  stop(): Promise<void>;
}

/** What the transports of a worker share. */
interface RunningWorker {
  readonly worker: RouterWorkerConfig;
  readonly router: Router;
  readonly directory: CookieDirectory;
}

class Node implements RunningNode {
  readonly #parts: NodeParts;
  readonly #log: Logger;
  readonly #stores: CookieStores;
  readonly #drain: Drain;
  /** Every server that was told to start, also one that failed. */
  readonly #servers: TransportServer[] = [];
  /** Every component that was told to start, also one that failed. */
  readonly #components: Component[] = [];
  readonly #listening: ListeningSummary[] = [];
  #control: ControlServer | undefined;
  /** Gives the start up. */
  #signal: AbortSignal | undefined;
  #stopped: Promise<void> | undefined;

  readonly #load: LoadFunction = (module, name) => loadFunction(this.#parts.cbdir, module, name);

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.#log = parts.log;
    this.#stores = new CookieStores({ clock: Date.now, log: parts.log });
    this.#drain = new Drain({
      log: parts.log,
      saysGoodbye: parts.loaded.config.controller.options.shutdown_goodbye,
      elapsed: () => performance.now(),
      wait: (ms) => delay(ms),
      random: Math.random,
    });
  }

  get summary(): NodeSummary {
    const { cbdir, loaded } = this.#parts;
    const workers = enabledWorkers(loaded).map(({ worker }) => worker);
    return {
      pid: process.pid,
      title: loaded.config.controller.options.title ?? 'crossbar-ts',
      cbdir,
      config: loaded.file,
      listening: [...this.#listening],
      realms: workers.flatMap(realmSummaries),
      cookieStores: cookieStoreSummaries(workers),
    };
  }

  async start(signal?: AbortSignal): Promise<void> {
    this.#signal = signal;
    try {
      for (const { worker, pointer } of enabledWorkers(this.#parts.loaded)) await this.#startWorker(worker, pointer);
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
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#shutDown();
    return this.#stopped;
  }

  #startControl(): Promise<ControlServer | undefined> {
    const { rundir, loaded } = this.#parts;
    const workers = enabledWorkers(loaded).map(({ worker }) => worker);
    const cookies = new LocalAdministration(() => openedStores(this.#stores, workers), this.#log);
    return ControlServer.start({ cbdir: rundir, handlers: cookieRequests(cookies), log: this.#log });
  }

  /** Realms of different workers are separate, even of the same name: a router knows only its own. */
  async #startWorker(worker: RouterWorkerConfig, pointer: string): Promise<void> {
    const directory = new CookieDirectory();
    const router = new Router(worker.realms, {
      management: cookieProcedures(directory, this.#log),
      randomId: createRandomId(),
      clock: Date.now,
      scheduler: systemScheduler,
      ...authenticatorsOf(worker, this.#log),
      maxKeptBytes: worker.options.max_kept_bytes ?? defaultKeptBytes(),
    });
    for (const realm of realmSummaries(worker)) this.#log.info(realm, 'realm started');
    for (const [index, component] of worker.components.entries()) {
      await this.#startComponent(worker, component, router, `${pointer}/components/${index}`);
    }
    for (const [index, transport] of worker.transports.entries()) {
      await this.#startTransport({ worker, router, directory }, transport, `${pointer}/transports/${index}`);
    }
  }

  async #startComponent(
    worker: RouterWorkerConfig,
    config: ComponentConfig,
    router: Router,
    pointer: string,
  ): Promise<void> {
    const realm = worker.realms.find(({ name }) => name === config.realm);
    const uriRule = realm?.options?.uri_check ?? 'loose';
    const { Component } = await import('../component/component.js');
    const component = new Component(config, { router, uriRule, cbdir: this.#parts.cbdir, log: this.#log });
    this.#signal?.throwIfAborted();
    this.#components.push(component);
    try {
      await component.start(this.#signal);
    } catch (cause) {
      throw new NodeError('ERR_NODE_START', `component ${config.id} (${pointer}): ${messageOf(cause)}`, { cause });
    }
  }

  async #startTransport(running: RunningWorker, transport: TransportConfig, pointer: string): Promise<void> {
    const { worker } = running;
    this.#signal?.throwIfAborted();
    try {
      const server = await this.#createServer(transport, running);
      this.#servers.push(server);
      const listening = listeningSummary(worker.id, transport, await server.start());
      this.#listening.push(listening);
      this.#log.info(listening, 'transport started');
    } catch (cause) {
      const part = `transport ${transport.id} (${pointer})`;
      throw new NodeError('ERR_NODE_START', `${part}: ${messageOf(cause)}`, { cause });
    }
  }

  async #createServer(transport: TransportConfig, { router, directory }: RunningWorker): Promise<TransportServer> {
    const drain = this.#drain;
    if (transport.type === 'rawsocket') {
      const log = this.#log.child({ transport: transport.id });
      const sessions = await createSessionDeps(transport, { router, log, load: this.#load });
      return new EndpointServer(transport.endpoint, new RawSocketAcceptor(transport, { sessions, log, drain }), log);
    }
    const { id } = this.#parts.loaded.config.controller;
    const nodeInfo = { version: packageVersion(), ...(id === undefined ? {} : { id }) };
    const deps: WebServerDeps = {
      router,
      load: this.#load,
      stores: this.#stores,
      directory,
      log: this.#log,
      drain,
      nodeInfo,
      privatePaths: privatePathsOf(this.#parts.loaded, this.#parts.cbdir),
    };
    if (transport.type === 'universal') return createUniversalServer(transport, deps);
    return transport.type === 'web' ? createWebServer(transport, deps) : createWebSocketServer(transport, deps);
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
      await this.#control?.stop();
      const drained = this.#drain.run();
      await Promise.all([drained, ...this.#servers.map((server) => server.stop())]);
      await Promise.all(this.#components.map((component) => component.stop()));
      await this.#stores.closeAll();
    } finally {
      await this.#parts.pidFile.release();
    }
    this.#log.info('node stopped');
  }
}

/** What a router keeps for its clients leaves most of the heap to everything else. */
function defaultKeptBytes(): number {
  return Math.min(BUDGET_LIMITS.inAll, Math.floor(getHeapStatistics().heap_size_limit / 4));
}

/** The workers that are not switched off, with their place in the config. */
function enabledWorkers({ config }: LoadedConfig): { worker: RouterWorkerConfig; pointer: string }[] {
  return config.workers
    .map((worker, index) => ({ worker, pointer: `/workers/${index}` }))
    .filter(({ worker }) => !worker.options.disabled);
}
