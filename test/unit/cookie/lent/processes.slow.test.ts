/** Borrowers, and owners, in processes of their own, which are killed with requests under way. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { afterAll, expect, it, onTestFinished, vi } from 'vitest';

import { DatabaseCookieStore } from '../../../../src/cookie/database/store.js';
import { DatabaseEngine } from '../../../../src/cookie/database/engine.js';
import { FileCookieStore } from '../../../../src/cookie/file/store.js';
import { BorrowedStore } from '../../../../src/cookie/lent/borrowed-store.js';
import { OwnerLink } from '../../../../src/cookie/lent/owner-link.js';
import { MemoryCookieStore } from '../../../../src/cookie/memory.js';
import type { CookieStore } from '../../../../src/cookie/store.js';
import { silentLogger } from '../../../../src/log/logger.js';
import { databaseOptions } from '../../../support/cookie-database.js';
import {
  cookieId,
  cookieRecord,
  followed,
  recordOf,
  seededRandom,
  withDirectory,
} from '../../../support/cookie-store.js';
import { KEY, LentPlace } from '../../../support/lent-stores.js';
import { compileRacer } from '../../../support/racer.js';
import { until } from '../../../support/until.js';

const WRITER = path.join(import.meta.dirname, '../../../support/cookie-writer.js');
const LENDER = path.join(import.meta.dirname, '../../../support/cookie-lender.js');
const ROUNDS = 5;

let compiled: Awaited<ReturnType<typeof compileRacer>> | undefined;
afterAll(() => compiled?.dispose());

/** Starts a borrower that writes, and kills it behind its n-th line. @param acknowledged cookie id -> what it was told last. */
async function writeUntilKilled(socket: string, lines: number, acknowledged: Map<string, string>): Promise<void> {
  compiled ??= await compileRacer();
  const child = spawn(process.execPath, [WRITER, compiled.directory, `lent:${socket}`, '64'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [what, cbtid] = line.split(' ');
    if (what === undefined || cbtid?.length !== 24) continue; // the kill cut the line
    acknowledged.set(cbtid, what);
    count += 1;
    if (count === lines) child.kill('SIGKILL');
  }
  expect(await ended).toEqual([null, 'SIGKILL']);
}

/** Each cookie is as the borrower was told, or one step further: the request was under way. */
async function check(store: CookieStore, acknowledged: ReadonlyMap<string, string>): Promise<void> {
  for (const [cbtid, what] of acknowledged) {
    const record = await recordOf(store, cbtid);
    const end = await followed(store, cbtid);
    if (what === 'deleted') expect(end, 'came back').toBeUndefined();
    if (what === 'created') expect(record, 'was lost').toBeDefined();
    if (what === 'login') expect(record?.auth?.authid, 'lost its login').toBe('joe');
    if (what === 'moving') expect(end?.auth?.authid, 'lost on the way').toBe('joe');
    if (what === 'moved') expect([record, end?.auth?.authid]).toEqual([undefined, 'joe']);
    if (what === 'deleting' && record !== undefined) expect(record.auth?.authid).toBe('joe');
  }
}

const KINDS: readonly (readonly [string, (directory: string) => CookieStore])[] = [
  ['in memory', () => new MemoryCookieStore()],
  ['in a file', inFile],
  ['a database', inDatabase],
];

function inFile(directory: string): FileCookieStore {
  const filename = path.join(directory, 'cookies.dat');
  return new FileCookieStore({ filename, purge: false }, { log: silentLogger(), clock: Date.now });
}

function inDatabase(directory: string): DatabaseCookieStore {
  return new DatabaseCookieStore(databaseOptions(path.join(directory, 'db'), { sync: false }), {
    log: silentLogger(),
    connect: async (options) => {
      const engine = await DatabaseEngine.open(options, Date.now);
      return { run: (requests) => Promise.resolve(engine.run(requests)), close: () => engine.close() };
    },
  });
}

it.each(KINDS)(
  'kill -9 of a borrower costs the owner nothing, and nothing that was confirmed: %s',
  async (_name, make) => {
    const place = await LentPlace.with(make);
    const bystander = await place.borrow();
    const told = vi.fn();
    const mine = cookieId(1);
    bystander.watch(() => [mine], told);
    await bystander.create(cookieRecord(mine, { created: new Date().toISOString() }));
    const random = seededRandom(3);
    const acknowledged = new Map<string, string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      await writeUntilKilled(place.socket, 1 + Math.floor(random() * 400), acknowledged);
      await until(() => expect(place.lender.size).toBe(1));
      await check(place.owner, acknowledged);
      await check(bystander, acknowledged);
    }
    expect(acknowledged.size).toBeGreaterThan(ROUNDS);
    expect(told).not.toHaveBeenCalled();
    await place.owner.delete(mine, new Date().toISOString());
    await until(() => expect(told).toHaveBeenCalledWith(mine));
    await place.dispose();
  },
);

it('what a borrower was told is on the disk of the owner', async () => {
  const place = await LentPlace.with(inFile);
  const acknowledged = new Map<string, string>();
  await writeUntilKilled(place.socket, 200, acknowledged);
  await until(() => expect(place.lender.size).toBe(0));
  await place.owner.close();
  const again = inFile(place.directory);
  await again.open();
  await check(again, acknowledged);
  await again.close();
  await place.dispose();
});

it('kill -9 of the owner leaves nothing pending, and loses nothing that was confirmed', () =>
  withDirectory(async (directory) => {
    compiled ??= await compileRacer();
    const filename = path.join(directory, 'cookies.dat');
    const socket = path.join(directory, 'lent.sock');
    const owner = spawn(process.execPath, [LENDER, compiled.directory, socket, filename], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void owner.kill('SIGKILL'));
    const ended = once(owner, 'exit');
    await once(owner.stdout, 'data');
    const gone = vi.fn();
    const link = await OwnerLink.connect(socket, { log: silentLogger(), gone });
    const borrowed = new BorrowedStore(link, KEY);
    await borrowed.open();
    const created = new Date().toISOString();
    const confirmed: string[] = [];
    const refused: unknown[] = [];
    const create = async (n: number): Promise<void> => {
      try {
        await borrowed.create(cookieRecord(cookieId(n), { created }));
        confirmed.push(cookieId(n));
      } catch (error) {
        refused.push(error);
      }
    };
    const work = async (first: number): Promise<void> => {
      for (let n = first; refused.length === 0; n += 16) {
        await create(n);
        if (confirmed.length >= 200) owner.kill('SIGKILL');
      }
    };
    await Promise.all(Array.from({ length: 16 }, (_, first) => work(first)));
    expect(await ended).toEqual([null, 'SIGKILL']);
    for (const error of refused) expect(error).toMatchObject({ code: 'ERR_COOKIE_STORE', cause: expect.any(Error) });
    expect(gone).toHaveBeenCalledOnce();
    await expect(borrowed.get(cookieId(1))).rejects.toThrow('the process that has the cookie stores is gone');
    const again = new FileCookieStore({ filename, purge: false }, { log: silentLogger(), clock: Date.now });
    await again.open();
    for (const cbtid of confirmed) expect(await recordOf(again, cbtid)).toBeDefined();
    await again.close();
  }));
