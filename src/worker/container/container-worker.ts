/** The worker `container`: components in processes of their own. */
import type { ContainedComponentConfig } from '../../component/container-schema.js';
import type { Worker, WorkerDeps, WorkerOffer, WorkerType } from '../worker.js';
import type { ContainerWorkerConfig } from './schema.js';

class ContainerWorker implements Worker {
  readonly summary: WorkerOffer = { listening: [], realms: [], components: [] };
  readonly #config: ContainerWorkerConfig;
  readonly #deps: WorkerDeps;

  constructor(config: ContainerWorkerConfig, deps: WorkerDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  start(): Promise<void> {
    const { id: worker, components } = this.#config;
    for (const { id: component } of components) {
      this.#deps.log.error({ worker, component }, 'component not started: this version has no process for it');
    }
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

/** The config word `container`. */
export const containerWorkerType: WorkerType<ContainerWorkerConfig> = {
  type: 'container',
  startsLast: true,
  create: (config, deps) => new ContainerWorker(config, deps),
  cookieSections: () => [],
  privateFiles: ({ components }) => components.flatMap(({ transport }) => keysOf(transport)),
};

function keysOf({ endpoint }: ContainedComponentConfig['transport']): string[] {
  if (endpoint?.type !== 'tcp' || endpoint.tls?.key === undefined) return [];
  return [endpoint.tls.key];
}
