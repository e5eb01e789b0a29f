import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, expect } from 'vitest';

import { FileCookieStore } from '../../../src/cookie/file/store.js';
import { MemoryCookieStore } from '../../../src/cookie/memory.js';
import { silentLogger } from '../../../src/log/logger.js';
import { cookieStoreContract } from '../../contract/cookie-store.js';
import { databaseOn } from '../../support/cookie-database.js';
import { compileRacer, Racer } from '../../support/racer.js';

cookieStoreContract('memory', { persistent: false, shared: false }, () =>
  Promise.resolve({ store: () => new MemoryCookieStore(), dispose: () => Promise.resolve() }),
);

for (const purge of [false, true]) {
  cookieStoreContract(purge ? 'file, purged at every start' : 'file', { persistent: true, shared: false }, async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'cookies-'));
    const filename = path.join(directory, 'cookies.dat');
    // The records of the suite are of this day.
    const clock = (): number => Date.parse('2026-11-21T00:00:00Z');
    return {
      store: () => new FileCookieStore({ filename, purge }, { log: silentLogger(), clock }),
      dispose: () => rm(directory, { recursive: true }),
    };
  });
}

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
