/** Which cookie stores the workers of a config name. */
import { placeOf } from '../cookie/registry.js';
import type { CookieConfig } from '../cookie/schema.js';
import { workerTypeOf } from '../worker/registry.js';
import type { WorkerConfig } from '../worker/schema.js';
import type { CookieStoreSummary } from './summary.js';

/** @returns every `cookie` section of the workers. */
export function cookieSectionsOf(workers: readonly WorkerConfig[]): CookieConfig[] {
  return workers.flatMap((worker) => workerTypeOf(worker).cookieSections(worker));
}

/** @returns the stores that the `cookie` sections of the workers name, each file or directory once. */
export function cookieStoreSummaries(workers: readonly WorkerConfig[]): CookieStoreSummary[] {
  const stores = new Map<string, CookieStoreSummary>();
  for (const { store } of cookieSectionsOf(workers)) {
    const place = placeOf(store);
    stores.set(Object.values(place)[0] ?? '', { type: store.type, ...place });
  }
  return [...stores.values()];
}
