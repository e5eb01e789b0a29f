/** The contract of all stores, for the database: also what another process does to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, expect } from 'vitest';

import { cookieStoreContract } from '../../../contract/cookie-store.js';
import { databaseOn } from '../../../support/cookie-database.js';
import { compileRacer, Racer } from '../../../support/racer.js';

let compiled: Awaited<ReturnType<typeof compileRacer>> | undefined;
afterAll(() => compiled?.dispose());

for (const sync of [true, false]) {
  cookieStoreContract(sync ? 'database' : 'database, not synced', { persistent: true, shared: true }, async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'cookies-'));
    return {
      store: () => databaseOn(path.join(directory, 'db'), { sync }),
      elsewhere: async () => {
        compiled ??= await compileRacer();
        const racer = new Racer(compiled.directory, path.join(directory, 'db'));
        const said = async (line: string): Promise<void> => expect(await racer.next()).toBe(line);
        await said('ready');
        return {
          order: (what) => {
            racer.tell(what);
            return said('done');
          },
          end: () => racer.end(),
        };
      },
      dispose: () => rm(directory, { recursive: true }),
    };
  });
}
