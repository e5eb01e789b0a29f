/** What the file store does with its file, beyond the contract of all stores. */
import { chmod, copyFile, link, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FileCookieStore } from '../../../../src/cookie/file/store.js';
import { deletedLine, liveLine } from '../../../../src/cookie/file/line.js';
import { readCookieFile } from '../../../../src/cookie/file/reader.js';
import { sealed } from '../../../../src/cookie/file/checksum.js';
import { CookieStoreError } from '../../../../src/cookie/error.js';
import {
  cookieId,
  cookieRecord,
  CREATED,
  DELETED,
  JOE,
  MODIFIED,
  recordingLog,
  seededRandom,
  withDirectory,
} from '../../../support/cookie-store.js';
import { createMany, FILE, linesOf, openOn } from '../../../support/file-store.js';
import type { Opened } from '../../../support/file-store.js';
import { SimulatedDisk, SimulatedProcesses } from '../../../support/simulated-disk.js';

const HOUR = 3_600_000;
/** The time at which the cookies of these tests are young. */
const clock = (): number => Date.parse(CREATED);
const fixtures = path.join(import.meta.dirname, '../../../fixtures/cookies');

describe('a file of Crossbar.io', () => {
  async function openFixture(name: string, directory: string): Promise<{ store: FileCookieStore; filename: string }> {
    const filename = path.join(directory, name);
    await copyFile(path.join(fixtures, name), filename);
    const store = new FileCookieStore({ filename, purge: false }, { log: recordingLog().log, clock });
    await store.open();
    return { store, filename };
  }

  it('is read, and left as it is', () =>
    withDirectory(async (directory) => {
      const { store, filename } = await openFixture('crossbar-login.dat', directory);
      expect(await store.get('NcusES/a1si68vzsFDuPCkqs')).toMatchObject({ created: CREATED, auth: { authid: 'joe' } });
      await store.close();
      expect(await readFile(filename)).toEqual(await readFile(path.join(fixtures, 'crossbar-login.dat')));
    }));

  it('does not revive a cookie that was logged out, as Crossbar.io does', () =>
    withDirectory(async (directory) => {
      const { store } = await openFixture('crossbar-logout.dat', directory);
      expect(await store.get('NcusES/a1si68vzsFDuPCkqs')).toBeUndefined();
      await store.close();
    }));

  it('is continued in its own format', () =>
    withDirectory(async (directory) => {
      const { store, filename } = await openFixture('crossbar-purged.dat', directory);
      await store.create(cookieRecord(cookieId(1)));
      await store.update('NEWbbbbbbbbbbbbbbbbbbbbb', { auth: JOE, modified: MODIFIED });
      await store.delete('NEWaaaaaaaaaaaaaaaaaaaaa', DELETED);
      await store.close();
      const [, , created = '', modified = '', deleted = ''] = (await readFile(filename, 'utf8')).split('\n');
      const recorded = (await readFile(path.join(fixtures, 'crossbar-logout.dat'), 'utf8')).split('\n');
      [created, modified, deleted].forEach((line, n) => {
        const shape = (text = ''): string[] => Object.keys(JSON.parse(text) as object);
        expect(shape(line)).toEqual(shape(recorded[n]));
        expect(line).not.toMatch(/":\S|,"/); // a space behind every colon and comma
      });
    }));
});

describe('what is in the file', () => {
  it('is readable by the owner only, and an open file is reported', () =>
    withDirectory(async (directory) => {
      const filename = path.join(directory, 'cookies.dat');
      await writeFile(`${filename}.tmp`, 'left by a crash', { mode: 0o644 });
      const { log, warnings } = recordingLog();
      const store = new FileCookieStore({ filename, purge: false }, { log, clock });
      await store.open();
      await store.create(cookieRecord(cookieId(1)));
      await store.close();
      expect((await stat(filename)).mode & 0o777).toBe(0o600);
      expect(warnings()).toEqual([]);
      await writeFile(filename, 'damaged', { flag: 'a' });
      await chmod(filename, 0o644);
      const again = new FileCookieStore({ filename, purge: false }, { log, clock });
      await again.open();
      await again.close();
      expect((await stat(filename)).mode & 0o777).toBe(0o600);
      expect((await stat(`${filename}.damaged`)).mode & 0o777).toBe(0o600);
      expect(warnings().map(({ msg }) => msg)).toEqual([
        'cookie file is open to other users: chmod 600',
        'damaged lines of the cookie file set aside',
      ]);
    }));

  it('gets its line feed when only that is missing', async () => {
    const disk = new SimulatedDisk();
    const line = liveLine(cookieRecord(cookieId(1)));
    disk.put(FILE, line.trimEnd());
    const { store, warnings } = await openOn(disk);
    expect(disk.content(FILE)).toBe(line);
    expect(await store.get(cookieId(1))).toEqual(cookieRecord(cookieId(1)));
    expect(warnings()).toEqual([]);
  });

  it('holds every cookie once after a thousand at once', async () => {
    const disk = new SimulatedDisk();
    const { store } = await openOn(disk);
    await createMany(store, 0, 1000);
    expect(linesOf(disk)).toHaveLength(1000);
    expect(new Set(linesOf(disk)).size).toBe(1000);
  });

  it('stays deleted although a later line knows the cookie again', async () => {
    const disk = new SimulatedDisk();
    const record = cookieRecord(cookieId(1));
    disk.put(FILE, liveLine(record) + deletedLine(record, DELETED) + liveLine({ ...record, auth: JOE }));
    const { store } = await openOn(disk);
    expect(await store.get(cookieId(1))).toBeUndefined();
    await expect(store.create(record)).rejects.toBeInstanceOf(CookieStoreError);
  });

  it('cannot be opened where there is no directory', () =>
    withDirectory(async (directory) => {
      const filename = path.join(directory, 'missing/cookies.dat');
      const store = new FileCookieStore({ filename, purge: false }, { log: recordingLog().log, clock });
      const message = `the cookie file ${filename} cannot be opened: there is no directory ${path.dirname(filename)}`;
      await expect(store.open()).rejects.toThrow(message);
      await expect(store.get(cookieId(1))).rejects.toThrow('not open');
    }));
});

describe('group commit', () => {
  it('writes and syncs what arrives together once', async () => {
    const disk = new SimulatedDisk();
    const { store } = await openOn(disk);
    const { append, datasync } = { ...disk.counts };
    await createMany(store, 0, 256);
    expect(disk.counts.append - append).toBe(1);
    expect(disk.counts.datasync - datasync).toBe(1);
  });

  it('collects what arrives while a sync is running', async () => {
    const disk = new SimulatedDisk();
    const { store } = await openOn(disk);
    const before = disk.counts.datasync;
    const first = store.create(cookieRecord(cookieId(0)));
    // Each of these asks in a later turn of the event loop, like the clients of separate sockets.
    const others = Array.from({ length: 200 }, async (_, n) => {
      for (let turn = 0; turn < n % 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      await store.create(cookieRecord(cookieId(n + 1)));
    });
    await Promise.all([first, ...others]);
    expect(disk.counts.datasync - before).toBeLessThan(10);
    expect(linesOf(disk)).toHaveLength(201);
  });

  it('shows a change to nobody before it is durable', async () => {
    const disk = new SimulatedDisk();
    const { store } = await openOn(disk);
    let isAcknowledged = false;
    const creating = store.create(cookieRecord(cookieId(1))).then(() => {
      isAcknowledged = true;
    });
    const before = disk.counts.datasync;
    while ((await store.get(cookieId(1))) === undefined) await new Promise((resolve) => setImmediate(resolve));
    expect(disk.counts.datasync).toBe(before + 1);
    await creating;
    expect(isAcknowledged).toBe(true);
  });
});

describe('a full disk', () => {
  it('refuses the whole batch, leaves file and memory as before, and works again when there is room', async () => {
    const disk = new SimulatedDisk();
    const { store } = await openOn(disk);
    await createMany(store, 0, 3);
    const content = disk.content(FILE);
    for (const kind of ['short', 'error', 'late error'] as const) {
      disk.failAt(1, kind);
      const results = await Promise.allSettled([
        store.create(cookieRecord(cookieId(10))),
        store.update(cookieId(0), { auth: JOE, modified: MODIFIED }),
        store.delete(cookieId(1), DELETED),
      ]);
      for (const result of results) {
        expect(result).toMatchObject({ status: 'rejected', reason: { code: 'ERR_COOKIE_STORE' } });
        expect(result.status === 'rejected' && (result.reason as Error).cause).toBeInstanceOf(Error);
      }
      expect(disk.content(FILE)).toBe(content);
      expect(await store.get(cookieId(10))).toBeUndefined();
      expect(await store.get(cookieId(0))).toEqual(cookieRecord(cookieId(0)));
      expect(await store.get(cookieId(1))).toBeDefined();
    }
    await createMany(store, 10, 2);
    expect(disk.content(FILE)).toBe(
      `${content}${liveLine(cookieRecord(cookieId(10)))}${liveLine(cookieRecord(cookieId(11)))}`,
    );
  });

  it('is tidied up later when it cannot be at once', async () => {
    const disk = new SimulatedDisk();
    const { store } = await openOn(disk);
    const truncations = disk.counts.truncate;
    disk.failAt(1, 'power off'); // half a line, and the truncation behind it fails, too
    await expect(store.create(cookieRecord(cookieId(1)))).rejects.toBeInstanceOf(CookieStoreError);
    await expect(store.create(cookieRecord(cookieId(2)))).rejects.toBeInstanceOf(CookieStoreError);
    expect(disk.content(FILE)).not.toBe('');
    expect(disk.counts.truncate).toBe(truncations + 2);
    disk.restart();
    await store.create(cookieRecord(cookieId(3)));
    expect(disk.content(FILE)).toBe(liveLine(cookieRecord(cookieId(3))));
  });
});

describe('purge_on_startup', () => {
  const young = cookieRecord(cookieId(1), { modified: MODIFIED, auth: JOE });
  const old = cookieRecord(cookieId(2), { max_age: 3600 });
  const gone = cookieRecord(cookieId(3));
  const content = [young, old, gone].map(liveLine).join('') + deletedLine(gone, DELETED);

  it('drops expired and deleted cookies from memory and file, by UTC and the lifetime of the record', async () => {
    const disk = new SimulatedDisk();
    disk.put(FILE, content);
    const { store } = await openOn(disk, { purge: true, now: Date.parse(CREATED) + HOUR });
    expect(await store.get(old.cbtid)).toBeUndefined();
    expect(await store.get(young.cbtid)).toEqual(young);
    expect(disk.content(FILE)).toBe(liveLine(young));
    expect(disk.files()).toEqual([FILE, `${FILE}.lock`]);
  });

  it('keeps a cookie in its last millisecond', async () => {
    const disk = new SimulatedDisk();
    disk.put(FILE, content);
    const { store } = await openOn(disk, { purge: true, now: Date.parse(CREATED) + HOUR - 1 });
    expect(await store.get(old.cbtid)).toEqual(old);
  });

  it('is off by default', async () => {
    const disk = new SimulatedDisk();
    disk.put(FILE, content);
    const { store } = await openOn(disk, { now: Date.parse(CREATED) + HOUR });
    expect(await store.get(old.cbtid)).toEqual(old);
    expect(disk.content(FILE)).toBe(content);
  });
});

describe('compaction', () => {
  it('happens at the start when more than five hundred lines are outdated', async () => {
    const disk = new SimulatedDisk();
    const record = cookieRecord(cookieId(1));
    const deleted = cookieRecord(cookieId(2));
    disk.put(FILE, liveLine(deleted) + deletedLine(deleted, DELETED) + liveLine(record).repeat(500));
    const { store } = await openOn(disk);
    expect(disk.content(FILE)).toBe(liveLine(record));
    expect(await store.get(deleted.cbtid)).toBeUndefined();
  });

  it('leaves a file alone that is not worth it', async () => {
    const disk = new SimulatedDisk();
    const content = liveLine(cookieRecord(cookieId(1))).repeat(501);
    disk.put(FILE, content);
    await openOn(disk);
    expect(disk.content(FILE)).toBe(content);
  });

  it('writes many cookies in small pieces, between which the node goes on', async () => {
    const disk = new SimulatedDisk();
    const { store } = await openOn(disk);
    await createMany(store, 0, 3000);
    const before = disk.counts.append;
    await store.compact();
    expect(disk.counts.append - before).toBe(0); // nothing is outdated
    await store.update(cookieId(1), { auth: JOE, modified: MODIFIED });
    const updated = disk.counts.append;
    await store.compact();
    const bytes = disk.content(FILE)?.length ?? 0;
    expect(disk.counts.append - updated).toBeGreaterThanOrEqual(Math.floor(bytes / 65_536));
    expect(linesOf(disk)).toHaveLength(3000);
    await store.close();
  });
});

describe('visitors who never come back', () => {
  it('leave memory and file with the writes of new ones', async () => {
    const disk = new SimulatedDisk();
    const { store: early } = await openOn(disk);
    await createMany(early, 0, 100);
    await early.close();
    const eightDaysLater = Date.parse(CREATED) + 8 * 86_400_000;
    const { store } = await openOn(disk, { now: eightDaysLater });
    for (let n = 100; n < 150; n += 1) {
      await store.create(cookieRecord(cookieId(n), { created: new Date(eightDaysLater).toISOString() }));
    }
    expect(await store.get(cookieId(0))).toBeUndefined();
    expect(await store.get(cookieId(99))).toBeUndefined();
    expect(await store.get(cookieId(100))).toBeDefined();
    expect(linesOf(disk).filter((line) => line.includes('"status": "deleted"'))).toHaveLength(100);
    await store.close();
  });
});

describe('sync', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    processes = new SimulatedProcesses();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  let processes: SimulatedProcesses;
  async function openWith(disk: SimulatedDisk, sync: 'always' | 'everysec' | 'no'): Promise<Opened> {
    const { log, warnings } = recordingLog();
    const deps = { log, clock, fs: disk, processes: processes.start() };
    const store = new FileCookieStore({ filename: FILE, purge: false, sync }, deps);
    await store.open();
    return { store, warnings };
  }

  it('"everysec" answers after the write and syncs within a second', async () => {
    const disk = new SimulatedDisk();
    const { store } = await openWith(disk, 'everysec');
    const before = disk.counts.datasync;
    await createMany(store, 0, 3);
    await store.update(cookieId(0), { auth: JOE, modified: MODIFIED });
    expect(disk.counts.datasync).toBe(before);
    expect(linesOf(disk)).toHaveLength(4);
    vi.advanceTimersByTime(1000);
    await createMany(store, 3, 1); // behind the sync in the queue
    expect(disk.counts.datasync).toBe(before + 1);
    vi.advanceTimersByTime(1000);
    await store.close();
    expect(disk.counts.datasync).toBe(before + 2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each(['everysec', 'no'] as const)(
    '"%s" loses only the end in a power cut, and nothing in a crash',
    async (sync) => {
      for (let seed = 1; seed <= 20; seed += 1) {
        const disk = new SimulatedDisk();
        const { store } = await openWith(disk, sync);
        for (let n = 0; n < 10; n += 1) await store.create(cookieRecord(cookieId(n)));
        await store.rotate(cookieId(9), cookieId(10), MODIFIED);
        processes.killAll(); // a crash: another process opens the file
        const crashed = await openWith(disk, sync);
        expect(await crashed.store.list()).toHaveLength(10);
        disk.powerCut(seededRandom(seed));
        processes.killAll();
        const cut = await openWith(disk, sync);
        const left = (await cut.store.list()).map(({ cbtid }) => cbtid);
        const all = Array.from({ length: 9 }, (_, n) => cookieId(n));
        const possible = [...all.map((_, n) => all.slice(0, n)), all, [...all, cookieId(9)], [...all, cookieId(10)]];
        expect(possible).toContainEqual(left);
      }
    },
  );

  it('"no" syncs at the end only, and a rewritten file', async () => {
    const disk = new SimulatedDisk();
    const { store } = await openWith(disk, 'no');
    const before = disk.counts.datasync;
    await createMany(store, 0, 3);
    vi.advanceTimersByTime(60_000);
    await store.delete(cookieId(2), DELETED);
    expect(disk.counts.datasync).toBe(before);
    await store.purge();
    expect(disk.counts.datasync).toBe(before + 1);
    await store.close();
    expect(disk.counts.datasync).toBe(before + 2);
  });

  it('that fails makes the file be written anew, again and again until that works', async () => {
    const disk = new SimulatedDisk();
    const { store, warnings } = await openWith(disk, 'everysec');
    await createMany(store, 0, 3);
    disk.isBroken = true;
    vi.advanceTimersByTime(1000);
    await expect(store.create(cookieRecord(cookieId(3)))).rejects.toThrow('cannot be written');
    while (warnings().length < 2) await new Promise((resolve) => setImmediate(resolve));
    disk.isBroken = false;
    vi.advanceTimersByTime(1000);
    const names = disk.counts.name;
    await createMany(store, 4, 1);
    await store.delete(cookieId(9), DELETED);
    expect(disk.counts.name).toBeGreaterThan(names); // renamed
    expect(warnings().map(({ msg }) => msg)).toEqual([
      'cookie file could not be synced: it is written anew',
      'cookie file could not be synced',
    ]);
    disk.powerCut(() => 0.6);
    processes.killAll();
    const again = await openWith(disk, 'everysec');
    expect((await again.store.list()).map(({ cbtid }) => cbtid)).toEqual([0, 1, 2, 4].map(cookieId));
  });
});

describe('checksums', () => {
  async function openSealed(disk: SimulatedDisk, checksum = true): Promise<Opened> {
    const { log, warnings } = recordingLog();
    const processes = new SimulatedProcesses().start();
    const clock = (): number => Date.parse(DELETED);
    const store = new FileCookieStore({ filename: FILE, purge: false, checksum }, { log, clock, fs: disk, processes });
    await store.open();
    return { store, warnings };
  }

  it('stand at the end of every line, also of a rotation and of a rewritten file', async () => {
    const disk = new SimulatedDisk();
    const { store, warnings } = await openSealed(disk);
    await createMany(store, 0, 3);
    await store.update(cookieId(0), { auth: JOE, modified: MODIFIED });
    await store.rotate(cookieId(0), cookieId(9), MODIFIED);
    await store.delete(cookieId(1), DELETED);
    expect(linesOf(disk)).toHaveLength(7);
    for (const line of linesOf(disk)) expect(line).toMatch(/, "crc": "[0-9a-f]{8}"\}$/);
    await store.purge();
    expect(linesOf(disk)).toHaveLength(3); // two cookies and the forward
    for (const line of linesOf(disk)) expect(line).toMatch(/, "crc": "[0-9a-f]{8}"\}$/);
    expect(Object.keys(JSON.parse(linesOf(disk)[0] ?? '') as object).at(-1)).toBe('crc');
    await store.close();
    const again = await openSealed(disk);
    expect((await again.store.list()).map(({ cbtid }) => cbtid)).toEqual([cookieId(2), cookieId(9)]);
    expect(await again.store.get(cookieId(0))).toMatchObject({ moved_to: cookieId(9) });
    expect(warnings()).toEqual([]);
  });

  it('are added to a file that has none, and taken away again', async () => {
    const disk = new SimulatedDisk();
    const content = [1, 2].map((n) => liveLine(cookieRecord(cookieId(n)))).join('');
    disk.put(FILE, content);
    const { store, warnings } = await openSealed(disk);
    expect(disk.content(FILE)).toBe([1, 2].map((n) => sealed(liveLine(cookieRecord(cookieId(n))))).join(''));
    await store.close();
    const plain = await openSealed(disk, false);
    await plain.store.delete(cookieId(9), DELETED);
    await plain.store.create(cookieRecord(cookieId(3)));
    await plain.store.delete(cookieId(3), DELETED);
    await plain.store.purge();
    expect(disk.content(FILE)).toBe(content);
    expect([...warnings(), ...plain.warnings()]).toEqual([]);
  });

  it('notice every flipped bit of a login: it gets nobody in', async () => {
    const record = cookieRecord(cookieId(1), { modified: MODIFIED, auth: JOE, seen: MODIFIED, rotated: MODIFIED });
    const line = Buffer.from(sealed(liveLine(record)));
    const believed: number[] = [];
    for (let bit = 0; bit < (line.length - 1) * 8; bit += 1) {
      const flipped = Buffer.from(line);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const read = (into: Uint8Array, position: number) => Promise.resolve(flipped.copy(into, 0, position));
      const { table, damaged } = await readCookieFile({ read }, { expectedSize: line.length, isStrict: true });
      if (table.records.size > 0 || damaged.length === 0) believed.push(bit);
    }
    expect(believed).toEqual([]);
  });

  it('that are wrong do not save a cookie from its deletion', async () => {
    const disk = new SimulatedDisk();
    const record = cookieRecord(cookieId(1), { auth: JOE });
    const deletion = sealed(deletedLine(record, DELETED)).replace('joe', 'jim');
    disk.put(FILE, sealed(liveLine(record)) + deletion);
    const { store, warnings } = await openSealed(disk);
    expect(await store.list()).toEqual([]);
    expect(warnings()).toMatchObject([{ damaged: 1 }]);
    expect(disk.content(FILE)).toBe('');
  });
});

describe('a file that is renamed, deleted or replaced while it is open', () => {
  const LOST = 'cookie file was renamed, deleted or replaced: it is written anew';

  async function opened(): Promise<{ disk: SimulatedDisk } & Opened> {
    const disk = new SimulatedDisk();
    const { store, warnings } = await openOn(disk);
    await createMany(store, 0, 3);
    return { disk, store, warnings };
  }

  /** What the next start finds. */
  async function idsAfterRestart({ disk, store }: { disk: SimulatedDisk; store: FileCookieStore }): Promise<string[]> {
    await store.close();
    const again = await openOn(disk);
    const records = await again.store.list();
    await again.store.close();
    return records.map(({ cbtid, auth }) => `${cbtid.slice(-1)}${auth === null ? '' : ` ${auth.authid}`}`);
  }

  it.each([
    ['deleted', (disk: SimulatedDisk) => disk.unlink(FILE)],
    ['renamed', (disk: SimulatedDisk) => disk.rename(FILE, '/lost')],
    ['replaced', (disk: SimulatedDisk) => Promise.resolve(disk.put(FILE, ''))],
  ])('%s: the login that follows is there after a restart, and so is what was stored before', async (_, lose) => {
    const { disk, store, warnings } = await opened();
    await lose(disk);
    await store.update(cookieId(1), { auth: JOE, modified: MODIFIED });
    await store.delete(cookieId(2), DELETED);
    expect(warnings()).toMatchObject([{ msg: LOST, filename: FILE, cookies: 3 }]);
    expect(await idsAfterRestart({ disk, store })).toEqual(['0', '1 joe']);
  });

  it('keeps what somebody else has put there', async () => {
    const { disk, store } = await opened();
    const other = liveLine(cookieRecord(cookieId(7)));
    disk.put(FILE, other);
    await createMany(store, 3, 1);
    expect(disk.content(`${FILE}.replaced`)).toBe(other);
    expect(await idsAfterRestart({ disk, store })).toEqual(['0', '1', '2', '3']);
  });

  it('refuses changes as long as it cannot be written anew, and the lost file has none of them', async () => {
    const { disk, store } = await opened();
    await disk.rename(FILE, '/lost');
    const before = disk.content('/lost');
    disk.isFullFor = (file) => file !== '/lost';
    await expect(store.update(cookieId(1), { auth: JOE, modified: MODIFIED })).rejects.toThrow('cannot be written');
    expect(disk.content('/lost')).toBe(before);
    expect(await store.get(cookieId(1))).toMatchObject({ auth: null });
    disk.isFullFor = () => false;
    await store.update(cookieId(1), { auth: JOE, modified: MODIFIED });
    expect(await idsAfterRestart({ disk, store })).toEqual(['0', '1 joe', '2']);
  });

  it('is noticed by the sync at the end when nothing is written any more', async () => {
    const disk = new SimulatedDisk();
    const store = new FileCookieStore(
      { filename: FILE, purge: false, sync: 'no' },
      { log: recordingLog().log, clock, fs: disk, processes: new SimulatedProcesses().start() },
    );
    await store.open();
    await createMany(store, 0, 2);
    await disk.unlink(FILE);
    expect(await idsAfterRestart({ disk, store })).toEqual(['0', '1']);
  });
});

describe('a file that cannot be closed', () => {
  it('is told as an error of the store, and its lock is gone', async () => {
    const disk = new SimulatedDisk();
    const { store } = await openOn(disk);
    await store.create(cookieRecord(cookieId(1)));
    disk.failAt(1, 'error');
    await expect(store.close()).rejects.toMatchObject({ code: 'ERR_COOKIE_STORE', cause: expect.any(Error) as Error });
    expect(disk.files()).toEqual([FILE]);
  });
});

describe('a file with two names', () => {
  it('is refused: under the other one a second node could have it open', () =>
    withDirectory(async (directory) => {
      const open = (name: string) =>
        new FileCookieStore({ filename: path.join(directory, name), purge: false }, { log: recordingLog().log, clock });
      const first = open('cookies.dat');
      await first.open();
      await first.create(cookieRecord(cookieId(1)));
      await link(path.join(directory, 'cookies.dat'), path.join(directory, 'other.dat'));
      const second = open('other.dat');
      await expect(second.open()).rejects.toThrow('it has another name (hard link)');
      await first.create(cookieRecord(cookieId(2)));
      await first.close();
      expect(await readdir(directory)).toEqual(['cookies.dat', 'other.dat']);
      await rm(path.join(directory, 'other.dat'));
      const again = open('cookies.dat');
      await again.open();
      expect(await again.list()).toHaveLength(2);
      await again.close();
    }));
});
