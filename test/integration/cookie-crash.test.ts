/** The file store on a real disk: kill -9 at any moment, a second process, and a disk that really is full. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { FileCookieStore } from '../../src/cookie/file/store.js';
import { CookieStoreError } from '../../src/cookie/error.js';
import {
  cookieId,
  cookieRecord,
  CREATED,
  recordingLog,
  followed,
  recordOf,
  seededRandom,
  withDirectory,
} from '../support/cookie-store.js';
import { transpile } from '../support/transpile.js';
import { describeNeeds } from '../support/needs.js';

const WRITER = path.join(import.meta.dirname, '../support/cookie-writer.js');
const ROUNDS = 50;
/** The time at which the cookies of these tests are young. */
const clock = (): number => Date.parse(CREATED);

let compiled: string;

beforeAll(async () => {
  compiled = await mkdtemp(path.join(tmpdir(), 'cookie-store-'));
  await transpile(['cookie', 'log', 'system'], compiled);
});
afterAll(() => rm(compiled, { recursive: true, force: true }));

/** What a writer has acknowledged: cookie id -> `created`, `login`, `moving`, `moved`, `deleting` or `deleted`. */
type Acknowledged = Map<string, string>;

/** Starts a writer and kills it behind its n-th line. */
async function writeUntilKilled(filename: string, lines: number, acknowledged: Acknowledged): Promise<void> {
  const child = spawn(process.execPath, [WRITER, compiled, filename], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [what, cbtid] = line.split(' ');
    if (what === undefined || cbtid === undefined || cbtid.length !== 24) continue; // the kill cut the line
    acknowledged.set(cbtid, what);
    count += 1;
    if (count === lines) child.kill('SIGKILL');
  }
  expect(await ended).toEqual([null, 'SIGKILL']);
}

/** Throws for the first cookie that is not as acknowledged. */
async function check(store: FileCookieStore, acknowledged: Acknowledged): Promise<void> {
  for (const [cbtid, what] of acknowledged) {
    const record = await recordOf(store, cbtid);
    if (what === 'deleted') expect(record, 'came back').toBeUndefined();
    if (what === 'created') expect(record, 'was lost').toBeDefined();
    if (what === 'login') expect(record?.auth?.authid, 'lost its login').toBe('joe');
    if (what === 'moving') expect((await followed(store, cbtid))?.auth?.authid, 'lost on the way').toBe('joe');
    if (what === 'moved') expect([record, (await followed(store, cbtid))?.auth?.authid]).toEqual([undefined, 'joe']);
    if (what === 'deleting' && record !== undefined) expect(record.auth?.authid).toBe('joe');
  }
}

describe('kill -9 while cookies are written', () => {
  it(
    `loses nothing that was acknowledged and revives nothing that was deleted, in ${ROUNDS} rounds on one file`,
    { timeout: 300_000 },
    () =>
      withDirectory(async (directory) => {
        const filename = path.join(directory, 'cookies.dat');
        const random = seededRandom(1);
        const acknowledged: Acknowledged = new Map();
        for (let round = 0; round < ROUNDS; round += 1) {
          await writeUntilKilled(filename, 1 + Math.floor(random() * 300), acknowledged);
          // As the writer's: to a clock of last month its forwards would be from the future, and leave with a compaction.
          const store = new FileCookieStore({ filename, purge: false }, { clock: Date.now, log: recordingLog().log });
          await store.open(); // the lock of the dead writer is no obstacle
          await check(store, acknowledged);
          await store.close();
        }
        expect(acknowledged.size).toBeGreaterThan(ROUNDS);
        const lines = (await readFile(filename, 'utf8')).trimEnd().split('\n');
        const created = lines.filter((line) => line.includes('"status": "created"'));
        expect(new Set(created).size).toBe(created.length);
      }),
  );
});

describe('a second process', () => {
  it('is refused while the first runs, with its pid', () =>
    withDirectory(async (directory) => {
      const filename = path.join(directory, 'cookies.dat');
      const child = spawn(process.execPath, [WRITER, compiled, filename], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(child.stdout, 'data');
      const store = new FileCookieStore({ filename, purge: false }, { clock, log: recordingLog().log });
      await expect(store.open()).rejects.toThrow(`in use by process ${child.pid}`);
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      await store.open();
      await store.close();
    }));
});

const tmpfs = mountTmpfs();

/** @returns a file system of one megabyte, or undefined when this user may not mount (then `file.test.ts` has to do). */
function mountTmpfs(): string | undefined {
  const made = spawnSync('mktemp', ['-d'], { encoding: 'utf8' }).stdout.trim();
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', made]).status === 0) return made;
  spawnSync('rmdir', [made]);
  return undefined;
}

describeNeeds('the right to mount a tmpfs', tmpfs !== undefined)('a disk of one megabyte', () => {
  afterAll(() => {
    if (tmpfs === undefined) return;
    spawnSync('umount', [tmpfs]);
    spawnSync('rmdir', [tmpfs]);
  });

  it('refuses new cookies when it is full, keeps the file whole, and takes them again when there is room', async () => {
    const directory = tmpfs ?? '';
    const filename = path.join(directory, 'cookies.dat');
    const ballast = path.join(directory, 'ballast');
    await writeFile(ballast, Buffer.alloc(950_000));
    const store = new FileCookieStore({ filename, purge: false }, { clock, log: recordingLog().log });
    await store.open();
    const stored: string[] = [];
    let failure: unknown;
    for (let n = 0; failure === undefined; n += 1) {
      try {
        await store.create(cookieRecord(cookieId(n)));
        stored.push(cookieId(n));
      } catch (error) {
        failure = error;
      }
    }
    expect(failure).toBeInstanceOf(CookieStoreError);
    const lineLength = (await readFile(filename, 'utf8')).indexOf('\n') + 1;
    expect((await stat(filename)).size).toBe(stored.length * lineLength);
    await expect(store.create(cookieRecord('still-full'))).rejects.toBeInstanceOf(CookieStoreError);
    await unlink(ballast);
    await store.create(cookieRecord('room-again'));
    await store.close();

    const { log, warnings } = recordingLog();
    const again = new FileCookieStore({ filename, purge: false }, { clock, log });
    await again.open();
    for (const cbtid of [...stored, 'room-again']) expect(await again.get(cbtid)).toBeDefined();
    expect(await again.get('still-full')).toBeUndefined();
    expect(warnings()).toEqual([]);
    await again.close();
  });
});
