/**
 * Reads a cookie file from beginning to end. A damaged line never stops it: the line is returned to be set aside, and the lines
 * around it count. How good lines add up is in `table.ts`.
 */
import { parseLine } from './line.js';
import { hasSeal } from './checksum.js';
import { CookieTable } from './table.js';
import { CookieStoreError } from '../error.js';
import type { OpenFile } from '../../system/files.js';

const CHUNK_BYTES = 1024 * 1024;
/** For an import into a running node: its clients must not wait for more. */
const BOUNDED_CHUNK_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;
/** How much memory a line costs besides its bytes. */
const LINE_COST = 100;

/** The content of a cookie file. */
export interface LoadedFile {
  readonly table: CookieTable;
  /** How many good lines there are, live or outdated. */
  readonly lines: number;
  /** How many of them lack a checksum; only counted where `isStrict`. */
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
  /** Limits for a file that may be anything. Without them the file is one of ours, and everything is kept. */
  readonly bounds?: ReadBounds;
}

/** In bytes. */
export interface ReadBounds {
  readonly line: number;
  /** Of all lines that cannot be read. */
  readonly damaged: number;
}

const UNBOUNDED: ReadBounds = { line: Infinity, damaged: Infinity };

/** Reads a whole file. @throws CookieStoreError (rejects) beyond the bounds. */
export async function readCookieFile(
  file: Pick<OpenFile, 'read'>,
  { expectedSize, isStrict, bounds = UNBOUNDED }: ReadOptions,
): Promise<LoadedFile> {
  const collector = new LineCollector(isStrict, bounds.damaged);
  const splitter = new LineSplitter((line) => collector.add(line), bounds.line);
  const most = bounds === UNBOUNDED ? CHUNK_BYTES : BOUNDED_CHUNK_BYTES;
  let size = 0;
  for (;;) {
    // Lines keep views of their chunk, so each read gets a new chunk. The last read only has to find the end.
    const chunk = Buffer.allocUnsafe(Math.min(most, Math.max(1, expectedSize - size)));
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
  readonly #maxBytes: number;
  #begun: Buffer[] = [];
  #begunBytes = 0;

  constructor(onLine: (line: Buffer) => void, maxBytes: number) {
    this.#onLine = onLine;
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(LINE_FEED, start);
      if (end === -1) break;
      this.#finish(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start === chunk.length) return;
    this.#begun.push(chunk.subarray(start));
    this.#begunBytes += chunk.length - start;
    if (this.#begunBytes > this.#maxBytes) {
      throw new CookieStoreError(`it has a line of more than ${inMebibytes(this.#maxBytes)}`);
    }
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
    this.#begunBytes = 0;
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
  readonly #maxDamagedBytes: number;
  #damagedBytes = 0;
  // Strict, so that a flipped bit is noticed instead of becoming a replacement character.
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });

  constructor(isStrict: boolean, maxDamagedBytes: number) {
    this.#isStrict = isStrict;
    this.#maxDamagedBytes = maxDamagedBytes;
  }

  add(bytes: Buffer): void {
    const line = this.#decode(bytes);
    const entry = line === undefined ? undefined : parseLine(line, this.#isStrict);
    if (entry === undefined || 'isDamaged' in entry) {
      this.#setAside(bytes);
    } else {
      this.lines += 1;
      if (this.#isStrict && line !== undefined && !hasSeal(line)) this.unsealed += 1;
    }
    if (entry !== undefined) this.table.read(entry);
  }

  #setAside(bytes: Buffer): void {
    this.damaged.push(Buffer.from(bytes)); // a copy: the chunk behind it is large
    this.#damagedBytes += bytes.length + LINE_COST;
    if (this.#damagedBytes > this.#maxDamagedBytes) {
      throw new CookieStoreError(`it has more than ${inMebibytes(this.#maxDamagedBytes)} of lines that cannot be read`);
    }
  }

  #decode(bytes: Buffer): string | undefined {
    try {
      return this.#decoder.decode(bytes);
    } catch {
      return undefined; // not UTF-8: a damaged line
    }
  }
}

export function inMebibytes(bytes: number): string {
  return `${bytes / 1024 / 1024} MiB`;
}
