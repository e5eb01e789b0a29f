/** Prepares all workers of a node for another config, or none. */
import type { Families } from '../../worker/registry.js';
import type { PreparedWorker, Worker } from '../../worker/worker.js';
import type { NodeSource } from '../directory.js';
import { cookieSectionsIn } from './enabled-workers.js';
import type { EnabledWorker } from './enabled-workers.js';
import type { ReloadWish } from './report.js';
import { privatePathsOf } from '../private-paths.js';

/** What the node is made with. */
export interface NodeOfWorkers {
  readonly families: Families;
  /** Where relative paths of the config start, absolute. */
  readonly cbdir: string;
  readonly wish: ReloadWish;
}

/**
 * @param running by their ids. Those that cannot change have their old config.
 * @throws (rejects) what the first worker throws that cannot be prepared: the others are as before.
 */
export async function prepareWorkers(
  running: ReadonlyMap<string, Worker>,
  next: readonly EnabledWorker[],
  source: NodeSource,
  { families, cbdir, wish }: NodeOfWorkers,
): Promise<readonly PreparedWorker[]> {
  const prepared: PreparedWorker[] = [];
  const cookieNames = new Set(cookieSectionsIn(source, families).map(({ name }) => name));
  const privatePaths = privatePathsOf(source, cbdir, families);
  const restartsComponents = wish.restartComponents === true;
  try {
    for (const { worker: config, authenticators } of next) {
      const worker = running.get(config.id);
      const facts = { cookieNames, privatePaths, authenticators, restartsComponents };
      const change = await worker?.prepareReload?.(config, facts);
      if (change !== undefined) prepared.push(change);
    }
    return prepared;
  } catch (error) {
    await Promise.all(prepared.map((change) => change.discard()));
    throw error;
  }
}
