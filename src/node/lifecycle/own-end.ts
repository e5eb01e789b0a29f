/** The end of a node that nobody stopped from outside: a worker has ended, or a command asked for it. While the node starts, it waits. */
import type { Logger } from '../../log/logger.js';
import type { WorkerEnd } from '../../worker/worker.js';
import type { ShutdownReason } from '../api.js';
import { shutdownReason } from '../shutdown.js';

/** The node, as its end sees it. */
export interface EndingNode {
  readonly log: Logger;
  /** The shutdown words in force. */
  readonly words: () => string | readonly string[];
  readonly stop: () => Promise<void>;
  readonly onShutdown: ((reason: ShutdownReason) => void) | undefined;
}

/** Of one node. */
export class OwnEnd {
  readonly #node: EndingNode;
  /** Workers that have not ended by themselves. */
  #left = 0;
  #reason: ShutdownReason | undefined;
  #hasStarted = false;
  #isOver = false;

  constructor(node: EndingNode) {
    this.#node = node;
  }

  /** So many workers are told to start. */
  expects(workers: number): void {
    this.#left = workers;
  }

  /** The node has started. */
  started(): void {
    this.#hasStarted = true;
    this.#act();
  }

  /** @returns why the node ends with this worker; undefined when it goes on. */
  reasonOf(worker: string, end: WorkerEnd): ShutdownReason | undefined {
    return shutdownReason(this.#node.words(), { ...end, worker, left: this.#left });
  }

  /** A worker has ended by itself. */
  workerEnded(worker: string, end: WorkerEnd): void {
    this.#left -= 1;
    this.#reason ??= this.reasonOf(worker, end);
    this.#act();
  }

  #act(): void {
    const reason = this.#reason;
    if (reason === undefined || !this.#hasStarted || this.#isOver) return;
    this.#node.log[reason.failed ? 'error' : 'info'](reason, 'a worker has ended, and the node ends with it');
    this.endFor(reason);
  }

  /** Begins the end. */
  endFor(reason: ShutdownReason): void {
    const { stop, log, onShutdown } = this.#node;
    stop().then(
      () => onShutdown?.(reason),
      (err: unknown) => {
        log.error({ err }, 'stop failed');
        onShutdown?.({ ...reason, failed: true });
      },
    );
  }

  /** The node stops: what workers do is no reason any more. */
  stopping(): void {
    this.#isOver = true;
  }
}
