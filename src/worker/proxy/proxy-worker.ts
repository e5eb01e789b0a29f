/**
 * The worker `proxy`: transports that lead to the realms of a router worker. Crossbar.io has it for more processes in front of a
 * router. Here all workers live in one process, so the router takes the transports over: it starts and ends them, and clients of realms and
 * roles without a route are refused.
 */
import type { ProxyWorkerConfig } from '../schema.js';
import { keyFilesOf, transportTypeOf } from '../transports.js';
import { WorkerError } from '../worker.js';
import type { Worker, WorkerDeps, WorkerType } from '../worker.js';

class ProxyWorker implements Worker {
  /** All that it has belongs to the router. */
  readonly summary = { listening: [], realms: [], components: [] };
  readonly #config: ProxyWorkerConfig;
  readonly #deps: WorkerDeps;

  constructor(config: ProxyWorkerConfig, deps: WorkerDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  async start(signal?: AbortSignal): Promise<void> {
    const { front, id, routes, transports } = this.#config;
    const { pointer, routers, log } = this.#deps;
    if (front === undefined) return;
    const router = routers.get(front.worker);
    if (router === undefined) {
      throw new WorkerError(
        `proxy worker ${id} (${pointer}): the worker ${front.worker} that it leads to is switched off`,
      );
    }
    log.info({ worker: id, router: front.worker }, 'proxy worker started');
    for (const [index, transport] of transports.entries()) {
      signal?.throwIfAborted();
      if (front.silent.includes(index)) continue;
      await router.takeOver(transport, { worker: id, pointer: `${pointer}/transports/${index}`, routes });
    }
  }

  async stop(): Promise<void> {
    // The router stops its transports.
  }
}

/** The config word `proxy`. */
export const proxyWorkerType: WorkerType<ProxyWorkerConfig> = {
  type: 'proxy',
  leadsToRouters: true,
  create: (config, deps) => new ProxyWorker(config, deps),
  cookieSections: ({ transports }, families) =>
    transports.flatMap((config) => transportTypeOf(config, families).cookieSections(config)),
  privateFiles: ({ transports }) => keyFilesOf(transports),
};
