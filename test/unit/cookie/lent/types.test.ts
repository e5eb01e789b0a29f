/** The `CookieStores` of a node that lends, and those of a process that borrows all that its sections name. */
import { mkdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it, vi } from 'vitest';

import { LentKeys } from '../../../../src/cookie/lent/keys.js';
import { Lender } from '../../../../src/cookie/lent/lender.js';
import { OwnerLink } from '../../../../src/cookie/lent/owner-link.js';
import { borrowedTypes, lendableTypes, lendStores } from '../../../../src/cookie/lent/types.js';
import { MemoryCookieStore } from '../../../../src/cookie/memory.js';
import { COOKIE_STORES, placeText, privateFilesOf } from '../../../../src/cookie/registry.js';
import { CookieStores } from '../../../../src/cookie/stores.js';
import type { CookieConfig, CookieStoreConfig } from '../../../../src/cookie/schema.js';
import type { CookieStoreTypes } from '../../../../src/cookie/store-type.js';
import { silentLogger } from '../../../../src/log/logger.js';
import { cookieId, cookieRecord, CREATED, JOE, MODIFIED, withDirectory } from '../../../support/cookie-store.js';
import { cookieConfig } from '../../../support/web.js';
import { until } from '../../../support/until.js';

const [ID, SECOND] = [cookieId(1), cookieId(2)];
const clock = (): number => Date.parse(CREATED);

function fileSection(filename: string, parts: Partial<CookieConfig> = {}): CookieConfig {
  const store = { type: 'file', filename, purge_on_startup: false, sync: 'always', checksum: false } as const;
  return cookieConfig({ store, ...parts });
}

/** A process with the config: as after it was sent there. */
function copied(sections: readonly CookieConfig[], keys: LentKeys): readonly CookieConfig[] {
  return JSON.parse(JSON.stringify(keys.marked(sections))) as readonly CookieConfig[];
}

interface World {
  readonly owner: CookieStores;
  readonly borrower: CookieStores;
  readonly theirs: readonly CookieConfig[];
}

async function withWorld(
  directory: string,
  { sections, types = COOKIE_STORES }: { sections: readonly CookieConfig[]; types?: CookieStoreTypes },
  use: (world: World) => Promise<void>,
): Promise<void> {
  const log = silentLogger();
  const owner = new CookieStores({ clock, log }, lendableTypes(types));
  const lender = await Lender.start(path.join(directory, 'lent.sock'), { log });
  const keys = new LentKeys();
  await lendStores(sections, { lender, keys, stores: owner });
  const link = await OwnerLink.connect(path.join(directory, 'lent.sock'), { log });
  const theirs = copied(sections, keys);
  const borrower = new CookieStores({ clock, log }, borrowedTypes(link, types));
  await use({ owner, borrower, theirs });
  await borrower.closeAll();
  link.end();
  lender.end();
  await owner.closeAll();
}

/** Opens a connection with a session. */
async function enter(stores: CookieStores, section: CookieConfig, cbtid: string) {
  const liveCookie = (await stores.join(section)).enter(cookieRecord(cbtid), { authid: 'derived', isCookieId: false });
  const dismiss = vi.fn();
  liveCookie.joined({ id: 1, dismiss });
  return { liveCookie, dismiss };
}

describe('a borrower', () => {
  it('uses the file of the owner, with one LiveCookies however many names it has', () =>
    withDirectory(async (directory) => {
      await mkdir(path.join(directory, 'real'));
      await symlink(path.join(directory, 'real'), path.join(directory, 'link'));
      const sections = ['real', 'link', 'real'].map((name) => fileSection(path.join(directory, name, 'cookies.dat')));
      await withWorld(directory, { sections }, async ({ owner, borrower, theirs }) => {
        const [first, second, third] = await Promise.all(theirs.map((section) => borrower.join(section)));
        expect(second).toBe(first);
        expect(third).toBe(first);
        await first?.create(cookieRecord(ID, { auth: JOE, modified: MODIFIED }));
        expect(await readFile(path.join(directory, 'real/cookies.dat'), 'utf8')).toContain(ID);
        const ours = await owner.join(sections[1] ?? cookieConfig());
        expect(await ours.loginOf(ID)).toEqual(JOE);
        const there = await enter(borrower, theirs[2] ?? cookieConfig(), ID);
        await ours.logOut(ID);
        await until(() => expect(there.dismiss).toHaveBeenCalled());
        expect(await borrower.opened()).toHaveLength(1);
      });
    }));

  it('has for each section in memory that of the owner, and none in common', () =>
    withDirectory(async (directory) => {
      const sections = [cookieConfig(), cookieConfig({ name: 'other' })];
      await withWorld(directory, { sections }, async ({ owner, borrower, theirs }) => {
        const [first, second] = await Promise.all(theirs.map((section) => borrower.join(section)));
        expect(first).not.toBe(second);
        await first?.create(cookieRecord(ID));
        expect(await second?.find(ID)).toBeUndefined();
        const [mine, other] = await Promise.all(sections.map((section) => owner.join(section)));
        expect(await mine?.find(ID)).toEqual(cookieRecord(ID));
        expect(await other?.find(ID)).toBeUndefined();
      });
    }));

  it('shares a section in memory that several paths inherit, though it is a copy of each', () =>
    withDirectory(async (directory) => {
      const store = { type: 'memory' } as const;
      const sections = [cookieConfig({ store }), cookieConfig({ store })];
      await withWorld(directory, { sections }, async ({ borrower, theirs }) => {
        const [first, second] = await Promise.all(theirs.map((section) => borrower.join(section)));
        expect(second).toBe(first);
      });
    }));

  it('refuses a section that the owner does not lend', () =>
    withDirectory(async (directory) => {
      await withWorld(directory, { sections: [cookieConfig()] }, async ({ borrower }) => {
        for (const section of [cookieConfig(), fileSection(path.join(directory, 'other.dat'))]) {
          await expect(borrower.join(section)).rejects.toThrow('this cookie store is not lent');
        }
      });
    }));

  it('names the places of its stores as the owner does', () =>
    withDirectory(async (directory) => {
      const sections = [fileSection(path.join(directory, 'cookies.dat'))];
      await withWorld(directory, { sections }, ({ borrower }) => {
        const store: CookieStoreConfig = sections[0]?.store ?? { type: 'memory' };
        expect(placeText(store, borrower.types)).toBe(placeText(store));
        expect(privateFilesOf(store, borrower.types)).toEqual(privateFilesOf(store));
        return Promise.resolve();
      });
    }));

  it('borrows stores of a word that somebody else has brought', () =>
    withDirectory(async (directory) => {
      const made: MemoryCookieStore[] = [];
      const attic = { type: 'attic', create: () => (made.push(new MemoryCookieStore()), made.at(-1)) };
      const types = { ...COOKIE_STORES, attic } as unknown as CookieStoreTypes;
      const sections = [cookieConfig({ store: { type: 'attic' } as unknown as CookieStoreConfig })];
      await withWorld(directory, { sections, types }, async ({ borrower, theirs }) => {
        await (await borrower.join(theirs[0] ?? cookieConfig())).create(cookieRecord(ID));
        expect(made).toHaveLength(1);
        expect(await made[0]?.get(ID)).toEqual(cookieRecord(ID));
      });
    }));
});

describe('an owner', () => {
  it('still opens a file once, and purges it or refuses it as its sections say', () =>
    withDirectory(async (directory) => {
      const stores = new CookieStores({ clock, log: silentLogger() }, lendableTypes(COOKIE_STORES));
      const section = fileSection(path.join(directory, 'cookies.dat'));
      const store = await stores.storeOf(section);
      await store.create(cookieRecord(ID));
      await store.create(cookieRecord(SECOND, { created: '2020-01-01T00:00:00.000Z' }));
      expect(await stores.acquire(section.store)).toBe(store);
      expect(await store.list()).toHaveLength(2);
      await stores.acquire(Object.assign({ ...section.store }, { purge_on_startup: true }));
      expect(await store.list()).toEqual([cookieRecord(ID)]);
      const otherwise = Object.assign({ ...section.store }, { sync: 'no' });
      await expect(stores.acquire(otherwise)).rejects.toThrow('is configured twice');
      await stores.closeAll();
    }));

  it('refuses to lend what its sections want otherwise', () =>
    withDirectory(async (directory) => {
      const log = silentLogger();
      const stores = new CookieStores({ clock, log }, lendableTypes(COOKIE_STORES));
      const lender = await Lender.start(path.join(directory, 'lent.sock'), { log });
      const filename = path.join(directory, 'cookies.dat');
      const sections = [fileSection(filename), fileSection(filename, { idle_timeout: 60 })];
      await expect(lendStores(sections, { lender, keys: new LentKeys(), stores })).rejects.toThrow(
        'with different idle_timeout',
      );
      lender.end();
      await stores.closeAll();
    }));
});
