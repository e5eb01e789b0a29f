/** From bytes to text, and from offsets in a text to lines and columns. */

/** Configs are written by hand: a larger file is a mistake. */
export const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

/** A problem at a place in a text. */
export interface Finding {
  /** UTF-16 code units from the start of the text. */
  readonly offset: number;
  readonly pointer: string;
  readonly text: string;
}

/** The pointer that stands for the whole document in messages. */
export const ROOT = '(root)';

/** Finds the line and column of an offset. */
export class LineIndex {
  /** Offset of the first character of every line. */
  readonly #starts: readonly number[];

  constructor(text: string) {
    const starts = [0];
    for (const match of text.matchAll(/\r\n|\r|\n/g)) starts.push(match.index + match[0].length);
    this.#starts = starts;
  }

  /** @returns line and column, both counted from 1. */
  at(offset: number): { readonly line: number; readonly column: number } {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 };
  }
}

/** @returns the text of the bytes, and a finding if they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): { readonly text: string; readonly finding?: Finding } {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return { text: '', finding: { offset: 0, pointer: ROOT, text: 'found UTF-16 (allowed: text in UTF-8)' } };
  }
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const wrong = firstDifference(bytes, new TextEncoder().encode(text));
  if (wrong === undefined) return { text };
  const offset = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, wrong)).length;
  const byte = (bytes[wrong] ?? 0).toString(16).padStart(2, '0');
  return { text, finding: { offset, pointer: ROOT, text: `found the byte 0x${byte} (allowed: text in UTF-8)` } };
}

/** @returns the offset of the first byte that is not UTF-8: there the encoded text differs. */
function firstDifference(bytes: Uint8Array, encoded: Uint8Array): number | undefined {
  if (Buffer.compare(bytes, encoded) === 0) return undefined;
  return bytes.findIndex((byte, index) => byte !== encoded[index]);
}
