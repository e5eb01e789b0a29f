/** The thread of a cookie database: opens it, answers one batch after the other, and ends when told to. */
import { parentPort, workerData } from 'node:worker_threads';

import { DatabaseEngine } from './database-engine.js';
import type { DatabaseOptions } from './database-engine.js';
import type { ThreadOrder, ThreadReport } from './database-thread.js';

function report(what: ThreadReport): void {
  parentPort?.postMessage(what);
}

function reportFailure(error: unknown): void {
  report({ failed: error instanceof Error ? error.message : String(error) });
}

async function serve(options: DatabaseOptions): Promise<void> {
  const engine = await DatabaseEngine.open(options, Date.now);
  parentPort?.on('message', (order: ThreadOrder) => {
    if (order !== 'close') {
      report({ answers: engine.run(order) });
      return;
    }
    // Without its port the thread has nothing left to do and ends.
    engine.close().then(() => parentPort?.close(), reportFailure);
  });
  report({ answers: [] });
}

serve(workerData as DatabaseOptions).catch(reportFailure);
