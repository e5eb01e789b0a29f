/** The store type `database` with real processes: two nodes on one database, kill -9 of one, a full disk, no LMDB. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { mkdtemp, readdir, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { CookieStoreError } from '../../src/cookie/error.js';
import { databaseOn } from '../support/cookie-database.js';
import {
  cookieId,
  cookieRecord,
  followed,
  JOE,
  recordOf,
  seededRandom,
  withDirectory,
} from '../support/cookie-store.js';
import { nodeDirectory, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { compileRacer, Racer } from '../support/racer.js';
import { nodeConfig } from '../support/node-config.js';
import { transpile } from '../support/transpile.js';
import { cookieValue, WampClient } from '../support/wamp-client.js';

const ROOT = path.join(import.meta.dirname, '../..');
const WRITER = path.join(import.meta.dirname, '../support/cookie-writer.js');
const ROUNDS = 10;
const now = (): number => Date.now();

describe('two nodes on one database', () => {
  async function nodeOn(directory: string): Promise<Daemon> {
    const cookie = { store: { type: 'database', path: directory } };
    const daemon = await startDaemon({ config: nodeConfig({ websocket: { cookie } }) });
    onTestFinished(() => daemon.dispose());
    return daemon;
  }

  /** @returns the new cookie, undefined when the browser was known. */
  async function visit(daemon: Daemon, cookie?: string): Promise<string | undefined> {
    const headers = cookie === undefined ? {} : { cookie: `cbtid=${cookie}` };
    const client = await WampClient.join(daemon.url('/ws', 'ws'), 'realm1', { headers });
    const [setCookie] = client.handshake.setCookie;
    await client.leave();
    return setCookie === undefined ? undefined : cookieValue(setCookie);
  }

  it('know each others visitors, also when one is killed', async () => {
    const directory = path.join(temporaryDirectory(), 'cookies');
    const [a, b] = [await nodeOn(directory), await nodeOn(directory)];
    const atA = await visit(a);
    const atB = await visit(b);
    expect(atA).toBeDefined();
    expect(atB).toBeDefined();
    expect([await visit(b, atA), await visit(a, atB)]).toEqual([undefined, undefined]);
    await a.kill();
    expect([await visit(b, atA), await visit(b, atB)]).toEqual([undefined, undefined]);
    const later = await visit(b);
    expect(await visit(await nodeOn(directory), later)).toBeUndefined();
    expect(await b.stop()).toBe(0);
    expect(b.stderr).toBe('');
  });

  it('whose files are deleted take nobody in untracked, say so once, and go on with the next visit', async () => {
    const directory = path.join(temporaryDirectory(), 'cookies');
    const daemon = await nodeOn(directory);
    const before = await visit(daemon);
    await rm(directory, { recursive: true });
    // Who looks for the changes of other nodes may find out before the visit does: then the database is there again.
    expect(await visit(daemon).catch(String)).toMatch(/\b503\b|^[A-Za-z0-9+/]{24}$/);
    const after = await visit(daemon);
    expect([after, await visit(daemon, after)]).toEqual([expect.any(String), undefined]);
    expect(await visit(daemon, before)).toBeDefined();
    expect(daemon.output.split('cookie database lost')).toHaveLength(2);
    const next = await nodeOn(directory);
    expect([await visit(next, after), await daemon.stop()]).toEqual([undefined, 0]);
  });
});

describe('a logout at one process, while another one gives the cookie a new id', () => {
  const rounds = Number(process.env['LOGOUT_ROUNDS'] ?? 1000);

  it(`leaves nobody logged in, in ${rounds} rounds`, async () => {
    const compiled = await compileRacer();
    onTestFinished(() => compiled.dispose());
    const directory = path.join(temporaryDirectory(), 'cookies');
    const store = databaseOn(directory, { sync: false }, now);
    await store.open();
    onTestFinished(() => store.close());
    const racers = [new Racer(compiled.directory, directory), new Racer(compiled.directory, directory)] as const;
    expect(await Promise.all(racers.map((racer) => racer.next()))).toEqual(['ready', 'ready']);
    let [rotated, loggedIn] = [0, 0];
    for (let round = 0; round < rounds; round++) {
      const [id, successor] = [cookieId(2 * round), cookieId(2 * round + 1)];
      const created = new Date().toISOString();
      await store.create(cookieRecord(id, { created, modified: created, auth: JOE }));
      const [a, b] = round % 2 === 0 ? racers : ([racers[1], racers[0]] as const);
      a.tell(`logout ${id}`);
      b.tell(`rotate ${id} ${successor}`);
      expect(await Promise.all(racers.map((racer) => racer.next()))).toEqual(['done', 'done']);
      if ((await store.list()).length > 0) loggedIn += 1;
      for (const record of await store.list()) await store.delete(record.cbtid);
      // The logout came behind the rotation when it has taken the forward away, too.
      if ((await store.get(id)) !== undefined) rotated += 1;
    }
    await Promise.all(racers.map((racer) => racer.end()));
    expect({ loggedIn, rotated }).toEqual({ loggedIn: 0, rotated: 0 });
  });
});

describe('kill -9 of one of two writers', () => {
  let compiled: string;
  beforeAll(async () => {
    compiled = await mkdtemp(path.join(tmpdir(), 'cookie-store-'));
    await transpile(['cookie', 'log', 'system'], compiled);
  });
  afterAll(() => rm(compiled, { recursive: true, force: true }));

  /** Starts a writer; kills it behind its n-th line. @returns what it acknowledged. */
  async function write(directory: string, lines: number): Promise<Map<string, string>> {
    const child = spawn(process.execPath, [WRITER, compiled, `database:${directory}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const acknowledged = new Map<string, string>();
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
    return acknowledged;
  }

  it(`loses nothing that was acknowledged, and never stops the other, in ${ROUNDS} rounds`, { timeout: 120_000 }, () =>
    withDirectory(async (directory) => {
      const random = seededRandom(7);
      for (let round = 0; round < ROUNDS; round += 1) {
        const written = await Promise.all([0, 1].map(() => write(directory, 1 + Math.floor(random() * 200))));
        const store = databaseOn(directory, {}, now);
        await store.open();
        for (const [cbtid, what] of written.flatMap((each) => [...each])) {
          const record = await recordOf(store, cbtid);
          if (what === 'deleted') expect(record, 'came back').toBeUndefined();
          if (what === 'created') expect(record, 'was lost').toBeDefined();
          if (what === 'login') expect(record?.auth?.authid, 'lost its login').toBe('joe');
          const end = await followed(store, cbtid);
          if (what === 'moving') expect(end?.auth?.authid, 'lost on the way').toBe('joe');
          if (what === 'moved') expect([record, end?.auth?.authid]).toEqual([undefined, 'joe']);
          if (what === 'deleting' && record !== undefined) expect(record.auth?.authid).toBe('joe');
        }
        await store.close();
      }
    }),
  );
});

describe('without the package lmdb', () => {
  it('the node does not start, and says what is missing', async () => {
    const place = temporaryDirectory();
    for (const part of ['dist', 'bin', 'package.json'])
      cpSync(path.join(ROOT, part), path.join(place, part), { recursive: true });
    mkdirSync(path.join(place, 'node_modules'));
    for (const name of await readdir(path.join(ROOT, 'node_modules'))) {
      if (!name.includes('lmdb'))
        symlinkSync(path.join(ROOT, 'node_modules', name), path.join(place, 'node_modules', name));
    }
    const cookie = { store: { type: 'database', path: 'cookies' } };
    const cbdir = nodeDirectory(nodeConfig({ websocket: { cookie } }));
    const args = [path.join(place, 'bin/crossbar-ts.js'), 'start', '--cbdir', cbdir];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain('a store of type "database" needs the npm package "lmdb": npm install lmdb@3.5.6');
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

const tmpfs = mountTmpfs();

/** @returns a file system of one megabyte, or undefined when this user may not mount. */
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

  it('refuses new cookies when it is full, keeps the others, and takes them again when there is room', async () => {
    const directory = tmpfs ?? '';
    const ballast = path.join(directory, 'ballast');
    await writeFile(ballast, Buffer.alloc(500_000));
    const place = path.join(directory, 'cookies');
    const store = databaseOn(place);
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
    expect((failure as Error).message).toMatch(/No space left on device|Input\/output error/);
    await expect(store.create(cookieRecord('still-full'))).rejects.toBeInstanceOf(CookieStoreError);
    expect(await store.list()).toHaveLength(stored.length);
    await unlink(ballast);
    await store.create(cookieRecord('room-again'));
    await store.close();

    const again = databaseOn(place);
    await again.open();
    for (const cbtid of [...stored, 'room-again']) expect(await again.get(cbtid)).toBeDefined();
    expect(await again.get('still-full')).toBeUndefined();
    await again.close();
  });
});
