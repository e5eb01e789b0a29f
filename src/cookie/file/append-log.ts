/**
 * A file that only grows, one durable batch of lines at a time, and that can be replaced as a whole. It knows nothing
 * of cookies. Calls must not overlap: the commit queue of `store.ts` sees to that.
 *
 * After any failure the file is as it was before the call. Where the disk does not allow that at once, it is still owed, and
 * done before the next batch; until then every batch is refused. So the file works again as soon as the disk does, without
 * a restart.
 *
 * Somebody may rename, delete or replace the file while it is open. What is written then would be gone with the next start. So
 * after each write, and before it is acknowledged, the name must still lead to the open file.
 */
import { dirname } from 'node:path';

import { unlinkIfPresent } from '../../system/files.js';
import type { FileSystem, OpenFile } from '../../system/files.js';

/** A file is written anew in pieces of this size, so that the event loop waits for one piece only. */
const PIECE_CHARACTERS = 64 * 1024;

export interface AppendLogOptions {
  readonly fs: FileSystem;
  readonly path: string;
  /** The open file behind `path`; the log closes it. */
  readonly file: OpenFile;
  /** What `stat` of `file` says. */
  readonly identity: string;
  /** In bytes. */
  readonly size: number;
  /** The last line lacks its line feed. */
  readonly unterminated: boolean;
}

/** The name of the file leads to another file now, or to none. */
export class FileLost extends Error {
  override readonly name = 'FileLost';

  constructor(path: string) {
    super(`${path} was renamed, deleted or replaced by somebody else`);
  }
}

/** An append-only file: each batch of lines is in it as a whole, or not at all. */
export class AppendLog {
  readonly #fs: FileSystem;
  readonly #path: string;
  #file: OpenFile;
  #identity: string;
  // Up to here the file is good, and durable unless a sync is owed.
  #size: number;
  // What earlier failures left to do.
  #hasBadTail = false;
  #isUnterminated: boolean;
  #isDirectoryUnsynced = true; // the file may have been made just now

  constructor({ fs, path, file, identity, size, unterminated }: AppendLogOptions) {
    this.#fs = fs;
    this.#path = path;
    this.#file = file;
    this.#identity = identity;
    this.#size = size;
    this.#isUnterminated = unterminated;
  }

  /** Does what earlier failures, or an earlier process, left to do. */
  async settle(): Promise<void> {
    if (this.#hasBadTail) await this.#dropTail();
    if (this.#isDirectoryUnsynced) {
      await this.#fs.syncDirectory(dirname(this.#path));
      this.#isDirectoryUnsynced = false;
    }
    if (this.#isUnterminated) {
      await this.#write('\n');
      this.#isUnterminated = false;
    }
  }

  /**
   * Resolves when `lines` (each with its line feed) are on the disk; rejects when none of them is in the file. Without
   * lines it resolves when nothing of an earlier failure can come back.
   * @param durability `later`: resolves when the lines are in the file, and {@link sync} is still owed.
   * @throws FileLost until {@link replace} has put a file there.
   */
  async append(lines: string, durability: 'now' | 'later' = 'now'): Promise<void> {
    await this.settle();
    if (lines !== '') await this.#write(lines, durability);
  }

  /**
   * Resolves when everything that was written is on the disk. After a rejection it is unknown how much of it is.
   * @throws FileLost as {@link append}.
   */
  async sync(): Promise<void> {
    await this.#file.datasync();
    await this.#checkPlace();
  }

  async #checkPlace(): Promise<void> {
    const found = await this.#fs.statIfPresent(this.#path);
    if (found?.identity !== this.#identity) throw new FileLost(this.#path);
  }

  async #write(text: string, durability: 'now' | 'later' = 'now'): Promise<void> {
    const bytes = Buffer.from(text);
    // A failed write may leave a part, and what a failed sync leaves is unknown: both must go.
    this.#hasBadTail = true;
    try {
      await appendWhole(this.#file, bytes);
      if (durability === 'now') await this.#file.datasync();
      await this.#checkPlace();
    } catch (error) {
      // If that fails as well, `settle` tries again. The caller is told of the failed write.
      await Promise.allSettled([this.#dropTail()]);
      throw error;
    }
    this.#size += bytes.length;
    this.#hasBadTail = false;
  }

  async #dropTail(): Promise<void> {
    await this.#file.truncate(this.#size);
    await this.#file.datasync();
    this.#hasBadTail = false;
  }

  /**
   * Puts `lines` in the place of the whole content, atomically: a crash leaves the old file or the new one. Rejects
   * with the old one in use. Later appends go to the new file. A file that somebody else has put there is kept under
   * the name `….replaced`.
   */
  async replace(lines: Iterable<string>): Promise<void> {
    const temporary = `${this.#path}.tmp`;
    await unlinkIfPresent(this.#fs, temporary); // a crash may have left one
    const file = await this.#fs.open(temporary, 'must be new');
    let size: number;
    let identity: string;
    try {
      size = await writeLines(file, lines);
      await file.datasync();
      ({ identity } = await file.stat());
      await this.#keepForeign();
      await this.#fs.rename(temporary, this.#path);
    } catch (error) {
      await Promise.allSettled([file.close(), unlinkIfPresent(this.#fs, temporary)]);
      throw error;
    }
    const old = this.#file;
    this.#file = file;
    this.#identity = identity;
    this.#size = size;
    this.#hasBadTail = false;
    this.#isUnterminated = false;
    // Before this is done, a power cut could bring the old file back: nothing may be acknowledged until then.
    this.#isDirectoryUnsynced = true;
    await old.close();
    await this.settle();
  }

  /** Links instead of renaming, so that the name always leads to a file. */
  async #keepForeign(): Promise<void> {
    const found = await this.#fs.statIfPresent(this.#path);
    if (found === undefined || found.identity === this.#identity) return;
    const kept = `${this.#path}.replaced`;
    await unlinkIfPresent(this.#fs, kept);
    await this.#fs.link(this.#path, kept);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** @returns how many bytes were written. */
async function writeLines(file: OpenFile, lines: Iterable<string>): Promise<number> {
  let size = 0;
  let piece = '';
  const flush = async (): Promise<void> => {
    const bytes = Buffer.from(piece);
    await appendWhole(file, bytes);
    size += bytes.length;
    piece = '';
  };
  for (const line of lines) {
    piece += line;
    if (piece.length >= PIECE_CHARACTERS) await flush();
  }
  if (piece !== '') await flush();
  return size;
}

/** Appends all bytes, or fails: a disk that is nearly full takes a part and reports no error. */
export async function appendWhole(file: OpenFile, bytes: Uint8Array): Promise<void> {
  const written = await file.append(bytes);
  if (written !== bytes.length) throw new Error(`only ${written} of ${bytes.length} bytes were written: disk full?`);
}
