/**
 * Keeps a second process away from a cookie file. The lock is a file beside it that names its process; it appears
 * whole and only if there was none (a temporary file is linked to the name), so one of two starters loses.
 *
 * A lock whose process is gone (kill -9, power cut) is replaced. Two starters may find it at the same time, and
 * "remove, then create" would let the slower one remove the lock of the faster. Therefore whoever wants to replace a
 * lock first takes a second lock that belongs to exactly this one (its name has the digest of its content), and then
 * looks again: as long as it holds that, nobody else can replace the same stale lock.
 *
 * Who is gone is told by a beacon (`beacon.ts`), which holds between containers, too.
 */
import { createHash, randomBytes } from 'node:crypto';
import { dirname } from 'node:path';

import { errorCode, unlinkIfPresent } from './file-system.js';
import { describeHolder, isLit, parseHolder } from './holder.js';
import { CookieStoreError } from './store.js';
import type { Beacon } from './beacon.js';
import type { FileSystem } from './file-system.js';
import type { Holder, HolderDeps } from './holder.js';

export interface LockDeps extends HolderDeps {
  readonly fs: FileSystem;
}

interface Lit {
  readonly beacon: Beacon | undefined;
  readonly fault: Error | undefined;
}

/** A lock that this process holds. */
export class FileLock {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #text: string;
  readonly #beacon: Beacon | undefined;
  /** Why there is no beacon: then the lock holds among processes that see each other's pids, and no further. */
  readonly beaconFault: Error | undefined;

  private constructor(fs: FileSystem, path: string, text: string, lit: Lit) {
    this.#fs = fs;
    this.#path = path;
    this.#text = text;
    this.#beacon = lit.beacon;
    this.beaconFault = lit.fault;
  }

  /** @throws CookieStoreError naming the pid of the process that has it. */
  static async acquire(path: string, deps: LockDeps): Promise<FileLock> {
    const lit = await lightBeacon(dirname(path), deps);
    try {
      // The random part tells two stores of one process apart.
      const nonce = randomBytes(8).toString('hex');
      const holder = { ...(await deps.processes.self()), beacon: lit.beacon?.name, nonce };
      const text = `${JSON.stringify(holder)}\n`;
      await take(path, text, deps);
      return new FileLock(deps.fs, path, text, lit);
    } catch (error) {
      lit.beacon?.end();
      throw error;
    }
  }

  /** Gives the lock back, unless somebody removed it by hand and another process has it now. */
  async release(): Promise<void> {
    try {
      if ((await readIfPresent(this.#fs, this.#path)) === this.#text) await unlinkIfPresent(this.#fs, this.#path);
    } finally {
      this.#beacon?.end();
    }
  }
}

/** Before the lock is seen, so that nobody takes it for stale. */
async function lightBeacon(directory: string, { beacons }: LockDeps): Promise<Lit> {
  try {
    return { beacon: await beacons?.light(directory), fault: undefined };
  } catch (error) {
    return { beacon: undefined, fault: error instanceof Error ? error : new Error(String(error)) };
  }
}

async function take(path: string, text: string, deps: LockDeps): Promise<void> {
  for (;;) {
    if (await createWhole(path, text, deps.fs)) return;
    const found = await readIfPresent(deps.fs, path);
    if (found === undefined) continue; // released just now
    const holder = parseHolder(found);
    if (holder !== undefined && (await isAlive(holder, path, deps))) {
      throw new CookieStoreError(`in use by process ${await describeHolder(holder, deps)} (see ${path})`);
    }
    if (await replaceStale(path, found, text, deps)) {
      if (holder?.beacon !== undefined) deps.beacons?.remove(dirname(path), holder.beacon);
      return;
    }
  }
}

async function isAlive(holder: Holder, path: string, deps: LockDeps): Promise<boolean> {
  return (await isLit(holder, dirname(path), deps)) ?? deps.processes.isRunning(holder);
}

/** @returns false when somebody else was faster. */
async function replaceStale(path: string, stale: string, text: string, deps: LockDeps): Promise<boolean> {
  const claim = `${path}.${createHash('sha256').update(stale).digest('hex').slice(0, 16)}`;
  await take(claim, text, deps);
  try {
    if ((await readIfPresent(deps.fs, path)) !== stale) return false;
    const temporary = await writeTemporary(path, text, deps.fs);
    await deps.fs.rename(temporary, path);
    return true;
  } finally {
    await unlinkIfPresent(deps.fs, claim);
  }
}

/** @returns false when there is a file of that name already. */
async function createWhole(path: string, text: string, fs: FileSystem): Promise<boolean> {
  const temporary = await writeTemporary(path, text, fs);
  try {
    await fs.link(temporary, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await unlinkIfPresent(fs, temporary);
  }
}

async function writeTemporary(path: string, text: string, fs: FileSystem): Promise<string> {
  const temporary = `${path}.${randomBytes(8).toString('hex')}`;
  const file = await fs.open(temporary, 'must be new');
  try {
    const bytes = Buffer.from(text);
    const written = await file.append(bytes);
    if (written !== bytes.length) throw new CookieStoreError(`the disk is full: ${path} cannot be written`);
  } catch (error) {
    await unlinkIfPresent(fs, temporary);
    throw error;
  } finally {
    await file.close();
  }
  return temporary;
}

async function readIfPresent(fs: FileSystem, path: string): Promise<string | undefined> {
  try {
    return await fs.readText(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
