import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { CountedStore } from '../../../src/cookie/live/counted-store.js';
import { CookieCounts } from '../../../src/metrics/cookie-counts.js';
import { FileCookieStore } from '../../../src/cookie/file/store.js';
import { MemoryCookieStore } from '../../../src/cookie/memory.js';
import { silentLogger } from '../../../src/log/logger.js';
import { cookieStoreContract } from '../../contract/cookie-store.js';

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

// What the metrics put around each of them changes nothing.
cookieStoreContract('counted, in memory', { persistent: false, shared: false }, () =>
  Promise.resolve({
    store: () => new CountedStore(new MemoryCookieStore(), new CookieCounts()),
    dispose: () => Promise.resolve(),
  }),
);
cookieStoreContract('counted, in a file', { persistent: true, shared: false }, async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'cookies-'));
  const filename = path.join(directory, 'cookies.dat');
  const clock = (): number => Date.parse('2026-11-21T00:00:00Z');
  const inner = () => new FileCookieStore({ filename, purge: false }, { log: silentLogger(), clock });
  return {
    store: () => new CountedStore(inner(), new CookieCounts()),
    dispose: () => rm(directory, { recursive: true }),
  };
});
