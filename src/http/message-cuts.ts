/**
 * Where the bytes of an HTTP connection may be cut so that no piece goes beyond the end of a request: behind every blank
 * line, which ends a head and a chunked body, and behind a body of known length. It is no parser: a cut too many changes
 * nothing, because the parser goes on where it was. Pure.
 */

/** A blank line with the end of the line before it. That line may end without a carriage return, if the parser takes it. */
const BLANK_LINE = Buffer.from('\n\r\n');

export class MessageCuts {
  /** How many bytes of a body of known length are still to come. */
  #bodyBytes = 0;
  /** How many bytes of a blank line the last piece ended with. */
  #matched = 0;

  /** A body of so many bytes comes next. */
  expectBody(bytes: number): void {
    this.#bodyBytes = bytes;
    this.#matched = 0;
  }

  /** @returns how many of the bytes make the next piece: one at least. */
  next(bytes: Buffer): number {
    if (this.#bodyBytes === 0) return this.#toBlankLine(bytes);
    const length = Math.min(this.#bodyBytes, bytes.length);
    this.#bodyBytes -= length;
    return length;
  }

  #toBlankLine(bytes: Buffer): number {
    const begun = this.#matched > 0 ? this.#goesOn(bytes) : 0;
    if (begun > 0) {
      this.#matched = (this.#matched + begun) % BLANK_LINE.length;
      return begun;
    }
    const start = bytes.indexOf(BLANK_LINE);
    this.#matched = start === -1 ? beginningAtEnd(bytes) : 0;
    return start === -1 ? bytes.length : start + BLANK_LINE.length;
  }

  /** @returns how many bytes belong to the blank line that has begun; 0 when it was none. */
  #goesOn(bytes: Buffer): number {
    const missing = BLANK_LINE.subarray(this.#matched);
    const length = Math.min(missing.length, bytes.length);
    return bytes.subarray(0, length).equals(missing.subarray(0, length)) ? length : 0;
  }
}

/** @returns with how many bytes of a blank line they end. */
function beginningAtEnd(bytes: Buffer): number {
  if (bytes.at(-1) === BLANK_LINE[0]) return 1;
  return bytes.at(-1) === BLANK_LINE[1] && bytes.at(-2) === BLANK_LINE[0] ? 2 : 0;
}
