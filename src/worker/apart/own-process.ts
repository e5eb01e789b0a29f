/** Which workers have a process of their own. */
import type { AnyWorkerConfig } from '../worker.js';

/** @returns whether the config gives a worker a process of its own. */
export function hasOwnProcess({ options }: AnyWorkerConfig): boolean {
  return options !== undefined && 'process' in options && options.process === true;
}
