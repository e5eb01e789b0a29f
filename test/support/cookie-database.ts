/** Cookie databases in the thread of the test. */
import { DatabaseCookieStore } from '../../src/cookie/database/store.js';
import { DatabaseEngine } from '../../src/cookie/database/engine.js';
import type { DatabaseOptions, DatabaseRequest } from '../../src/cookie/database/engine.js';
import { silentLogger } from '../../src/log/logger.js';
import { CREATED } from './cookie-store.js';

export function databaseOptions(path: string, change: Partial<DatabaseOptions> = {}): DatabaseOptions {
  return { path, maxsize: 1024 ** 3, readonly: false, sync: true, purge: false, ...change };
}

/** @returns a store, not open, whose requests `onBatch` gets to see. */
export function databaseOn(
  path: string,
  change: Partial<DatabaseOptions> = {},
  clock = () => Date.parse(CREATED),
  onBatch: (requests: readonly DatabaseRequest[]) => void = () => undefined,
  lookEveryMs = 20,
): DatabaseCookieStore {
  return new DatabaseCookieStore(databaseOptions(path, change), {
    log: silentLogger(),
    lookEveryMs,
    connect: async (options) => {
      const engine = await DatabaseEngine.open(options, clock);
      return {
        run: (requests) => {
          onBatch(requests);
          return Promise.resolve(engine.run(requests));
        },
        close: () => engine.close(),
      };
    },
  });
}
