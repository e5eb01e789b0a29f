/** What the database store does beyond the contract of all stores; here without a thread of its own. */
import { copyFile, mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it, vi } from 'vitest';

import { DatabaseCookieStore } from '../../../../src/cookie/database/store.js';
import { DatabaseEngine } from '../../../../src/cookie/database/engine.js';
import type { DatabaseOptions } from '../../../../src/cookie/database/engine.js';
import { CookieStoreError } from '../../../../src/cookie/error.js';
import {
  cookieId,
  cookieRecord,
  CREATED,
  DELETED,
  JOE,
  MODIFIED,
  withDirectory,
} from '../../../support/cookie-store.js';
import { databaseOn, databaseOptions } from '../../../support/cookie-database.js';
import { recordingLog } from '../../../support/cookie-store.js';
import { until } from '../../../support/until.js';

const MINUTE = 60_000;

async function openOn(directory: string, change: Partial<DatabaseOptions> = {}, clock?: () => number) {
  const store = databaseOn(directory, change, clock);
  await store.open();
  return store;
}

describe('a cookie database', () => {
  it('belongs to its owner only, and is made in a directory that exists', () =>
    withDirectory(async (directory) => {
      const place = path.join(directory, 'cookies.d');
      const store = await openOn(place);
      await store.create(cookieRecord(cookieId(1)));
      await store.close();
      expect((await stat(place)).mode & 0o777).toBe(0o700);
      for (const file of ['data.mdb', 'lock.mdb']) {
        expect((await stat(path.join(place, file))).mode & 0o777).toBe(0o600);
      }
      const missing = path.join(directory, 'missing/cookies');
      await expect(openOn(missing)).rejects.toThrow(
        `the cookie database ${missing} cannot be opened: there is no directory ${path.dirname(missing)}`,
      );
    }));

  it('is emptied at the start when the config says so: everything, not only what is expired', () =>
    withDirectory(async (directory) => {
      const store = await openOn(directory);
      await store.create(cookieRecord(cookieId(1), { modified: MODIFIED, auth: JOE }));
      await store.close();
      const again = await openOn(directory, { purge: true });
      expect(await again.list()).toEqual([]);
      await again.close();
    }));

  it('that may only be read knows its cookies and takes no change', () =>
    withDirectory(async (directory) => {
      const store = await openOn(directory);
      await store.create(cookieRecord(cookieId(1)));
      await store.close();
      const reader = await openOn(directory, { readonly: true });
      expect(await reader.get(cookieId(1))).toEqual(cookieRecord(cookieId(1)));
      for (const change of [
        () => reader.create(cookieRecord(cookieId(2))),
        () => reader.update(cookieId(1), { auth: JOE, modified: MODIFIED }),
        () => reader.rotate(cookieId(1), cookieId(2), MODIFIED),
        () => reader.delete(cookieId(1)),
      ]) {
        await expect(change()).rejects.toThrow('the cookie database is read-only');
      }
      expect(await reader.list()).toHaveLength(1);
      await reader.close();
      const nowhere = path.join(directory, 'nowhere');
      await expect(openOn(nowhere, { readonly: true })).rejects.toBeInstanceOf(CookieStoreError);
    }));

  it('that is full refuses new cookies and logins, takes logouts, and has room again afterwards', () =>
    withDirectory(async (directory) => {
      const store = await openOn(directory, { maxsize: 128 * 1024 });
      let count = 0;
      const creating = async (): Promise<void> => {
        for (; count < 10_000; count += 1) await store.create(cookieRecord(cookieId(count), { auth: JOE }));
      };
      await expect(creating()).rejects.toThrow('the cookie database is full (131072 bytes)');
      expect(count).toBeGreaterThan(100);
      expect((await stat(path.join(directory, 'data.mdb'))).size).toBeLessThanOrEqual(128 * 1024);
      await expect(store.update(cookieId(0), { auth: { ...JOE, authid: 'jim' }, modified: MODIFIED })).rejects.toThrow(
        'is full',
      );
      await expect(store.rotate(cookieId(0), 'new', MODIFIED)).rejects.toThrow('is full');
      await store.update(cookieId(0), { auth: null, modified: MODIFIED });
      for (let n = 0; n < count / 2; n += 1) await store.delete(cookieId(n));
      await store.create(cookieRecord('room-again'));
      await store.close();
      const again = await openOn(directory, { maxsize: 128 * 1024 });
      expect(await again.list()).toHaveLength(Math.floor(count / 2) + 1);
      await again.close();
    }));

  it('does what is asked at once in one transaction, and refuses single requests of it', () =>
    withDirectory(async (directory) => {
      const batches: number[] = [];
      const store = databaseOn(directory, {}, undefined, (requests) => void batches.push(requests.length));
      await store.open();
      const all = [1, 2, 1, 3].map((n) => store.create(cookieRecord(cookieId(n))));
      const results = await Promise.allSettled(all);
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
      expect(batches).toEqual([4]);
      await store.close();
    }));

  it('loses visitors who never come back, and old forwards, with the writes of new ones', () =>
    withDirectory(async (directory) => {
      let now = Date.parse(CREATED);
      const store = await openOn(directory, {}, () => now);
      for (let n = 0; n < 100; n += 1) await store.create(cookieRecord(cookieId(n), { max_age: 60 }));
      await store.rotate(cookieId(0), cookieId(500), new Date(now).toISOString());
      now += 61 * MINUTE;
      for (let n = 100; n < 160; n += 1) {
        await store.create(cookieRecord(cookieId(n), { created: new Date(now).toISOString() }));
      }
      expect(await store.list()).toHaveLength(60);
      expect(await store.get(cookieId(0))).toBeUndefined();
      await store.close();
    }));

  it('is read anew after another one has written to it', () =>
    withDirectory(async (directory) => {
      const [first, second] = [await openOn(directory), await openOn(directory)];
      await first.create(cookieRecord(cookieId(1)));
      expect(await second.get(cookieId(1))).toEqual(cookieRecord(cookieId(1)));
      await second.rotate(cookieId(1), cookieId(2), DELETED);
      expect(await first.get(cookieId(1))).toMatchObject({ moved_to: cookieId(2) });
      await expect(first.update(cookieId(1), { seen: DELETED })).rejects.toBeInstanceOf(CookieStoreError);
      await Promise.all([first.close(), second.close()]);
    }));

  it('keeps a trace of a logout for a minute, which counts as nothing', () =>
    withDirectory(async (directory) => {
      let now = Date.parse(CREATED);
      const [store, other] = [await openOn(directory, {}, () => now), await openOn(directory, {}, () => now)];
      await store.create(cookieRecord(cookieId(1)));
      const told: string[] = [];
      const end = other.watch(
        () => [cookieId(1)],
        (cbtid) => void told.push(cbtid),
      );
      await store.delete(cookieId(1));
      expect(await store.delete(cookieId(1))).toBeUndefined();
      await vi.waitFor(() => expect(told).toContain(cookieId(1)));
      end();
      expect([await store.get(cookieId(1)), await store.list(), await store.count()]).toEqual([
        undefined,
        [],
        { values: 0, damaged: 0 },
      ]);
      await store.purge();
      await expect(store.create(cookieRecord(cookieId(1)))).rejects.toThrow('is taken');
      now += MINUTE;
      await store.purge();
      await store.create(cookieRecord(cookieId(1)));
      await Promise.all([store.close(), other.close()]);
    }));

  it('is asked for nothing but a number as long as nobody else writes', () =>
    withDirectory(async (directory) => {
      const asked: string[] = [];
      const store = databaseOn(directory, {}, undefined, (requests) => {
        asked.push(...requests.map((request) => request.do));
      });
      await store.open();
      const here = vi.fn(() => [cookieId(1)]);
      const end = store.watch(here, () => undefined);
      await vi.waitFor(() => expect(here).toHaveBeenCalledTimes(1));
      await store.create(cookieRecord(cookieId(1)));
      await store.delete(cookieId(1), DELETED, false);
      await store.delete(cookieId(1));
      asked.length = 0;
      await vi.waitFor(() => expect(asked.length).toBeGreaterThan(3));
      expect(new Set(asked)).toEqual(new Set(['changed']));
      expect(here).toHaveBeenCalledTimes(1);
      const other = await openOn(directory);
      await other.create(cookieRecord(cookieId(2)));
      await vi.waitFor(() => expect(asked).toContain('gone'));
      end();
      await Promise.all([store.close(), other.close()]);
    }));

  it('tells all who watch, also where nobody can be called', () =>
    withDirectory(async (directory) => {
      const store = await openOn(directory);
      const ids = [1, 2, 3].map(cookieId);
      for (const id of ids) await store.create(cookieRecord(id));
      await rm(path.join(directory, 'logouts'));
      const told: string[][] = [[], []];
      for (const each of told) {
        store.watch(
          () => ids,
          (cbtid) => void each.push(cbtid),
        );
      }
      const other = await openOn(directory);
      for (const id of ids) {
        await other.delete(id);
        for (const each of told) await until(() => expect(each).toContain(id));
      }
      await Promise.all([store.close(), other.close()]);
    }));

  it('asks for open cookies that come later, and keeps nobody waiting who has them', () =>
    withDirectory(async (directory) => {
      const store = await openOn(directory);
      const id = cookieId(1);
      await store.create(cookieRecord(id));
      const [slow, told] = [vi.fn(), vi.fn()];
      let answer: ((ids: readonly string[]) => void) | undefined;
      store.watch(() => new Promise((resolve) => (answer = resolve)), slow);
      store.watch(() => [id], told);
      await until(() => expect(answer).toBeDefined());
      await store.delete(id);
      await until(() => expect(told).toHaveBeenCalledWith(id));
      expect(slow).not.toHaveBeenCalled();
      answer?.([id]);
      await until(() => expect(slow).toHaveBeenCalledWith(id));
      await store.close();
    }));

  it('refuses ids that it cannot hold', () =>
    withDirectory(async (directory) => {
      const store = await openOn(directory);
      for (const id of ['', 'x'.repeat(601)]) {
        expect(await store.get(id)).toBeUndefined();
        await store.delete(id);
        await expect(store.create(cookieRecord(id))).rejects.toThrow('cannot be stored');
      }
      await store.create(cookieRecord('é'.repeat(600)));
      expect(await store.list()).toHaveLength(1);
      await store.close();
    }));
});

describe('a database whose thread is lost', () => {
  it('rejects what was asked, and opens again for the next request', () =>
    withDirectory(async (directory) => {
      await mkdir(path.join(directory, 'db'));
      const options = databaseOptions(path.join(directory, 'db'), { purge: true });
      const { log, entries } = recordingLog();
      let isLost = false;
      const opened: boolean[] = [];
      const store = new DatabaseCookieStore(options, {
        log,
        connect: async (given) => {
          opened.push(given.purge);
          const engine = await DatabaseEngine.open(given, () => Date.parse(CREATED));
          return {
            run: async (requests) => {
              if (!isLost) return engine.run(requests);
              isLost = false;
              await engine.close();
              throw new Error('the thread of the database has ended');
            },
            close: () => engine.close(),
          };
        },
      });
      await store.open();
      await store.create(cookieRecord(cookieId(1)));
      isLost = true;
      await expect(store.create(cookieRecord(cookieId(2)))).rejects.toBeInstanceOf(CookieStoreError);
      await store.create(cookieRecord(cookieId(3)));
      expect((await store.list()).map(({ cbtid }) => cbtid)).toEqual([cookieId(1), cookieId(3)]);
      expect(opened).toEqual([true, false]);
      expect(entries.map(({ msg }) => msg)).toEqual(['cookie database lost']);
      await store.close();
    }));
});

describe('a database that cannot be closed', () => {
  it('is told as an error of the store', async () => {
    const connect = () =>
      Promise.resolve({ run: () => Promise.resolve([]), close: () => Promise.reject(new Error('the disk is gone')) });
    const store = new DatabaseCookieStore(databaseOptions('/', { readonly: true }), {
      log: recordingLog().log,
      connect,
    });
    await store.open();
    await expect(store.close()).rejects.toBeInstanceOf(CookieStoreError);
    await expect(store.close()).rejects.toThrow('cannot be closed: the disk is gone');
  });
});

describe('a database that is renamed, deleted or replaced while it is open', () => {
  const DATA = 'data.mdb';

  /** As a node has it, with a visitor in it. @returns what was logged, too. */
  async function lostDatabase(place: string): Promise<{ store: DatabaseCookieStore; messages: () => string[] }> {
    const { log, entries } = recordingLog();
    const store = new DatabaseCookieStore(databaseOptions(place), {
      log,
      connect: async (options) => {
        const engine = await DatabaseEngine.open(options, () => Date.parse(CREATED));
        // eslint-disable-next-line @typescript-eslint/require-await
        return { run: async (requests) => engine.run(requests), close: () => engine.close() };
      },
    });
    await store.open();
    await store.create(cookieRecord(cookieId(1)));
    return { store, messages: () => entries.map(({ level, msg }) => `${level}: ${msg}`) };
  }

  it.each<[string, (place: string) => Promise<void>]>([
    ['deleted', (place) => rm(path.join(place, DATA))],
    ['renamed', (place) => rename(path.join(place, DATA), path.join(place, 'data.old'))],
    ['deleted with its directory', (place) => rm(place, { recursive: true })],
    ['renamed with its directory', (place) => rename(place, `${place}.old`)],
    [
      'replaced',
      async (place) => {
        await copyFile(path.join(place, DATA), path.join(place, 'copy'));
        await rename(path.join(place, 'copy'), path.join(place, DATA));
      },
    ],
    ['robbed of its lock', (place) => rm(path.join(place, 'lock.mdb'))],
  ])('%s: what follows is refused, and a restart finds what the node says from then on', (_what, lose) =>
    withDirectory(async (directory) => {
      const place = path.join(directory, 'cookies');
      const { store, messages } = await lostDatabase(place);
      await lose(place);
      await expect(store.update(cookieId(1), { auth: JOE, modified: MODIFIED })).rejects.toThrow(
        /cookie database .* failed: .* was renamed, deleted or replaced by somebody else/,
      );
      expect(messages()).toEqual(['error: cookie database lost']);
      await store.create(cookieRecord(cookieId(2)));
      const known = await store.list();
      await store.close();
      const again = await openOn(place);
      expect(await again.list()).toEqual(known);
      expect(known.map(({ cbtid }) => cbtid)).toContain(cookieId(2));
      expect(known.every(({ auth }) => auth === null)).toBe(true);
      await again.close();
    }),
  );

  it('says nothing of its cookies any more, though it could still be read', () =>
    withDirectory(async (directory) => {
      const place = path.join(directory, 'cookies');
      const { store } = await lostDatabase(place);
      await rm(path.join(place, DATA));
      await expect(store.get(cookieId(1))).rejects.toBeInstanceOf(CookieStoreError);
      expect(await store.get(cookieId(1))).toBeUndefined();
      await store.close();
    }));
});
