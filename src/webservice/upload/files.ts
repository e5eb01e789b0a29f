/**
 * The file operations that uploads are made of. Everything goes through this interface, so that tests can let any call fail. All of
 * it runs off the event loop.
 *
 * No file stays open between two pieces of a body: a client that sends slowly holds a socket, and nothing else.
 */
import { chmod, link, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { systemFiles, unlinkIfPresent } from '../../system/files.js';

/** What is known of a file. */
export interface StoredFile {
  readonly size: number;
  /** Milliseconds since 1970: when it was last written. */
  readonly changedMs: number;
  /** How many names it has. */
  readonly names: number;
}

/** The file operations; each rejects with an error of the system. */
export interface UploadFiles {
  /** Makes a directory, and those above it; one that is there is left as it is. @param mode of a new one */
  makeDirectory(directory: string, mode?: number): Promise<void>;
  /** @returns the names in a directory; none for one that is not there. */
  list(directory: string): Promise<string[]>;
  stat(file: string): Promise<StoredFile>;
  /** Makes an empty file that only its owner can read. @throws EEXIST */
  create(file: string): Promise<void>;
  /** Writes all the bytes at the end of a file. */
  append(file: string, bytes: Uint8Array): Promise<void>;
  /** @returns how many bytes were read; 0 at the end. */
  read(file: string, into: Uint8Array, position: number): Promise<number>;
  /** Resolves when the content has reached the disk. */
  sync(file: string): Promise<void>;
  /** Resolves when the names in a directory have reached the disk. */
  syncDirectory(directory: string): Promise<void>;
  setMode(file: string, mode: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Gives a file a second name. @throws EEXIST when that name is taken */
  link(file: string, name: string): Promise<void>;
  /** Removes a file, or a directory with all that is in it, that may be gone already. */
  remove(path: string): Promise<void>;
  /** Removes a file that may be gone already. */
  unlink(file: string): Promise<void>;
}

/** The files of the machine. */
export const machineFiles: UploadFiles = {
  makeDirectory: async (directory, mode = 0o777) => {
    await mkdir(directory, { recursive: true, mode });
  },
  list: async (directory) => readdir(directory),
  stat: async (file) => {
    const { size, mtimeMs, nlink } = await stat(file);
    return { size, changedMs: mtimeMs, names: nlink };
  },
  create: async (file) => (await open(file, 'wx', 0o600)).close(),
  append: (file, bytes) => opened(file, 'a', (handle) => writeAll(handle, bytes)),
  read: (file, into, position) =>
    opened(file, 'r', async (handle) => (await handle.read(into, 0, into.length, position)).bytesRead),
  sync: (file) => opened(file, 'r+', (handle) => handle.datasync()),
  syncDirectory: (directory) => systemFiles.syncDirectory(directory),
  setMode: chmod,
  rename,
  link,
  // Another request may be writing there what is not needed any more.
  remove: (path) => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 }),
  unlink: (file) => unlinkIfPresent({ ...systemFiles, unlink }, file),
};

async function opened<T>(file: string, flags: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(file, flags);
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

/** A disk that is nearly full takes a part, and says why only at the next call. */
async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += (await handle.write(bytes, written, bytes.length - written, null)).bytesWritten;
  }
}
