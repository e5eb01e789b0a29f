/**
 * A cookie database in a thread of its own, so that the router never waits for the disk or for another process that is writing.
 * One batch at a time: the commit queue of `database/store.ts` sees to that.
 */
import { Worker } from 'node:worker_threads';

import type { DatabaseAnswer, DatabaseOptions, DatabaseRequest } from './database/engine.js';

/** How the store talks to its database. */
export interface DatabaseConnection {
  /** @returns the answers in the order of the requests, when the writes are durable. Rejects when the thread is lost. */
  run(requests: readonly DatabaseRequest[]): Promise<readonly DatabaseAnswer[]>;
  close(): Promise<void>;
}

/** What the thread is told. */
export type ThreadOrder = readonly DatabaseRequest[] | 'close';

/** What the thread answers. Its first answer says that the database is open, or why not. */
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
  // the caller that waits for a report; one at most
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

  /** The thread keeps the process alive only while somebody waits for it. */
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
