/**
 * The worker `proxy`: transports that lead to the realms of a router worker. Crossbar.io has it for more processes in front of a
 * router. Here all workers live in one process, so the router takes the transports over: it starts and ends them, and clients of realms and
 * roles without a route are refused.
 */
import type { ProxyWorkerConfig } from '../schema.js';
import { keyFilesOf, transportTypeOf } from '../transports.js';
import { WorkerError } from '../worker.js';
import { processorCount } from '../../system/processors.js';
import { Fronts } from './fronts.js';
import type { RunningRouter, Worker, WorkerDeps, WorkerOffer, WorkerType } from '../worker.js';

class ProxyWorker implements Worker {
  #fronts: Fronts | undefined;
  #router: RunningRouter | undefined;
  readonly #config: ProxyWorkerConfig;
  readonly #deps: WorkerDeps;

  constructor(config: ProxyWorkerConfig, deps: WorkerDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  /** Without fronts all that it has belongs to the router. */
  get summary(): WorkerOffer {
    return { listening: this.#fronts?.listening ?? [], realms: [], components: [] };
  }

  async start(signal?: AbortSignal): Promise<void> {
    const { front, id, routes, transports, instances } = this.#config;
    const { pointer, routers, log } = this.#deps;
    if (front === undefined) return;
    const router = routers.get(front.worker);
    if (router === undefined) {
      throw new WorkerError(
        `proxy worker ${id} (${pointer}): the worker ${front.worker} that it leads to is switched off`,
      );
    }
    log.info({ worker: id, router: front.worker }, 'proxy worker started');
    const own = transports
      .map((config, index) => ({ config, index }))
      .filter(({ index }) => !front.silent.includes(index));
    if (instances !== undefined) {
      this.#router = router;
      const fronts = new Fronts({ id, count: countOf(instances), routes, transports: own }, this.#deps);
      this.#fronts = fronts;
      return fronts.start(router, signal);
    }
    for (const { index, config: transport } of own) {
      signal?.throwIfAborted();
      await router.takeOver(transport, { worker: id, pointer: `${pointer}/transports/${index}`, routes });
    }
  }

  /** The router stops its transports; what their clients are told last goes through the fronts. */
  async stop(drained?: Promise<unknown>): Promise<void> {
    await drained;
    if (this.#fronts === undefined) return;
    await this.#router?.stopTransports();
    await this.#fronts.stop();
  }
}

/** @returns how many fronts: for `auto` one for each processor but that of the router. */
function countOf(instances: number | 'auto'): number {
  return instances === 'auto' ? Math.max(1, processorCount() - 1) : instances;
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
