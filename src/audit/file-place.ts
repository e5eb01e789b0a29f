/** The audit log in a file, which is synced. */
import { closeSync, fdatasync, fdatasyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AuditPlace } from './place.js';

/** Who may read it: addresses and names of users are in it. */
const MODE = 0o640;
const DIRECTORY_MODE = 0o750;

/** Appends to one file. */
export class FilePlace implements AuditPlace {
  readonly name: string;
  #fd: number;

  /** @throws the error of the system when the file cannot be opened. */
  constructor(file: string) {
    this.name = file;
    mkdirSync(dirname(file), { recursive: true, mode: DIRECTORY_MODE });
    this.#fd = openSync(file, 'a', MODE);
  }

  write(line: Buffer): number {
    return writeSync(this.#fd, line);
  }

  sync(done: (error: Error | null) => void): void {
    fdatasync(this.#fd, (error) => done(error !== null && isOfDisk(error) ? error : null));
  }

  reopen(): void {
    const before = this.#fd;
    this.#fd = openSync(this.name, 'a', MODE);
    closeFile(before);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      closeFile(this.#fd);
      resolve();
    });
  }
}

/** @throws the error of the system when what was written is not on the disk; the file is closed all the same. */
function closeFile(fd: number): void {
  try {
    fdatasyncSync(fd);
  } catch (error) {
    if (isOfDisk(error as NodeJS.ErrnoException)) throw error;
  } finally {
    closeSync(fd);
  }
}

/** A pipe cannot be synced. */
function isOfDisk({ code }: NodeJS.ErrnoException): boolean {
  return code !== 'EINVAL' && code !== 'EBADF';
}
