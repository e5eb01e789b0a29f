/**
 * From the pieces of an upload to a file in its directory. The file is put together under a hidden name in the same directory, and
 * gets its real name at once, when all of it is on the disk: nobody sees half a file there.
 *
 *     `.<key>.upload`: append the pieces in order -> size is right -> sync, permissions
 *         -> a second name that nobody has: `name`, `name (1)`, ... | `overwrite`: the name itself -> the hidden one goes, sync
 *
 * A hidden file with two names is one that has got its place before a crash (`left behind`). It knows no HTTP and no events.
 */
import path from 'node:path';
import { errorCode } from '../../system/error.js';
import { drawBytes } from '../../system/random.js';
import { RETRY_LATER, RefusedUpload } from './refused-upload.js';
import { inTurn } from './unfinished.js';
import { numberedName } from './names.js';
import type { Turns } from '../../system/turns.js';
import type { UploadFiles } from './files.js';

export interface AssemblyDeps {
  /** Where files go, absolute. */
  readonly directory: string;
  /** Real paths of files that are never replaced. */
  readonly privatePaths: readonly string[];
  /** Permission bits of a file that is whole. */
  readonly mode: number;
  readonly overwrite: boolean;
  readonly files: UploadFiles;
  readonly disk: Turns;
}

/** What is put together. */
export interface Parts {
  readonly key: string;
  /** The wanted name. */
  readonly name: string;
  /** The files of the pieces, in order. */
  readonly pieces: readonly string[];
  /** What the file must have, in bytes. */
  readonly total: number;
}

const HIDDEN = /^\.([0-9a-f]{64})\.upload$/;

/** How much is copied at once, in bytes. */
const COPIED_BYTES = 256 * 1024;

/** Some cameras call each picture the same: beyond so many of one name, each gets random digits instead of a number. */
const MAX_NUMBER = 100;
const MAX_DRAWN = 5;

/** Some file systems have no second names. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

const STOPPING = { status: 503, text: 'the node is stopping', kind: 'stop during an upload', headers: RETRY_LATER };

/** Puts files into one directory. */
export class Assembly {
  readonly #deps: AssemblyDeps;
  #isStopped = false;

  constructor(deps: AssemblyDeps) {
    this.#deps = deps;
  }

  /**
   * Makes the directory, and removes what a crash has left in it.
   * @returns the keys of uploads whose files had got their names: their pieces are no longer needed.
   */
  async start(): Promise<string[]> {
    const { directory, files } = this.#deps;
    await files.makeDirectory(directory);
    const finished: string[] = [];
    for (const name of await files.list(directory)) {
      const key = HIDDEN.exec(name)?.[1];
      if (key === undefined) continue;
      const hidden = path.join(directory, name);
      const { names } = await files.stat(hidden);
      if (names > 1) finished.push(key);
      else await files.unlink(hidden);
    }
    return finished;
  }

  /** What was left behind is not needed any more: its pieces are gone. */
  async forget(key: string): Promise<void> {
    await this.#deps.files.unlink(this.#hiddenOf(key));
  }

  /** @returns the name that the file has got. @throws RefusedUpload (rejects) when the node stops; an error of the system */
  async assemble({ key, name, pieces, total }: Parts, remove: () => Promise<void>): Promise<string> {
    const { directory, mode, files, disk } = this.#deps;
    const hidden = this.#hiddenOf(key);
    await files.unlink(hidden);
    try {
      await files.create(hidden);
      await this.#copy(pieces, hidden);
      const { size } = await files.stat(hidden);
      if (size !== total) throw new Error(`the pieces have ${String(size)} bytes together instead of ${String(total)}`);
      await files.setMode(hidden, mode);
      await inTurn(disk, () => files.sync(hidden));
      const given = await this.#place(hidden, name);
      await files.syncDirectory(directory);
      await remove();
      return given;
    } finally {
      await files.unlink(hidden);
    }
  }

  /** Files that are being put together are given up; their pieces stay. */
  stop(): void {
    this.#isStopped = true;
  }

  async #copy(pieces: readonly string[], to: string): Promise<void> {
    const { files, disk } = this.#deps;
    const buffer = Buffer.allocUnsafe(COPIED_BYTES);
    for (const piece of pieces) {
      for (let at = 0, length = -1; length !== 0; at += length) {
        if (this.#isStopped) throw new RefusedUpload(STOPPING);
        length = await inTurn(disk, async () => {
          const read = await files.read(piece, buffer, at);
          if (read > 0) await files.append(to, buffer.subarray(0, read));
          return read;
        });
      }
    }
  }

  async #place(hidden: string, name: string): Promise<string> {
    const { directory, overwrite, privatePaths, files } = this.#deps;
    if (overwrite && !privatePaths.includes(path.join(directory, name))) {
      try {
        await files.rename(hidden, path.join(directory, name));
        return name;
      } catch (error) {
        // A directory of this name stays what it is.
        if (!['EISDIR', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(errorCode(error) ?? '')) throw error;
      }
    }
    for (const free of namesFor(name)) if (await this.#take(hidden, path.join(directory, free))) return free;
    throw new RefusedUpload({
      status: 400,
      text: 'there are too many files of this name',
      kind: 'name of an upload',
      facts: { name },
    });
  }

  /** @returns false when there is something of this name. */
  async #take(hidden: string, file: string): Promise<boolean> {
    const { files } = this.#deps;
    try {
      await files.link(hidden, file);
      return true;
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return false;
      if (!NO_LINKS.has(errorCode(error))) throw error;
    }
    try {
      await files.create(file);
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return false;
      throw error;
    }
    await files.rename(hidden, file);
    return true;
  }

  #hiddenOf(key: string): string {
    return path.join(this.#deps.directory, `.${key}.upload`);
  }
}

function* namesFor(name: string): Generator<string> {
  yield name;
  for (let number = 1; number <= MAX_NUMBER; number += 1) yield numberedName(name, number);
  for (let drawn = 0; drawn < MAX_DRAWN; drawn += 1) yield numberedName(name, drawBytes(6).toString('hex'));
}
