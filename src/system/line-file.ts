/**
 * A file to which lines are appended at once. It may end inside a line: the disk was full, or the process before was killed while it
 * wrote. Then what comes next begins a line of its own, so that one line is broken, and not two. It knows nothing of logs.
 */
import { closeSync, fdatasync, fdatasyncSync, fstatSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Who may read a log: addresses and names of users are in it. */
const MODE = 0o640;
const DIRECTORY_MODE = 0o750;

const NEWLINE = 10;

/** Appends to one file, or to what is open already. */
export class LineFile {
  readonly #file: string | undefined;
  #fd: number;
  #bytes = 0;
  /** The last octet in it is not the end of a line. */
  #isInside = false;
  #mustBreak = false;

  /**
   * @param place the name of a file, whose directory is made when it is missing; or a descriptor, which stays open at the end.
   * @throws the error of the system when it cannot be opened.
   */
  constructor(place: string | number) {
    this.#file = typeof place === 'string' ? place : undefined;
    if (typeof place === 'string') mkdirSync(dirname(place), { recursive: true, mode: DIRECTORY_MODE });
    this.#fd = typeof place === 'string' ? openSync(place, 'a', MODE) : place;
    this.#lookAtEnd();
  }

  /** How large it is. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @returns how many octets were taken, at least one. @throws the error of the system, where none were. */
  append(octets: Buffer): number {
    if (this.#mustBreak) this.#write(Buffer.from('\n'));
    this.#mustBreak = false;
    return this.#write(octets);
  }

  /** What comes next has nothing to do with what came last. */
  breakLine(): void {
    this.#mustBreak = this.#isInside;
  }

  /**
   * Goes on in the file that has the name now, or in a new one; with a descriptor there is no other.
   * @returns whether it is another one. @throws the error of the system: it goes on in the old one.
   */
  reopen(): boolean {
    if (this.#file === undefined) return false;
    const before = this.#fd;
    const old = fstatSync(before);
    this.#fd = openSync(this.#file, 'a', MODE);
    const { dev, ino } = fstatSync(this.#fd);
    const isOther = dev !== old.dev || ino !== old.ino;
    if (isOther) this.#lookAtEnd();
    closeSynced(before);
    return isOther;
  }

  /** Gets what was written to the disk. @param done called with what went wrong. */
  sync(done: (error: Error | null) => void): void {
    fdatasync(this.#fd, (error) => done(error !== null && isOfDisk(error) ? error : null));
  }

  /** Nothing can be written afterwards. @throws the error of the system when what was written is not on the disk. */
  close(): void {
    if (this.#file === undefined) return;
    closeSynced(this.#fd);
  }

  #write(octets: Buffer): number {
    const written = writeSync(this.#fd, octets);
    this.#bytes += written;
    this.#isInside = octets[written - 1] !== NEWLINE;
    return written;
  }

  #lookAtEnd(): void {
    const stats = fstatSync(this.#fd);
    this.#bytes = stats.isFile() ? stats.size : 0;
    this.#isInside = this.#bytes > 0 && this.#file !== undefined && !endsLine(this.#file, this.#bytes);
    this.breakLine();
  }
}

/** Whether a stream is a file, or a device as `/dev/null`: such a stream of Node.js loses what a full disk does not take whole. */
export function isFile({ fd, isTTY = false }: { readonly fd?: number; readonly isTTY?: boolean }): boolean {
  if (fd === undefined || isTTY) return false;
  const stats = fstatSync(fd);
  return stats.isFile() || stats.isCharacterDevice();
}

/** @returns true, too, where it may not be read. */
function endsLine(file: string, bytes: number): boolean {
  const last = Buffer.from('\n');
  try {
    const fd = openSync(file, 'r');
    try {
      readSync(fd, last, 0, 1, bytes - 1);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Who may write it need not be who may read it: then nothing is known of its end.
  }
  return last[0] === NEWLINE;
}

/** @throws the error of the system when what was written is not on the disk; it is closed all the same. */
function closeSynced(fd: number): void {
  try {
    fdatasyncSync(fd);
  } catch (error) {
    if (isOfDisk(error as NodeJS.ErrnoException)) throw error;
  } finally {
    closeSync(fd);
  }
}

/** A pipe cannot be synced, nor can most devices. */
function isOfDisk({ code }: NodeJS.ErrnoException): boolean {
  return code !== 'EINVAL' && code !== 'EBADF';
}
