/**
 * A log in a file: a stream for whole lines. It is written at once, so that the last words of a process are in it. A file that
 * cannot be written ends nothing: that is said once, and again after the next line that could be written.
 *
 *     node.log -- more than `maxBytes` --> node.log.1 -> node.log.2 -> ... -> `keep` of them, the oldest is deleted
 *     reopen: whoever renamed the file gets it, and lines go on in a new one of the old name
 */
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { Writable } from 'node:stream';

/** What may fail. */
export type LogFault = 'write' | 'set aside';

export interface LogFileOptions {
  /** Absolute. Its directory is made when it is missing. */
  readonly file: string;
  /** A file that has become larger is set aside; by default it grows without end, and others rotate it. */
  readonly maxBytes?: number | undefined;
  /** How many files that were set aside are kept. */
  readonly keep: number;
  /** Told when the file cannot be written, or not be set aside or opened anew; then lines go on into it. */
  readonly failed: (what: LogFault, error: unknown) => void;
}

/** Who may read the log: addresses and names of users are in it. */
const MODE = 0o640;
const DIRECTORY_MODE = 0o750;

/** Takes text and appends it to the file. */
export class LogFile extends Writable {
  readonly #options: LogFileOptions;
  #fd: number;
  #bytes: number;
  /** What fails at the moment, and has been told. A file may be written and yet not be set aside. */
  readonly #failing = new Set<LogFault>();

  /** @throws the error of the system when the file cannot be opened: who asks for a log gets one. */
  constructor(options: LogFileOptions) {
    super({ decodeStrings: true });
    this.#options = options;
    mkdirSync(dirname(options.file), { recursive: true, mode: DIRECTORY_MODE });
    this.#fd = openSync(options.file, 'a', MODE);
    this.#bytes = fstatSync(this.#fd).size;
  }

  /** Its name, absolute. */
  get file(): string {
    return this.#options.file;
  }

  /** Goes on in the file that has the name now, or in a new one. Where none can be opened, it stays with the old one. */
  reopen(): void {
    this.#attempt('set aside', () => {
      const fd = openSync(this.#options.file, 'a', MODE);
      closeSync(this.#fd);
      this.#fd = fd;
      this.#bytes = fstatSync(fd).size;
    });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    const { maxBytes = Infinity } = this.#options;
    if (this.#bytes > 0 && this.#bytes + chunk.length > maxBytes) this.#setAside();
    this.#attempt('write', () => this.#append(chunk));
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    closeSync(this.#fd);
    done(error);
  }

  #append(chunk: Buffer): void {
    for (let written = 0; written < chunk.length;) written += writeSync(this.#fd, chunk, written);
    this.#bytes += chunk.length;
  }

  #setAside(): void {
    const { file, keep } = this.#options;
    const aged = (age: number): string => (age === 0 ? file : `${file}.${age}`);
    try {
      rmSync(aged(keep), { force: true });
      for (let age = keep - 1; age >= 0; age--) renameIfPresent(aged(age), aged(age + 1));
    } catch (error) {
      // The file goes on growing, which is better than no log.
      return this.#sayOnce('set aside', error);
    }
    this.reopen();
  }

  #attempt(what: LogFault, act: () => void): void {
    try {
      act();
      this.#failing.delete(what);
    } catch (error) {
      this.#sayOnce(what, error);
    }
  }

  #sayOnce(what: LogFault, error: unknown): void {
    if (!this.#failing.has(what)) this.#options.failed(what, error);
    this.#failing.add(what);
  }
}

function renameIfPresent(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
