/**
 * Writes what a binary reader finds as JSON, with the same result as `jsonText` has for the values: byte strings are
 * U+0000 and their Base64, NaN and the infinities are null.
 */
import { GrowingBuffer } from './growing-buffer.js';
import { OpenDict } from './open-dict.js';
import type { ValueSink } from './value-sink.js';

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const BACKSLASH = 92;
const MINUS = 45;
const EQUALS = 61;

const MAX_31_BITS = 0x7fff_ffff;
/** Shorter byte strings are written by hand: cheaper than calls into the native encoder. */
const SHORT_BYTES = 48;
const DIGITS = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');

/** byte -> what stands behind the backslash for it, as `JSON.stringify` writes it; 0 for none, `u` for four hex digits */
const ESCAPES = new Uint8Array(256).fill(117, 0, 32);
for (const [char, mark] of ['\bb', '\tt', '\nn', '\ff', '\rr', '""', '\\\\']) {
  ESCAPES[(char as string).charCodeAt(0)] = (mark as string).charCodeAt(0);
}

export class JsonWriter extends GrowingBuffer implements ValueSink {
  readonly #dicts: OpenDict[] = [];
  /** All bytes that were copied from strings, one over the other. */
  #bits = 0;

  override reset(): void {
    super.reset();
    this.#bits = 0;
  }

  get isAscii(): boolean {
    return this.#bits < 128;
  }

  /** @returns what was written, without the comma at its end. */
  toText(): string {
    const end = Math.max(0, this.at - 1);
    return this.isAscii ? this.buffer.toString('latin1', 0, end) : this.buffer.toString('utf8', 0, end);
  }

  leaf(value: unknown): void {
    if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') this.text(value);
    else if (value instanceof Buffer) this.byteString(value, 0, value.length);
    else this.ascii(String(value));
  }

  integer(value: number): void {
    if (value > MAX_31_BITS || value < -MAX_31_BITS) return this.ascii(String(value));
    this.reserve(11);
    let rest = value;
    if (value < 0) {
      this.buffer[this.at++] = MINUS;
      rest = -value;
    }
    let digits = 1;
    for (let limit = 10; digits < 10 && rest >= limit; limit *= 10) digits++;
    const end = this.at + digits;
    for (let at = end - 1; at >= this.at; at--) {
      const tenth = (rest / 10) | 0;
      this.buffer[at] = 48 + rest - tenth * 10;
      rest = tenth;
    }
    this.at = end;
  }

  text(text: string): void {
    const bytes = Buffer.from(text);
    this.utf8(bytes, 0, bytes.length);
  }

  plainText(text: string, start: number, end: number): void {
    this.byte(QUOTE);
    this.ascii(text, start, end);
    this.byte(QUOTE);
  }

  utf8(bytes: Uint8Array, start: number, end: number): void {
    this.reserve(6 * (end - start) + 2);
    const { buffer } = this;
    let { at } = this;
    let bits = 0;
    buffer[at++] = QUOTE;
    for (let from = start; from < end; from++) {
      const byte = bytes[from] as number;
      const escape = ESCAPES[byte] as number;
      bits |= byte;
      if (escape === 0) {
        buffer[at++] = byte;
        continue;
      }
      buffer[at++] = BACKSLASH;
      buffer[at++] = escape;
      if (escape === 117) {
        buffer[at++] = 48;
        buffer[at++] = 48;
        buffer[at++] = 48 + (byte >> 4);
        buffer[at++] = (byte & 15) + ((byte & 15) < 10 ? 48 : 87);
      }
    }
    buffer[at++] = QUOTE;
    this.at = at;
    this.#bits |= bits;
  }

  byteString(bytes: Buffer, start: number, end: number): void {
    this.ascii('"\\u0000');
    if (end - start <= SHORT_BYTES) this.#base64(bytes, start, end);
    else this.ascii(bytes.toString('base64', start, end));
    this.byte(QUOTE);
  }

  openList(): number {
    this.byte(91);
    return 0;
  }

  closeList(_opened: number, count: number): void {
    this.#close(count, 93);
  }

  openDict(depth: number): OpenDict {
    const dict = (this.#dicts[depth] ??= new OpenDict());
    dict.open(this.at);
    this.byte(123);
    return dict;
  }

  startEntry(dict: OpenDict): void {
    dict.startEntry(this.at);
  }

  endKey(dict: OpenDict): void {
    dict.endKey(this.buffer, this.at);
    this.byte(COLON);
  }

  closeDict(dict: OpenDict): void {
    this.at = dict.compact(this.buffer, this.at);
    this.#close(dict.written, 125);
  }

  endItem(): void {
    this.byte(COMMA);
  }

  /** The bracket takes the place of the last comma. */
  #close(count: number, bracket: number): void {
    if (count > 0) this.at--;
    this.byte(bracket);
  }

  #number(value: number): void {
    if (value === (value | 0)) this.integer(value | 0);
    else this.ascii(Number.isFinite(value) ? String(value) : 'null');
  }

  #base64(bytes: Buffer, start: number, end: number): void {
    this.reserve(SHORT_BYTES * 2);
    const { buffer } = this;
    let { at } = this;
    for (let from = start; from < end; from += 3) {
      const left = end - from;
      const word =
        ((bytes[from] as number) << 16) |
        (left > 1 ? (bytes[from + 1] as number) << 8 : 0) |
        (left > 2 ? (bytes[from + 2] as number) : 0);
      buffer[at++] = DIGITS[word >> 18] as number;
      buffer[at++] = DIGITS[(word >> 12) & 63] as number;
      buffer[at++] = left > 1 ? (DIGITS[(word >> 6) & 63] as number) : EQUALS;
      buffer[at++] = left > 2 ? (DIGITS[word & 63] as number) : EQUALS;
    }
    this.at = at;
  }
}
