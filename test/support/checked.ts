/** What is in a config that was checked. */
import type { NodeConfig } from '../../src/config/schema.js';
import type { RouterWorkerConfig } from '../../src/worker/schema.js';

/** Its first router. */
export function routerOf({ workers }: NodeConfig): RouterWorkerConfig | undefined {
  return workers.find((worker) => worker.type === 'router');
}
