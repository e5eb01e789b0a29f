/** Which cookie stores the workers of a config name. */
import { placeOf } from '../cookie/registry.js';
import type { CookieConfig } from '../cookie/schema.js';
import { workerTypeOf } from '../worker/registry.js';
import type { Families } from '../worker/registry.js';
import type { WorkerConfig } from '../worker/schema.js';
import type { CookieStoreSummary } from './summary.js';

/** @returns every `cookie` section of the workers. */
export function cookieSectionsOf(workers: readonly WorkerConfig[], families: Families): CookieConfig[] {
  return workers.flatMap((worker) => workerTypeOf(worker, families).cookieSections(worker, families));
}

/** @returns the stores that the `cookie` sections of the workers name, each file or directory once. */
export function cookieStoreSummaries(workers: readonly WorkerConfig[], families: Families): CookieStoreSummary[] {
  const stores = new Map<string, CookieStoreSummary>();
  for (const { store } of cookieSectionsOf(workers, families)) {
    const place = placeOf(store, families.stores);
    stores.set(Object.values(place)[0] ?? '', { type: store.type, ...place });
  }
  return [...stores.values()];
}
