/**
 * Keeps a second process away from a cookie file. The lock is a file beside it that names its process; it appears
 * whole and only if there was none (a temporary file is linked to the name), so one of two starters loses.
 *
 * A lock whose process is gone (kill -9, power cut) is replaced. Two starters may find it at the same time, and
 * "remove, then create" would let the slower one remove the lock of the faster. Therefore whoever wants to replace a
 * lock first takes a second lock that belongs to exactly this one (its name has the digest of its content), and then
 * looks again: as long as it holds that, nobody else can replace the same stale lock.
 *
 * Between containers that share a volume but not their process table the lock cannot see who is alive.
 */
import { createHash, randomBytes } from 'node:crypto';

import { errorCode, unlinkIfPresent } from './file-system.js';
import { CookieStoreError } from './store.js';
import type { FileSystem } from './file-system.js';
import type { ProcessName, ProcessTable } from './process-table.js';

export interface LockDeps {
  readonly fs: FileSystem;
  readonly processes: ProcessTable;
}

/** A lock that this process holds. */
export class FileLock {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #text: string;

  private constructor(fs: FileSystem, path: string, text: string) {
    this.#fs = fs;
    this.#path = path;
    this.#text = text;
  }

  /** @throws CookieStoreError naming the pid of the process that has it. */
  static async acquire(path: string, deps: LockDeps): Promise<FileLock> {
    // The random part tells two stores of one process apart.
    const text = `${JSON.stringify({ ...(await deps.processes.self()), nonce: randomBytes(8).toString('hex') })}\n`;
    await take(path, text, deps);
    return new FileLock(deps.fs, path, text);
  }

  /** Gives the lock back, unless somebody removed it by hand and another process has it now. */
  async release(): Promise<void> {
    if ((await readIfPresent(this.#fs, this.#path)) === this.#text) await unlinkIfPresent(this.#fs, this.#path);
  }
}

async function take(path: string, text: string, deps: LockDeps): Promise<void> {
  for (;;) {
    if (await createWhole(path, text, deps.fs)) return;
    const found = await readIfPresent(deps.fs, path);
    if (found === undefined) continue; // released just now
    const holder = parseHolder(found);
    if (holder !== undefined && (await deps.processes.isRunning(holder))) {
      throw new CookieStoreError(`in use by process ${holder.pid} (see ${path})`);
    }
    if (await replaceStale(path, found, text, deps)) return;
  }
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

/** @returns undefined when the text names no process: a power cut can leave an empty file. */
function parseHolder(text: string): ProcessName | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('pid' in value)) return undefined;
  const { pid } = value;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) return undefined;
  return { pid, started: 'started' in value && typeof value.started === 'string' ? value.started : null };
}

async function readIfPresent(fs: FileSystem, path: string): Promise<string | undefined> {
  try {
    return await fs.readText(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
