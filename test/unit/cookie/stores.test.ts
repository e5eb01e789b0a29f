import { mkdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import type { CookieStoreConfig } from '../../../src/cookie/schema.js';
import type { ConfigOf } from '../../../src/cookie/store-type.js';
import { CookieStores } from '../../../src/cookie/stores.js';
import { cookieId, cookieRecord, CREATED, recordingLog, withDirectory } from '../../support/cookie-store.js';
import { cookieConfig } from '../../support/web.js';

function newStores(): CookieStores {
  return new CookieStores({ clock: () => Date.parse(CREATED), log: recordingLog().log });
}

function fileConfig(filename: string, purge_on_startup = false): ConfigOf<'file'> {
  return { type: 'file', filename, purge_on_startup, sync: 'always', checksum: false };
}

describe('CookieStores', () => {
  it('gives every section of type memory a store of its own', async () => {
    const stores = newStores();
    const [first, second] = await Promise.all([stores.acquire({ type: 'memory' }), stores.acquire({ type: 'memory' })]);
    await first.create(cookieRecord(cookieId(1)));
    expect(await second.get(cookieId(1))).toBeUndefined();
    await stores.closeAll();
    await expect(first.get(cookieId(1))).rejects.toThrow('closed');
  });

  it('opens a file once, however many paths name it', () =>
    withDirectory(async (directory) => {
      await mkdir(path.join(directory, 'real'));
      await symlink(path.join(directory, 'real'), path.join(directory, 'link'));
      const stores = newStores();
      const names = ['real/cookies.dat', 'link/cookies.dat', 'real/../link/./cookies.dat'];
      const opened = await Promise.all(names.map((name) => stores.acquire(fileConfig(`${directory}/${name}`))));
      expect(new Set(opened).size).toBe(1);
      // Now that the file exists, a link to the file itself is one more name.
      await symlink(path.join(directory, 'real/cookies.dat'), path.join(directory, 'direct.dat'));
      const filename = path.join(directory, 'direct.dat');
      expect(await stores.acquire(fileConfig(filename))).toBe(opened[0]);
      const other = path.join(directory, 'other.dat');
      expect(await stores.acquire(fileConfig(other))).not.toBe(opened[0]);
      await stores.closeAll();
      await stores.closeAll();
    }));

  it('purges a shared file when any section says so, also the second', () =>
    withDirectory(async (directory) => {
      const filename = path.join(directory, 'cookies.dat');
      const stores = newStores();
      const store = await stores.acquire(fileConfig(filename));
      const old = cookieRecord(cookieId(1), { created: '2020-01-01T00:00:00.000Z' });
      const young = cookieRecord(cookieId(2), { created: CREATED });
      // The oldest cookie is alive, so that no new one sweeps the expired one behind it away.
      await store.create(young);
      await store.create(old);
      await stores.acquire(fileConfig(filename));
      expect(await store.get(old.cbtid)).toEqual(old);
      expect(await stores.acquire(fileConfig(filename, true))).toBe(store);
      expect(await store.get(old.cbtid)).toBeUndefined();
      expect(await store.get(young.cbtid)).toEqual(young);
      expect((await readFile(filename, 'utf8')).trimEnd().split('\n')).toHaveLength(1);
      await stores.closeAll();
    }));

  it('refuses sections that want one file kept in different ways', () =>
    withDirectory(async (directory) => {
      const config = fileConfig(path.join(directory, 'cookies.dat'));
      const stores = newStores();
      await stores.acquire(config);
      for (const difference of [{ sync: 'no' }, { checksum: true }]) {
        const other = { ...config, ...difference } as CookieStoreConfig;
        await expect(stores.acquire(other)).rejects.toThrow('is configured twice, with different sync or checksum');
      }
      await stores.closeAll();
    }));

  it('gives sections with one place the same cookies, and refuses those that want them to end otherwise', () =>
    withDirectory(async (directory) => {
      await symlink(directory, path.join(directory, 'link'));
      const stores = newStores();
      const section = cookieConfig({ store: fileConfig(path.join(directory, 'cookies.dat')) });
      const liveCookies = await stores.join(section);
      const store = fileConfig(path.join(directory, 'link/cookies.dat'));
      expect(await stores.join({ ...section, store })).toBe(liveCookies);
      expect(await stores.opened()).toEqual([{ config: section.store, liveCookies }]);
      await expect(stores.join({ ...section, store, idle_timeout: 60, max_unreturned: 1 })).rejects.toMatchObject({
        code: 'ERR_COOKIE_STORE',
        message: `the cookie file ${store.filename} is configured twice, with different idle_timeout, max_unreturned`,
      });
      await stores.closeAll();
    }));

  it('refuses a file that another node has, and takes it when that is gone', () =>
    withDirectory(async (directory) => {
      const config = fileConfig(path.join(directory, 'cookies.dat'));
      const [first, second] = [newStores(), newStores()];
      await first.acquire(config);
      await expect(second.acquire(config)).rejects.toMatchObject({
        code: 'ERR_COOKIE_STORE',
        message: expect.stringContaining(`in use by process ${process.pid}`) as string,
      });
      await first.closeAll();
      await second.acquire(config);
      await second.closeAll();
    }));

  it('says which directory is missing', () =>
    withDirectory(async (directory) => {
      const filename = path.join(directory, 'missing/cookies.dat');
      await expect(newStores().acquire(fileConfig(filename))).rejects.toThrow(
        `the cookie file ${filename} cannot be opened: there is no directory ${path.dirname(filename)}`,
      );
    }));
});
