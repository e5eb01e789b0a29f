/**
 * A file is replaced by another text, all of it or not at all, and the old one is kept under a second name. Whenever the power
 * goes off, the name leads to the old file or to the new one.
 */
import { lstat, open, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { errorCode } from './error.js';
import { systemFiles, unlinkIfPresent } from './files.js';
import type { FileSystem } from './files.js';
import { drawBytes } from './random.js';

export interface Replacement {
  /** A symbolic link stays one: what it leads to is replaced. */
  readonly file: string;
  /** What is in it: when something else is by now, nothing is done. */
  readonly before: Uint8Array;
  readonly after: string;
  /** Added to the name for the old file. */
  readonly suffix: string;
}

/** What is in the way. `message` says it without the name of the file. */
export class ReplaceError extends Error {
  override readonly name = 'ReplaceError';
}

/**
 * Mode and owner stay as they are.
 *
 * @returns the name of the old file.
 * @throws ReplaceError (rejects), or an error of the system; then the file is untouched.
 */
export async function replaceFile(
  { file, before, after, suffix }: Replacement,
  fs: FileSystem = systemFiles,
): Promise<string> {
  const real = await fs.realpath(file);
  const old = real + suffix;
  const temporary = temporaryBeside(real);
  try {
    await writeLike(real, temporary, Buffer.from(after));
    if (!isSame(await readFile(real), before)) throw new ReplaceError('it was changed at the same time');
    await keep(fs, { file: real, old, content: before });
    await fs.rename(temporary, real);
  } catch (error) {
    await unlinkIfPresent(fs, temporary);
    throw error;
  }
  await fs.syncDirectory(dirname(real));
  return old;
}

function temporaryBeside(file: string): string {
  return join(dirname(file), `.${basename(file)}.${drawBytes(6).toString('hex')}.tmp`);
}

/** Writes a new file with the mode and the owner of another; it may hold secrets, so nobody else reads it before. */
async function writeLike(model: string, file: string, content: Uint8Array): Promise<void> {
  const { mode, uid, gid } = await stat(model);
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(content);
    const own = await handle.stat();
    if (own.uid !== uid || own.gid !== gid) await handle.chown(uid, gid);
    await handle.chmod(mode & 0o7777);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

interface Kept {
  readonly file: string;
  /** Its second name. */
  readonly old: string;
  readonly content: Uint8Array;
}

/** Some file systems have no second names, and some systems give none to files of others: then it is a copy. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** One that is there already is right if it is the same: it was left by a run that was ended before the last step. */
async function keep(fs: FileSystem, kept: Kept): Promise<void> {
  const { file, old, content } = kept;
  if (await isThere(old)) {
    if (isSame(await readFile(old), content)) return;
    throw new ReplaceError(`${old} is there already, with something else in it; move it away first`);
  }
  try {
    await fs.link(file, old);
  } catch (error) {
    if (!NO_LINKS.has(errorCode(error))) throw error;
    await copy(fs, kept);
  }
}

async function copy(fs: FileSystem, { file, old, content }: Kept): Promise<void> {
  const temporary = temporaryBeside(old);
  try {
    await writeLike(file, temporary, content);
    await fs.rename(temporary, old);
  } catch (error) {
    await unlinkIfPresent(fs, temporary);
    throw error;
  }
}

async function isThere(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
