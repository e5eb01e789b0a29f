/**
 * The wait for an engine that cannot serve yet. Servers of NATS that were started a moment ago elect who leads, and of nodes that start
 * at once on a new cluster one makes the buckets while it looks to the others as if there was no JetStream: that is over within a second,
 * and nothing to tell an operator.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { EngineError } from './engine.js';

/** Between two attempts to join, and how long they have failed before it is told, in milliseconds. */
const RETRY_MS = 500;
const SAY_AFTER_MS = 2000;

/** How long to wait, and whom to tell. */
export interface Patience {
  /** The longest wait, in milliseconds. */
  readonly ms: number;
  readonly signal?: AbortSignal | undefined;
  /** Called once, with what keeps it waiting, where it waits for longer than a moment. */
  readonly waiting: (problem: string) => void;
  /** Milliseconds that never go back, and the wait for some; by default those of the process. */
  readonly elapsed?: () => number;
  readonly wait?: (ms: number) => Promise<unknown>;
}

/**
 * Tries until the engine can serve, at intervals.
 *
 * @returns what `join` resolves to. Rejects with its EngineError when it is no matter of time, or there is no more time.
 */
export async function whenAvailable<T>(
  join: () => Promise<T>,
  { ms, signal, waiting, elapsed = () => performance.now(), wait = delay }: Patience,
): Promise<T> {
  const begunMs = elapsed();
  for (let isTold = false; ;) {
    try {
      return await join();
    } catch (error) {
      const waitedMs = elapsed() - begunMs;
      const mayPass = error instanceof EngineError && error.fault === 'unavailable';
      if (!mayPass || signal?.aborted === true || waitedMs >= ms) throw error;
      if (!isTold && waitedMs >= SAY_AFTER_MS) {
        isTold = true;
        waiting(error.message);
      }
      await wait(RETRY_MS);
    }
  }
}
