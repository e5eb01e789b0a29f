/** Prepares all workers of a node for another config, or none. */
import type { Families } from '../../worker/registry.js';
import type { PreparedWorker, ReloadFacts, Worker } from '../../worker/worker.js';
import type { Hosting } from '../apart/hosting.js';
import type { NodeSource } from '../directory.js';
import { cookieSectionsIn, enabledWorkers } from './enabled-workers.js';
import type { ReloadWish } from './report.js';
import { privatePathsOf } from '../private-paths.js';

/** What the node is made with. */
export interface NodeOfWorkers {
  readonly families: Families;
  /** Where relative paths of the config start, absolute. */
  readonly cbdir: string;
  readonly wish: ReloadWish;
  /** Of a node that is the process of a worker. */
  readonly hosting: Hosting | undefined;
}

/** @returns what a worker is told of the config around it. */
export function factsOf(
  source: NodeSource,
  { families, cbdir, hosting }: Omit<NodeOfWorkers, 'wish'>,
): Pick<ReloadFacts, 'cookieNames' | 'privatePaths'> {
  const names = cookieSectionsIn(source, families).map(({ name }) => name);
  const { cookieNames = [], privatePaths = [] } = hosting?.order ?? {};
  return {
    cookieNames: new Set([...names, ...cookieNames]),
    privatePaths: [...new Set([...privatePathsOf(source, cbdir, families), ...privatePaths])],
  };
}

/**
 * @param running by their ids. Those that cannot change have their old config.
 * @throws (rejects) what the first worker throws that cannot be prepared: the others are as before.
 */
export async function prepareWorkers(
  running: ReadonlyMap<string, Worker>,
  source: NodeSource,
  { wish, ...around }: NodeOfWorkers,
): Promise<readonly PreparedWorker[]> {
  const prepared: PreparedWorker[] = [];
  const { config, needsCookies } = source;
  const shared = { ...factsOf(source, around), node: { controller: config.controller, needsCookies } };
  const restartsComponents = wish.restartComponents === true;
  try {
    for (const { worker: own, authenticators } of enabledWorkers(source)) {
      const worker = running.get(own.id);
      const change = await worker?.prepareReload?.(own, { ...shared, authenticators, restartsComponents });
      if (change !== undefined) prepared.push(change);
    }
    return prepared;
  } catch (error) {
    await Promise.all(prepared.map((change) => change.discard()));
    throw error;
  }
}
