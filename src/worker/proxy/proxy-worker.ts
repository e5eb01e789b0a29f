/**
 * The worker `proxy`: transports that lead to the realms of a router worker. Crossbar.io has it for more processes in front of a
 * router. Here the router takes the transports over, where it is in the process of the node: it starts and ends them, and clients of realms and
 * roles without a route are refused. With fronts it may also lead to routers in processes of their own.
 */
import type { ProxyWorkerConfig } from '../schema.js';
import { keyFilesOf, transportTypeOf } from '../transports.js';
import { WorkerError } from '../worker.js';
import { processorCount } from '../../system/processors.js';
import { routerWorkerType } from '../router-worker.js';
import { Fronts } from './fronts.js';
import type { RunningRouter, Worker, WorkerDeps, WorkerOffer, WorkerType } from '../worker.js';

class ProxyWorker implements Worker {
  #fronts: Fronts | undefined;
  #router: RunningRouter | undefined;
  #home: Worker | undefined;
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
    const ids = [...new Set(Object.values(front.apart))];
    const processes = ids.length === 0 ? undefined : ids;
    if (front.worker === undefined) await this.#startHome(signal);
    const router = routers.get(front.worker ?? id);
    if (router === undefined) {
      throw new WorkerError(
        `proxy worker ${id} (${pointer}): the worker ${String(front.worker)} that it leads to is switched off`,
      );
    }
    log.info({ worker: id, router: front.worker, routers: processes }, 'proxy worker started');
    const own = transports
      .map((config, index) => ({ config, index }))
      .filter(({ index }) => !front.silent.includes(index));
    if (instances !== undefined) {
      this.#router = router;
      const { apart } = front;
      const fronts = new Fronts({ id, count: countOf(instances), routes, apart, transports: own }, this.#deps);
      this.#fronts = fronts;
      return fronts.start(router, signal);
    }
    for (const { index, config: transport } of own) {
      signal?.throwIfAborted();
      await router.takeOver(transport, { worker: id, pointer: `${pointer}/transports/${index}`, routes });
    }
  }

  /** All realms are in other processes: here is who lets clients in. */
  async #startHome(signal: AbortSignal | undefined): Promise<void> {
    const { id, options } = this.#config;
    const config = { type: routerWorkerType.type, id, options, realms: [], components: [], transports: [] } as const;
    this.#home = routerWorkerType.create(config, this.#deps);
    await this.#home.start(signal);
  }

  /** The router stops its transports; what their clients are told last goes through the fronts. */
  async stop(drained?: Promise<unknown>): Promise<void> {
    await drained;
    if (this.#fronts !== undefined) {
      await this.#router?.stopTransports();
      await this.#fronts.stop();
    }
    await this.#home?.stop(drained);
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
