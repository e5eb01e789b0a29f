/** The contract of all stores, for the database: also what another process does to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, expect, it, vi } from 'vitest';

import { cookieStoreContract } from '../../../contract/cookie-store.js';
import { cookieId, cookieRecord, DELETED, JOE, MODIFIED, withDirectory } from '../../../support/cookie-store.js';
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

/** In milliseconds: no test lasts for so long. */
const NEVER = 3_600_000;
const ALIVE = { created: '2000-01-01T00:00:00.000Z', max_age: 4_000_000_000, modified: MODIFIED, auth: JOE };

it('tells of a logout at another process without a look each second', () =>
  withDirectory(async (directory) => {
    compiled ??= await compileRacer();
    const store = databaseOn(path.join(directory, 'db'), {}, Date.now, () => undefined, NEVER);
    await store.open();
    const racer = new Racer(compiled.directory, path.join(directory, 'db'));
    expect(await racer.next()).toBe('ready');
    const ids = [1, 2, 3].map(cookieId);
    for (const id of ids) await store.create(cookieRecord(id, ALIVE));
    const told = vi.fn();
    store.watch(() => ids, told);
    for (const id of ids) {
      racer.tell(`logout ${id}`);
      expect(await racer.next()).toBe('done');
      await vi.waitFor(() => expect(told).toHaveBeenCalledWith(id), { timeout: 30_000, interval: 1 });
    }
    await racer.end();
    await store.close();
  }));

it('tells of a logout here whose cookie had another id, which only another process knows', () =>
  withDirectory(async (directory) => {
    compiled ??= await compileRacer();
    const store = databaseOn(path.join(directory, 'db'), {}, Date.now, () => undefined, NEVER);
    await store.open();
    const racer = new Racer(compiled.directory, path.join(directory, 'db'));
    expect(await racer.next()).toBe('ready');
    const [first, second] = [cookieId(1), cookieId(2)];
    await store.create(cookieRecord(first, ALIVE));
    const told = vi.fn();
    store.watch(() => [first], told);
    racer.tell(`rotate ${first} ${second}`);
    expect(await racer.next()).toBe('done');
    expect(told).not.toHaveBeenCalled();
    await store.delete(second, DELETED);
    await vi.waitFor(() => expect(told).toHaveBeenCalledWith(first), { timeout: 30_000, interval: 1 });
    await racer.end();
    await store.close();
  }));
