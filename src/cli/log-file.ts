/**
 * A log in a file: a stream for whole lines. It is written at once, so that the last words of a process are in it. A file that
 * cannot be written ends nothing: that is said once, and how many lines are lost when it can be written again.
 *
 *     node.log -- more than `maxBytes` --> node.log.1 -> node.log.2 -> ... -> `keep` of them, the oldest is deleted
 *     reopen: whoever renamed the file gets it, and lines go on in a new one of the old name
 */
import { renameSync, rmSync } from 'node:fs';
import { Writable } from 'node:stream';

import { LineFile } from '../system/line-file.js';

/** What may fail. */
export type LogFault = 'write' | 'set aside';

export interface LogFileOptions {
  /** Absolute. Its directory is made when it is missing. */
  readonly file: string;
  /** Of a file that is open already, as standard output may be; it is neither set aside nor opened anew. */
  readonly fd?: number;
  /** A file that has become larger is set aside; by default it grows without end, and others rotate it. */
  readonly maxBytes?: number | undefined;
  /** How many files that were set aside are kept. */
  readonly keep: number;
  /** Told when the file cannot be written, or not be set aside or opened anew; then lines go on into it. */
  readonly failed: (what: LogFault, error: unknown) => void;
}

const NEWLINE = 10;

/** Takes text and appends it to the file. */
export class LogFile extends Writable {
  readonly #options: LogFileOptions;
  readonly #lines: LineFile;
  /** What fails at the moment, and has been told. A file may be written and yet not be set aside. */
  readonly #failing = new Set<LogFault>();
  #lostLines = 0;

  /** @throws the error of the system when the file cannot be opened: who asks for a log gets one. */
  constructor(options: LogFileOptions) {
    super({ decodeStrings: true });
    this.#options = options;
    this.#lines = new LineFile(options.fd ?? options.file);
  }

  /** Its name, absolute. */
  get file(): string {
    return this.#options.file;
  }

  /** Calls back with the number of lines that are lost, once lines can be written again. */
  onWrittenAgain(report: (lostLines: number) => void): void {
    this.on('written again', report);
  }

  /** Goes on in the file that has the name now, or in a new one. Where none can be opened, it stays with the old one. */
  reopen(): void {
    this.#attempt('set aside', () => this.#lines.reopen());
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    const { bytes } = this.#lines;
    const { maxBytes = Infinity } = this.#options;
    if (bytes > 0 && bytes + chunk.length > maxBytes) this.#setAside();
    this.#attempt('write', () => this.#append(chunk));
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    try {
      this.#lines.close();
    } catch (fault) {
      this.#sayOnce('write', fault);
    }
    done(error);
  }

  #append(chunk: Buffer): void {
    let written = 0;
    try {
      while (written < chunk.length) written += this.#lines.append(chunk.subarray(written));
    } catch (error) {
      this.#lostLines += linesOf(chunk.subarray(written));
      this.#lines.breakLine();
      throw error;
    }
    const lost = this.#lostLines;
    this.#lostLines = 0;
    if (lost > 0) this.emit('written again', lost);
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

function linesOf(chunk: Buffer): number {
  let lines = 0;
  for (const octet of chunk) if (octet === NEWLINE) lines += 1;
  return lines;
}

function renameIfPresent(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
