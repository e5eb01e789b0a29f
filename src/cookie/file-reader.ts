/**
 * Reads a cookie file from beginning to end. A damaged line never stops it: the line is handed back to be set aside,
 * and its neighbours count. What the good lines add up to is in `file-table.ts`.
 */
import { parseLine } from './file-line.js';
import { hasSeal } from './line-seal.js';
import { CookieTable } from './file-table.js';
import type { OpenFile } from './file-system.js';

const CHUNK_BYTES = 1024 * 1024;
const LINE_FEED = 0x0a;

/** What a cookie file holds. */
export interface LoadedFile {
  readonly table: CookieTable;
  /** How many good lines there are, live or outdated. */
  readonly lines: number;
  /** How many of them have no checksum; only counted where they should. */
  readonly unsealed: number;
  /** The damaged lines, without line feeds. */
  readonly damaged: readonly Buffer[];
  /** The last line lacks its line feed. */
  readonly unterminated: boolean;
  /** In bytes. */
  readonly size: number;
}

export interface ReadOptions {
  /** In bytes; only for the size of the buffers. */
  readonly expectedSize: number;
  /** Lines are expected to have checksums, see `parseLine`. */
  readonly isStrict: boolean;
}

export async function readCookieFile(
  file: Pick<OpenFile, 'read'>,
  { expectedSize, isStrict }: ReadOptions,
): Promise<LoadedFile> {
  const collector = new LineCollector(isStrict);
  const splitter = new LineSplitter((line) => collector.add(line));
  let size = 0;
  for (;;) {
    // Lines keep views of their chunk, so each read has a new one; the last one only has to find the end.
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(1, expectedSize - size)));
    const count = await file.read(chunk, size);
    if (count === 0) break;
    splitter.push(chunk.subarray(0, count));
    size += count;
  }
  const unterminated = splitter.end();
  const { table, lines, unsealed, damaged } = collector;
  return { table, lines, unsealed, damaged, unterminated, size };
}

/** Cuts a stream of chunks into lines; a line may span any number of chunks. */
class LineSplitter {
  readonly #onLine: (line: Buffer) => void;
  #begun: Buffer[] = [];

  constructor(onLine: (line: Buffer) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(LINE_FEED, start);
      if (end === -1) break;
      this.#finish(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) this.#begun.push(chunk.subarray(start));
  }

  /** @returns whether there was a last line without line feed. */
  end(): boolean {
    if (this.#begun.length === 0) return false;
    this.#finish(Buffer.alloc(0));
    return true;
  }

  #finish(rest: Buffer): void {
    if (this.#begun.length === 0) {
      this.#onLine(rest);
      return;
    }
    const line = Buffer.concat([...this.#begun, rest]);
    this.#begun = [];
    this.#onLine(line);
  }
}

/** Puts the state together line by line. */
class LineCollector {
  readonly table = new CookieTable();
  readonly damaged: Buffer[] = [];
  lines = 0;
  unsealed = 0;
  readonly #isStrict: boolean;
  // Strict, so that a flipped bit is noticed instead of becoming a replacement character.
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });

  constructor(isStrict: boolean) {
    this.#isStrict = isStrict;
  }

  add(bytes: Buffer): void {
    const line = this.#decode(bytes);
    const entry = line === undefined ? undefined : parseLine(line, this.#isStrict);
    if (entry === undefined || 'isDamaged' in entry) {
      this.damaged.push(Buffer.from(bytes)); // a copy: the chunk behind it is large
    } else {
      this.lines += 1;
      if (this.#isStrict && line !== undefined && !hasSeal(line)) this.unsealed += 1;
    }
    if (entry !== undefined) this.table.read(entry);
  }

  #decode(bytes: Buffer): string | undefined {
    try {
      return this.#decoder.decode(bytes);
    } catch {
      return undefined; // not UTF-8: a damaged line
    }
  }
}
