/**
 * The few file operations that the file store is made of. Everything goes through this interface, so that tests can
 * let any single call fail or the power go off between two of them. All of it runs off the event loop.
 */
import { link, open, readFile, realpath, rename, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { BigIntStats } from 'node:fs';

import { errorCode } from './error.js';

/** What the system says of a file. */
export interface FileStatus {
  /** In bytes. */
  readonly size: number;
  /** With the permission bits. */
  readonly mode: number;
  /** Names the file itself, not its path. No other file gets the identity of an open one. */
  readonly identity: string;
  /** How many names (hard links) it has. */
  readonly names: number;
}

/** An open file that is written at its end only. */
export interface OpenFile {
  stat(): Promise<FileStatus>;
  /** @returns how many bytes were read; 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** @returns how many bytes were written: fewer than given when the disk is nearly full. */
  append(bytes: Uint8Array): Promise<number>;
  truncate(size: number): Promise<void>;
  /** Resolves when content and size have reached the disk. */
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/** The file operations; each rejects with an error of the system. */
export interface FileSystem {
  /**
   * Opens for reading and appending.
   * @param mustBeNew rejects with EEXIST when there is such a file.
   * @param mode of a new file, less what the umask takes; by default its owner alone can read it (0600).
   */
  open(file: string, mustBeNew?: 'must be new', mode?: number): Promise<OpenFile>;
  readText(file: string): Promise<string>;
  /** The file that has a name now; undefined when none has. */
  statIfPresent(file: string): Promise<FileStatus | undefined>;
  /** The one name of an existing file, without symbolic links; ENOENT. */
  realpath(file: string): Promise<string>;
  /** Gives an existing file a second name; EEXIST when that name is taken. */
  link(existing: string, name: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(file: string): Promise<void>;
  /** Resolves when the names in a directory have reached the disk. */
  syncDirectory(directory: string): Promise<void>;
}

/** The file system of the machine. */
export const systemFiles: FileSystem = {
  open: async (file, mustBeNew, mode = 0o600) =>
    openFile(await open(file, mustBeNew === undefined ? 'a+' : 'ax+', mode)),
  readText: (file) => readFile(file, 'utf8'),
  statIfPresent: async (file) => {
    try {
      return statusOf(await stat(file, { bigint: true }));
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  },
  realpath: (file) => realpath(file),
  link,
  rename,
  unlink,
  syncDirectory,
};

function openFile(handle: FileHandle): OpenFile {
  return {
    stat: async () => statusOf(await handle.stat({ bigint: true })),
    read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
    append: async (bytes) => (await handle.write(bytes, 0, bytes.length, null)).bytesWritten,
    truncate: (size) => handle.truncate(size),
    datasync: () => handle.datasync(),
    close: () => handle.close(),
  };
}

/** Large numbers, because those of some file systems are larger than 2^53. */
function statusOf({ size, mode, dev, ino, nlink }: BigIntStats): FileStatus {
  return { size: Number(size), mode: Number(mode), identity: `${dev}/${ino}`, names: Number(nlink) };
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems (network shares, FUSE) have no such operation; there is nothing more that we could do there.
    const code = errorCode(error);
    if (code !== 'EINVAL' && code !== 'ENOTSUP') throw error;
  } finally {
    await handle.close();
  }
}

/** Removes a file that may be gone already. */
export async function unlinkIfPresent(fs: FileSystem, file: string): Promise<void> {
  try {
    await fs.unlink(file);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
