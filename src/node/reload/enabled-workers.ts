/** The workers of a config that are not switched off. */
import type { CookieConfig } from '../../cookie/schema.js';
import { workerTypeOf } from '../../worker/registry.js';
import type { Families } from '../../worker/registry.js';
import type { WorkerConfig } from '../../worker/schema.js';
import { isDisabled } from '../../worker/worker.js';
import type { WorkerDeps } from '../../worker/worker.js';
import { cookieSectionsOf } from '../cookie-stores.js';
import type { NodeSource } from '../directory.js';

/** A worker, its place in the config, and the procedures that decide about its clients. */
export interface EnabledWorker extends Pick<WorkerDeps, 'pointer' | 'authenticators'> {
  readonly worker: WorkerConfig;
}

/** The workers that are not switched off, with their place in the config. */
export function enabledWorkers({ config, authenticators, pointers }: NodeSource): EnabledWorker[] {
  return config.workers
    .map((worker, index) => ({
      worker,
      pointer: pointers?.[index] ?? `/workers/${index}`,
      authenticators: authenticators[index] ?? [],
    }))
    .filter(({ worker }) => !isDisabled(worker));
}

/** @returns the `cookie` sections of these workers, in the order of the config. */
export function cookieSectionsIn(source: NodeSource, families: Families): readonly CookieConfig[] {
  const workers = enabledWorkers(source).map(({ worker }) => worker);
  return cookieSectionsOf(workers, families);
}

/** What leads to routers comes after them, and clients of the others come last; else the order is that of the config. */
export function inStartOrder(workers: readonly EnabledWorker[], families: Families): EnabledWorker[] {
  const rankOf = ({ worker }: EnabledWorker): number => {
    const { leadsToRouters, startsLast } = workerTypeOf(worker, families);
    if (startsLast === true) return 2;
    return leadsToRouters === true ? 1 : 0;
  };
  return workers.toSorted((a, b) => rankOf(a) - rankOf(b));
}
