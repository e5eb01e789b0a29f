/** The workers we ship: config word -> worker. A new one is a file of its own and a line here. */
import { routerWorkerType } from './router-worker.js';
import type { WorkerConfig } from './schema.js';
import type { Worker, WorkerDeps, WorkerType } from './worker.js';

const WORKERS: { readonly [T in WorkerConfig['type']]: WorkerType<Extract<WorkerConfig, { readonly type: T }>> } = {
  router: routerWorkerType,
};

/** @returns the kind of a worker. */
export function workerTypeOf(config: WorkerConfig): WorkerType<WorkerConfig> {
  return WORKERS[config.type];
}

/** Builds a worker. */
export function createWorker(config: WorkerConfig, deps: WorkerDeps): Worker {
  return workerTypeOf(config).create(config, deps);
}
