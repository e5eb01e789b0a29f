/** What the file store does with its file, beyond the contract of all stores. */
import { chmod, copyFile, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { FileCookieStore } from '../../../src/cookie/file.js';
import { deletedLine, liveLine } from '../../../src/cookie/file-line.js';
import { CookieStoreError } from '../../../src/cookie/store.js';
import {
  cookieId,
  cookieRecord,
  CREATED,
  DELETED,
  JOE,
  MODIFIED,
  recordingLog,
  withDirectory,
} from '../../support/cookie-store.js';
import type { LogEntry } from '../../support/cookie-store.js';
import { SimulatedDisk, SimulatedProcesses } from '../../support/simulated-disk.js';

const FILE = '/cookies.dat';
const HOUR = 3_600_000;
const fixtures = path.join(import.meta.dirname, '../../fixtures/cookies');

interface Opened {
  readonly store: FileCookieStore;
  readonly warnings: () => LogEntry[];
}

async function openOn(disk: SimulatedDisk, { purge = false, now = Date.parse(CREATED) } = {}): Promise<Opened> {
  const { log, warnings } = recordingLog();
  const processes = new SimulatedProcesses().start();
  const store = new FileCookieStore({ filename: FILE, purge }, { log, clock: () => now, fs: disk, processes });
  await store.open();
  return { store, warnings };
}

function createMany(store: FileCookieStore, from: number, count: number): Promise<unknown> {
  return Promise.all(Array.from({ length: count }, (_, n) => store.create(cookieRecord(cookieId(from + n)))));
}

function linesOf(disk: SimulatedDisk): string[] {
  return (disk.content(FILE) ?? '').trimEnd().split('\n');
}

describe('a file of Crossbar.io', () => {
  async function openFixture(name: string, directory: string): Promise<{ store: FileCookieStore; filename: string }> {
    const filename = path.join(directory, name);
    await copyFile(path.join(fixtures, name), filename);
    const store = new FileCookieStore({ filename, purge: false }, { log: recordingLog().log });
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
      const store = new FileCookieStore({ filename, purge: false }, { log });
      await store.open();
      await store.create(cookieRecord(cookieId(1)));
      await store.close();
      expect((await stat(filename)).mode & 0o777).toBe(0o600);
      expect(warnings()).toEqual([]);
      await writeFile(filename, 'damaged', { flag: 'a' });
      await chmod(filename, 0o644);
      const again = new FileCookieStore({ filename, purge: false }, { log });
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
      const store = new FileCookieStore({ filename, purge: false }, { log: recordingLog().log });
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
  it('happens at the start when most of more than a thousand lines are outdated', async () => {
    const disk = new SimulatedDisk();
    const record = cookieRecord(cookieId(1));
    const deleted = cookieRecord(cookieId(2));
    disk.put(FILE, liveLine(deleted) + deletedLine(deleted, DELETED) + liveLine(record).repeat(1001));
    const { store } = await openOn(disk);
    expect(disk.content(FILE)).toBe(liveLine(record));
    expect(await store.get(deleted.cbtid)).toBeUndefined();
  });

  it('leaves a file alone that is not worth it', async () => {
    const disk = new SimulatedDisk();
    const content = liveLine(cookieRecord(cookieId(1))).repeat(1001);
    disk.put(FILE, content);
    await openOn(disk);
    expect(disk.content(FILE)).toBe(content);
  });

  it('happens while running, and loses nothing that arrives meanwhile', async () => {
    const disk = new SimulatedDisk();
    const { store, warnings } = await openOn(disk);
    await createMany(store, 0, 1000);
    const rounds = 14;
    let previous: Promise<unknown> = Promise.resolve();
    for (let round = 1; round <= rounds; round += 1) {
      const auth = { ...JOE, authid: `round ${round}` };
      const logins = Array.from({ length: 1000 }, (_, n) => store.update(cookieId(n), { auth, modified: MODIFIED }));
      const asked = Promise.all([...logins, store.create(cookieRecord(cookieId(1000 + round)))]);
      await previous; // so that there is always a round in flight, also while the file is rewritten
      previous = asked;
    }
    await previous;
    await Promise.all(Array.from({ length: 50 }, (_, n) => store.delete(cookieId(n), DELETED)));
    await store.close();
    expect(linesOf(disk).length).toBeLessThan(12_000);
    expect(disk.files()).toEqual([FILE]);
    expect(warnings()).toEqual([]);
    const again = await openOn(disk);
    expect(await again.store.get(cookieId(0))).toBeUndefined();
    expect(await again.store.get(cookieId(50))).toMatchObject({ auth: { authid: `round ${rounds}` } });
    for (let n = 1; n <= rounds; n += 1) expect(await again.store.get(cookieId(1000 + n))).toBeDefined();
  });

  it('keeps 100,000 logins and logouts of a thousand cookies small', async () => {
    const disk = new SimulatedDisk();
    const { store } = await openOn(disk);
    await createMany(store, 0, 1000);
    for (let round = 0; round < 100; round += 1) {
      const auth = round % 2 === 0 ? JOE : null;
      await Promise.all(
        Array.from({ length: 1000 }, (_, n) =>
          store.update(cookieId(n), { auth, modified: new Date(round).toISOString() }),
        ),
      );
    }
    expect(linesOf(disk).length).toBeLessThanOrEqual(12_000);
    await store.close();
    await openOn(disk); // a start is stricter
    expect(linesOf(disk).length).toBeLessThanOrEqual(3000);
  });

  it('that fails is reported once and harms nothing', async () => {
    const disk = new SimulatedDisk();
    disk.put(FILE, liveLine(cookieRecord(cookieId(1))).repeat(1000));
    const { store, warnings } = await openOn(disk);
    disk.isFullFor = (file) => file.endsWith('.tmp');
    for (let batch = 0; batch < 11; batch += 1) {
      const changes = Array.from({ length: 1000 }, (_, n) =>
        store.update(cookieId(1), { auth: { ...JOE, authid: `${batch} ${n}` }, modified: MODIFIED }),
      );
      await Promise.all(changes);
    }
    await store.create(cookieRecord(cookieId(2)));
    await store.close();
    expect(warnings()).toMatchObject([{ msg: 'cookie file could not be compacted' }]);
    disk.isFullFor = () => false;
    const again = await openOn(disk);
    expect(await again.store.get(cookieId(1))).toMatchObject({ auth: { authid: '10 999' } });
    expect(await again.store.get(cookieId(2))).toBeDefined();
    expect(linesOf(disk)).toHaveLength(2);
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
