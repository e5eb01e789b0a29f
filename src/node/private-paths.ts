/**
 * What of a node no web service may hand out, wherever it lies: the node directory with the config, keys and pid file in it,
 * and what the config keeps elsewhere.
 */
import { privateFilesOf } from '../cookie/registry.js';
import { clusterFilesOf } from '../cluster/schema.js';
import { cookieSectionsOf } from './cookie-stores.js';
import type { NodeSource } from './directory.js';
import { workerTypeOf } from '../worker/registry.js';
import type { Families } from '../worker/registry.js';

/**
 * @param cbdir where relative paths start: a node without a directory keeps the working directory to itself.
 * @returns files and directories, absolute.
 */
export function privatePathsOf({ config, file }: NodeSource, cbdir: string, families: Families): string[] {
  const stores = cookieSectionsOf(config.workers, families).flatMap(({ store }) =>
    privateFilesOf(store, families.stores),
  );
  const keys = config.workers.flatMap((worker) => workerTypeOf(worker, families).privateFiles(worker));
  const own = config.cluster === undefined ? [] : clusterFilesOf(config.cluster);
  return [...new Set([cbdir, file, ...stores, ...keys, ...own].filter((place) => place !== undefined))];
}
