/** What commands can do with the cookies of a node, without a node. */
import path from 'node:path';

import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { cookieDigest } from '../../../src/cookie/digest.js';
import { openedStores, verifyStores, withStores } from '../../../src/cookie/managed-stores.js';
import { ManagedCookies } from '../../../src/cookie/management.js';
import type { ListedCookie, StoreManagement } from '../../../src/cookie/management.js';
import { COOKIE_STORES } from '../../../src/cookie/registry.js';
import type { CookieStoreConfig } from '../../../src/cookie/schema.js';
import { CookieStoreError } from '../../../src/cookie/error.js';
import { CookieStores } from '../../../src/cookie/stores.js';
import { cookieFile, cookieId, cookieRecord, recordingLog } from '../../support/cookie-store.js';
import { temporaryDirectory } from '../../support/daemon.js';
import { managedStores } from '../../support/managed-stores.js';
import { cookieConfig } from '../../support/web.js';

const CREATED = new Date().toISOString();
const digest = (n: number): string => cookieDigest(cookieId(n));

let recorded: ReturnType<typeof recordingLog>;

beforeEach(() => {
  recorded = recordingLog();
});

const storesWith = (...ids: readonly (readonly number[])[]) => managedStores(recorded.log, ids);

async function listed(management: StoreManagement, store?: number): Promise<[number, string][]> {
  const cookies: ListedCookie[] = [];
  await management.list(store, (cookie) => void cookies.push(cookie));
  return cookies.map((cookie) => [cookie.store, cookie.digest]);
}

describe('cookies', () => {
  it('are listed with the number of their store', async () => {
    const { management } = await storesWith([1, 2], [3]);
    const second: [number, string] = [2, digest(3)];
    expect(await listed(management)).toEqual([[1, digest(1)], [1, digest(2)], second]);
    expect(await listed(management, 2)).toEqual([second]);
  });

  it('are revoked by user, by digest, or all, in one store or in every one', async () => {
    const { management } = await storesWith([1, 2, 3], [2, 5]);
    expect(await management.revoke({ authid: 'joe' }, 1)).toBe(2);
    expect(await management.revoke({ authid: 'joe' })).toBe(1);
    expect(recorded.entries.map(({ msg, store, cookies }) => [msg, store, cookies])).toEqual([
      ['cookies revoked', 'memory 1', 2],
      ['cookies revoked', 'memory 2', 1],
    ]);
    expect(await management.revoke({ digest: digest(2), authid: 'joe' })).toBe(0);
    expect(await management.revoke({ digest: digest(2) })).toBe(2);
    expect(await management.revoke({})).toBe(0);
  });

  it('are all tried, though the store fails for one', async () => {
    const { stores, management } = await storesWith([1, 3, 5]);
    const [first] = stores;
    const remove = first?.store.delete.bind(first.store);
    if (first === undefined || remove === undefined) throw new Error('there is no store');
    first.store.delete = (cbtid, ...rest) =>
      cbtid === cookieId(1) ? Promise.reject(new CookieStoreError('disk full')) : remove(cbtid, ...rest);
    onTestFinished(() => first.liveCookies.close());
    await expect(management.revoke({ authid: 'joe' })).rejects.toThrow('disk full');
    expect(await first.store.list()).toHaveLength(1);
    // The logout holds all the same.
    expect(await listed(management)).toEqual([]);
  });

  it('are found by digest among many', async () => {
    const count = 1200;
    const { stores } = await storesWith(Array.from({ length: count }, (_, n) => n));
    const cookies = new ManagedCookies(...stores.map(({ liveCookies }) => liveCookies));
    expect(await cookies.get(digest(count - 1))).toMatchObject({ digest: digest(count - 1), authid: 'joe' });
    expect(await cookies.get(digest(count))).toBeUndefined();
    expect(await cookies.count({ digest: digest(7) })).toBe(1);
    expect(await cookies.list({}, { limit: 2, offset: count - 1 })).toHaveLength(1);
  });

  it('of a store that is added twice count once', async () => {
    const { stores } = await storesWith([1]);
    const cookies = new ManagedCookies();
    for (const { liveCookies } of [...stores, ...stores]) cookies.add(liveCookies);
    expect(await cookies.count({})).toBe(1);
  });
});

describe('a store', () => {
  it('that is not there is named, with those that are', async () => {
    const { management } = await storesWith([], []);
    const text = 'there is no cookie store 3: there are 1 (memory 1), 2 (memory 2)';
    await expect(management.revoke({}, 3)).rejects.toThrow(text);
    await expect(management.compact(3)).rejects.toThrow(CookieStoreError);
    const nowhere = (await storesWith()).management;
    await expect(nowhere.import('x')).rejects.toThrow('the node keeps no cookies that outlive it');
  });

  it('in memory has nothing to compact', async () => {
    expect(await (await storesWith([1])).management.compact()).toEqual([{ store: 1, place: 'memory 1' }]);
  });

  it('is asked for where there are several', async () => {
    const { management } = await storesWith([], []);
    const text = 'into which store? Say --to with a number: 1 (memory 1), 2 (memory 2)';
    await expect(management.import('x')).rejects.toThrow(text);
  });

  it('has its number by the order of the config, and those in memory come last', async () => {
    const directory = temporaryDirectory();
    const file = (name: string): CookieStoreConfig => {
      const filename = path.join(directory, name);
      return { type: 'file', filename, sync: 'always', checksum: false, purge_on_startup: true };
    };
    const sections = [{ type: 'memory' } as const, file('b.dat'), file('a.dat'), file('b.dat')].map((store) =>
      cookieConfig({ store }),
    );
    const stores = new CookieStores({ clock: Date.now, log: recorded.log });
    // Opened in another order, as transports start.
    for (const section of sections.toReversed()) await stores.join(section);
    const places = [`file ${directory}/b.dat`, `file ${directory}/a.dat`, 'memory'];
    const opened = await openedStores(stores, sections);
    expect(opened.map(({ number, place }) => [number, place])).toEqual(places.map((place, n) => [n + 1, place]));
    await opened[0]?.liveCookies.adopt(cookieRecord(cookieId(1), { created: CREATED }));
    await stores.closeAll();

    // Of a stopped node: nothing is purged.
    const counts = await withStores(sections, { types: COOKIE_STORES, log: recorded.log }, (managed) =>
      Promise.all(managed.map(async ({ place, liveCookies }) => [place, (await liveCookies.list()).length])),
    );
    expect(counts).toEqual([
      [places[0], 1],
      [places[1], 0],
    ]);
    expect(await verifyStores(sections, { types: COOKIE_STORES, log: recorded.log }, 1)).toMatchObject([
      { store: 1, cookies: 1, damaged: 0 },
    ]);
  });
});

describe('an import', () => {
  it('ends when nobody waits for it any more', async () => {
    const { stores, management } = await storesWith([]);
    const gone = new AbortController();
    const watch = { signal: gone.signal, onProgress: () => (gone.abort(), Promise.resolve()) };
    const file = cookieFile(temporaryDirectory(), 3000);
    await expect(management.import(file, undefined, watch)).rejects.toThrow('nobody waits for it');
    expect((await stores[0]?.store.list())?.length).toBeLessThan(3000);
  });
});
