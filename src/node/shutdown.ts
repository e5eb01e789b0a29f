/**
 * `controller.options.shutdown`: whether the end of a worker is the end of the node. A pure decision: no timers, no process.
 *
 * Crossbar.io looks for its words inside of the one that is written, so that `..._exit_with_error` there acts on every exit. Here
 * each word means what it says.
 */
import type { WorkerEnd } from '../worker/worker.js';
import type { ShutdownReason } from './api.js';

/** What of the workers is left when one has ended. */
export interface EndedWorker extends WorkerEnd {
  readonly worker: string;
  readonly left: number;
}

const ACTS: Readonly<Record<string, (end: EndedWorker) => boolean>> = {
  shutdown_on_worker_exit: () => true,
  shutdown_on_worker_exit_with_error: ({ failed }) => failed,
  shutdown_on_last_worker_exit: ({ left }) => left === 0,
  shutdown_on_shutdown_requested: () => false,
};

/** @param words one, or a list. @returns why the node ends; undefined when it goes on */
export function shutdownReason(words: string | readonly string[], end: EndedWorker): ShutdownReason | undefined {
  const word = [words].flat().find((one) => ACTS[one]?.(end) === true);
  return word === undefined ? undefined : { worker: end.worker, failed: end.failed, word };
}
