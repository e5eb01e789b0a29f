/** The thread of a cookie database: opens it, answers one batch after the other, and ends when told to. */
import { parentPort, workerData } from 'node:worker_threads';

import { messageOf } from '../system/error.js';
import { DatabaseEngine } from './database/engine.js';
import type { DatabaseOptions, DatabaseRequest } from './database/engine.js';
import type { ThreadOrder, ThreadReport } from './database-thread.js';

function report(what: ThreadReport): void {
  parentPort?.postMessage(what);
}

function reportFailure(error: unknown): void {
  report({ failed: messageOf(error) });
}

function answer(engine: DatabaseEngine, requests: readonly DatabaseRequest[]): void {
  try {
    report({ answers: engine.run(requests) });
  } catch (error) {
    reportFailure(error);
  }
}

async function serve(options: DatabaseOptions): Promise<void> {
  const engine = await DatabaseEngine.open(options, Date.now);
  parentPort?.on('message', (order: ThreadOrder) => {
    if (order !== 'close') return answer(engine, order);
    // A thread without its port has nothing left to do and ends.
    engine.close().then(() => parentPort?.close(), reportFailure);
  });
  report({ answers: [] });
}

serve(workerData as DatabaseOptions).catch(reportFailure);
