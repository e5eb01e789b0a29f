/**
 * A cookie database in a thread of its own: the router never waits for a disk, nor for another process that is writing.
 * One batch at a time: the commit queue of `database.ts` sees to that.
 */
import { Worker } from 'node:worker_threads';

import type { DatabaseAnswer, DatabaseOptions, DatabaseRequest } from './database/engine.js';

/** How the store talks to its database. */
export interface DatabaseConnection {
  /** Answers in order, when what was written is durable. Rejects when the database is gone for good. */
  run(requests: readonly DatabaseRequest[]): Promise<readonly DatabaseAnswer[]>;
  close(): Promise<void>;
}

/** What the thread is told. */
export type ThreadOrder = readonly DatabaseRequest[] | 'close';

/** What the thread answers; the first time, when it has opened the database. */
export type ThreadReport = { readonly answers: readonly DatabaseAnswer[] } | { readonly failed: string };

/** Starts the thread. Rejects when the database cannot be opened. */
export async function openInThread(options: DatabaseOptions): Promise<DatabaseConnection> {
  const thread = new DatabaseThread(
    new Worker(new URL('../cookie/database-worker.js', import.meta.url), { workerData: options }),
  );
  await thread.answer();
  return thread;
}

class DatabaseThread implements DatabaseConnection {
  readonly #worker: Worker;
  #hasEnded = false;
  // what is awaited; at most one thing at a time
  #waiting: { resolve(report: ThreadReport | 'ended'): void; reject(error: unknown): void } | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (report: ThreadReport) => this.#waiting?.resolve(report));
    worker.on('error', (error) => this.#waiting?.reject(error));
    worker.on('exit', () => {
      this.#hasEnded = true;
      this.#waiting?.resolve('ended');
    });
  }

  async run(requests: readonly DatabaseRequest[]): Promise<readonly DatabaseAnswer[]> {
    this.#worker.postMessage(requests satisfies ThreadOrder);
    return this.answer();
  }

  /** The next answer. */
  async answer(): Promise<readonly DatabaseAnswer[]> {
    const report = await this.#report();
    if (report === 'ended') throw new Error('the thread of the database has ended');
    if ('failed' in report) throw new Error(report.failed);
    return report.answers;
  }

  async close(): Promise<void> {
    if (this.#hasEnded) return;
    this.#worker.postMessage('close' satisfies ThreadOrder);
    const report = await this.#report();
    if (report !== 'ended') throw new Error('failed' in report ? report.failed : 'the database did not close');
  }

  /** Only while something is awaited does the thread keep the process alive. */
  async #report(): Promise<ThreadReport | 'ended'> {
    if (this.#hasEnded) return 'ended';
    this.#worker.ref();
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting = { resolve, reject };
      });
    } finally {
      this.#waiting = undefined;
      this.#worker.unref();
    }
  }
}
