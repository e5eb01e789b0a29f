/**
 * Keeps a second process away from something: a cookie file, a node directory. The lock is a file that names its process; it
 * appears whole and only if there was none (a temporary file is linked to the name), so one of two starters loses.
 *
 * A lock whose process is gone (kill -9, power cut) is replaced. Two starters may find it at the same time, and
 * "remove, then create" would let the slower one remove the lock of the faster. Therefore a process that wants to replace a
 * lock first takes a second lock that belongs to exactly this one (its name has the digest of its content), and then
 * looks again: as long as it holds that, nobody else can replace the same stale lock.
 *
 * A beacon tells who is gone (`beacon.ts`), which holds between containers, too.
 */
import { createHash, randomBytes } from 'node:crypto';
import { dirname } from 'node:path';

import { errorCode } from './error.js';
import { unlinkIfPresent } from './files.js';
import { describeHolder, isLit, parseHolder } from './holder.js';
import type { Beacon } from './beacon.js';
import type { FileSystem } from './files.js';
import type { Holder, HolderDeps } from './holder.js';

export interface LockDeps extends HolderDeps {
  readonly fs: FileSystem;
  /** What stands in the file; by default the holder alone, as one line of JSON. {@link parseHolder} must find it again. */
  readonly textOf?: (holder: LockHolder) => string;
  /** Of the file, less what the umask takes; by default its owner alone can read it (0600). */
  readonly mode?: number;
  /** Whether a holder without a beacon is alive; by default what the process table says. */
  readonly isRunning?: (holder: Holder) => Promise<boolean>;
}

/** This process, as it stands in a lock. */
export interface LockHolder extends Holder {
  /** Tells two locks of one process apart. */
  readonly nonce: string;
}

/** Somebody has the lock. */
export class LockHeldError extends Error {
  override readonly name = 'LockHeldError';
  /** Who: a pid, and whose it is when it is none of this process table. */
  readonly holder: string;

  constructor(holder: string, path: string) {
    super(`in use by process ${holder} (see ${path})`);
    this.holder = holder;
  }
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
  /** The lock of a process that is gone, which this one replaced: its holder, or that nobody could be read in it. */
  readonly replaced: Holder | 'unreadable' | undefined;
  /** Why there is no beacon: then the lock holds among processes that see each other's pids, and no further. */
  readonly beaconFault: Error | undefined;

  private constructor(fs: FileSystem, path: string, { text, lit, replaced }: Taken & { lit: Lit; text: string }) {
    this.#fs = fs;
    this.#path = path;
    this.#text = text;
    this.replaced = replaced;
    this.#beacon = lit.beacon;
    this.beaconFault = lit.fault;
  }

  /** @throws LockHeldError naming the process that has it; what the file system says when no lock can be made. */
  static async acquire(path: string, deps: LockDeps): Promise<FileLock> {
    const lit = await lightBeacon(dirname(path), deps);
    try {
      const nonce = randomBytes(8).toString('hex');
      const holder = { ...(await deps.processes.self()), ...(lit.beacon && { beacon: lit.beacon.name }), nonce };
      const text = deps.textOf?.(holder) ?? `${JSON.stringify(holder)}\n`;
      return new FileLock(deps.fs, path, { text, lit, ...(await take(path, text, deps)) });
    } catch (error) {
      lit.beacon?.end();
      throw error;
    }
  }

  /** Gives the lock back. @returns false when somebody removed it by hand, and another process may have it now. */
  async release(): Promise<boolean> {
    try {
      if ((await readIfPresent(this.#fs, this.#path)) !== this.#text) return false;
      await unlinkIfPresent(this.#fs, this.#path);
      return true;
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

interface Taken {
  readonly replaced: Holder | 'unreadable' | undefined;
}

async function take(path: string, text: string, deps: LockDeps): Promise<Taken> {
  for (;;) {
    if (await createWhole(path, text, deps)) return { replaced: undefined };
    const found = await readIfPresent(deps.fs, path);
    if (found === undefined) continue; // released just now
    const holder = parseHolder(found);
    if (holder !== undefined && (await isAlive(holder, path, deps))) {
      throw new LockHeldError(await describeHolder(holder, deps), path);
    }
    if (await replaceStale(path, found, text, deps)) {
      if (holder?.beacon !== undefined) deps.beacons?.remove(dirname(path), holder.beacon);
      return { replaced: holder ?? 'unreadable' };
    }
  }
}

async function isAlive(holder: Holder, path: string, deps: LockDeps): Promise<boolean> {
  const isRunning = deps.isRunning ?? ((other: Holder) => deps.processes.isRunning(other));
  return (await isLit(holder, dirname(path), deps)) ?? isRunning(holder);
}

/** @returns false when somebody else was faster. */
async function replaceStale(path: string, stale: string, text: string, deps: LockDeps): Promise<boolean> {
  const claim = `${path}.${createHash('sha256').update(stale).digest('hex').slice(0, 16)}`;
  await take(claim, text, deps);
  try {
    if ((await readIfPresent(deps.fs, path)) !== stale) return false;
    const temporary = await writeTemporary(path, text, deps);
    await deps.fs.rename(temporary, path);
    return true;
  } finally {
    await unlinkIfPresent(deps.fs, claim);
  }
}

/** @returns false when there is a file of that name already. */
async function createWhole(path: string, text: string, deps: LockDeps): Promise<boolean> {
  const { fs } = deps;
  const temporary = await writeTemporary(path, text, deps);
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

async function writeTemporary(path: string, text: string, { fs, mode }: LockDeps): Promise<string> {
  const temporary = `${path}.${randomBytes(8).toString('hex')}`;
  const file = await fs.open(temporary, 'must be new', mode);
  try {
    const bytes = Buffer.from(text);
    const written = await file.append(bytes);
    if (written !== bytes.length) throw new Error(`the disk is full: ${path} cannot be written`);
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
