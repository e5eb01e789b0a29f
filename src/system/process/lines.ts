/**
 * Bytes of another process -> lines of text. What a program writes may end in the middle of a character, may have no line ends at
 * all, or may be no UTF-8: every byte comes out once, in lines of a bounded length. No sockets and no clock: tested with bytes alone.
 */
import { Buffer } from 'node:buffer';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** @returns the text of a line, in which wrong bytes are U+FFFD. Costs nothing to those who do not ask. */
export type Line = () => string;

/** Cuts a stream of bytes into lines. */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #onLine: (line: Line) => void;
  /** The beginning of a line whose end has not come: at most `maxBytes`. */
  #rest: Buffer = Buffer.alloc(0);

  /** @param maxBytes a longer line is told in pieces of that many bytes at most; 4 at least, the longest character. */
  constructor(maxBytes: number, onLine: (line: Line) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  /** Takes the next bytes. */
  write(chunk: Uint8Array): void {
    const bytes = Buffer.concat([this.#rest, chunk]);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(LINE_FEED, start);
      start = this.#tellPieces(bytes, start, end === -1 ? bytes.length : end);
      if (end === -1) break;
      this.#tell(bytes.subarray(start, bytes[end - 1] === CARRIAGE_RETURN ? Math.max(start, end - 1) : end));
      start = end + 1;
    }
    // A copy: a piece of a large chunk would keep all of it.
    this.#rest = Buffer.from(bytes.subarray(start));
  }

  /** The stream has ended: what has no line end is a line, too. */
  end(): void {
    if (this.#rest.length > 0) this.#tell(this.#rest);
    this.#rest = Buffer.alloc(0);
  }

  /** Tells whole pieces while there is more than one. @returns where the last one begins */
  #tellPieces(bytes: Buffer, from: number, to: number): number {
    let start = from;
    while (to - start > this.#maxBytes) {
      const end = characterStart(bytes, start + this.#maxBytes);
      this.#tell(bytes.subarray(start, end));
      start = end;
    }
    return start;
  }

  #tell(bytes: Buffer): void {
    this.#onLine(() => bytes.toString('utf8'));
  }
}

/** @returns the index, or where it is inside of a character, the place where that character begins. */
function characterStart(bytes: Buffer, index: number): number {
  for (let start = index; start > index - 4; start -= 1) {
    if (((bytes[start] ?? 0) & 0xc0) !== 0x80) return start;
  }
  return index; // no UTF-8: one place is as good as another
}
