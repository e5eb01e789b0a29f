/** Has the node open the cookie stores that the process of a worker borrows. */
import { messageOf } from '../../system/error.js';
import { transportTypeOf } from '../transports.js';
import { WorkerError } from '../worker.js';
import type { TransportConfig } from '../schema.js';
import type { WorkerDeps } from '../worker.js';
import type { LentStores } from './deps.js';

/** @param worker its id. @throws WorkerError (rejects) when a store cannot be opened. */
export async function lendTo(
  worker: string,
  transports: readonly TransportConfig[],
  { apart, families, pointer }: Pick<WorkerDeps, 'apart' | 'families' | 'pointer'>,
): Promise<LentStores> {
  const sections = transports.flatMap((config) => transportTypeOf(config, families).cookieSections(config));
  try {
    return await apart.lend(sections);
  } catch (cause) {
    throw new WorkerError(`worker ${worker} (${pointer}): ${messageOf(cause)}`, { cause });
  }
}
