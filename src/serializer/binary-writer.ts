/**
 * Writes values in a binary format. What all formats have in common is here: the walk through the values, the buffer
 * that grows, strings. A format adds how it marks kinds and lengths.
 */
import { ErrorUri, WampError } from '../wamp/error.js';
import { MAX_ID } from '../wamp/id.js';
import { MAX_NESTING } from './wire-payload.js';
import type { Dict } from '../wamp/payload.js';

const SCRATCH_BYTES = 16_384;
/** A scratch buffer that grew beyond this for one large message is given back. */
const MAX_KEPT_BYTES = 1_048_576;
/** Short strings of ASCII are copied by hand: cheaper than two calls into the native encoder. */
const SHORT_TEXT = 32;
const WORD = 4_294_967_296;

export abstract class BinaryWriter {
  protected buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  /** Where the next byte goes. */
  protected at = 0;

  /** An integer from -2^53 to 2^53. */
  abstract integer(value: number): void;
  abstract listHead(count: number): void;
  protected abstract bigInteger(value: bigint): void;
  protected abstract double(value: number): void;
  protected abstract nil(): void;
  protected abstract boolean(value: boolean): void;
  protected abstract textHead(bytes: number): void;
  protected abstract bytesHead(bytes: number): void;
  protected abstract dictHead(count: number): void;

  /** Starts over. */
  reset(): void {
    this.at = 0;
    if (this.buffer.length > MAX_KEPT_BYTES) this.buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  }

  get length(): number {
    return this.at;
  }

  /** Copies what was written since {@link reset}. */
  copyTo(target: Buffer, targetStart: number): void {
    this.buffer.copy(target, targetStart, 0, this.at);
  }

  /** @throws WampError when lists and dictionaries are nested too deep. */
  value(value: unknown, depth = 0): void {
    switch (typeof value) {
      case 'string':
        return this.text(value);
      case 'number':
        return this.#number(value);
      case 'boolean':
        return this.boolean(value);
      case 'bigint':
        return this.bigInteger(value);
      case 'object':
        if (value === null) return this.nil();
        if (value instanceof Uint8Array) return this.#bytes(value);
        if (depth === MAX_NESTING) throw new WampError(ErrorUri.INVALID_ARGUMENT, 'the payload is nested too deep');
        if (Array.isArray(value)) this.#list(value, depth + 1);
        else this.dict(value as Dict, depth + 1);
        return;
      default:
        return this.nil();
    }
  }

  text(text: string): void {
    const { length } = text;
    if (length <= SHORT_TEXT && this.#asciiText(text)) return;
    const bytes = Buffer.byteLength(text);
    this.textHead(bytes);
    this.reserve(bytes);
    this.buffer.write(text, this.at, bytes === length ? 'latin1' : 'utf8');
    this.at += bytes;
  }

  /** Members that are undefined are left out, as in JSON. */
  dict(dict: Dict, depth = 1): void {
    const keys = Object.keys(dict);
    let count = 0;
    for (const key of keys) if (dict[key] !== undefined) count++;
    this.dictHead(count);
    for (const key of keys) {
      const value = dict[key];
      if (value === undefined) continue;
      this.text(key);
      this.value(value, depth);
    }
  }

  /** Makes room for `bytes` more bytes. */
  protected reserve(bytes: number): void {
    const needed = this.at + bytes;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.at);
    this.buffer = grown;
  }

  protected byte(byte: number): void {
    this.reserve(1);
    this.buffer[this.at++] = byte;
  }

  /** A mark and an unsigned number of one byte behind it. */
  protected head8(mark: number, value: number): void {
    this.reserve(2);
    this.buffer[this.at++] = mark;
    this.buffer[this.at++] = value;
  }

  protected head16(mark: number, value: number): void {
    this.reserve(3);
    this.buffer[this.at++] = mark;
    this.buffer[this.at++] = value >>> 8;
    this.buffer[this.at++] = value;
  }

  /** The low 32 bits of `value`, so that negative numbers come out as two's complement. */
  protected head32(mark: number, value: number): void {
    this.reserve(5);
    this.buffer[this.at++] = mark;
    this.#word(value);
  }

  protected head64(mark: number, value: number): void {
    this.reserve(9);
    this.buffer[this.at++] = mark;
    this.#word(Math.floor(value / WORD));
    this.#word(value);
  }

  protected headBig64(mark: number, value: bigint): void {
    this.reserve(9);
    this.buffer[this.at++] = mark;
    this.at = this.buffer.writeBigUInt64BE(BigInt.asUintN(64, value), this.at);
  }

  protected headDouble(mark: number, value: number): void {
    this.reserve(9);
    this.buffer[this.at++] = mark;
    this.at = this.buffer.writeDoubleBE(value, this.at);
  }

  protected raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  #word(value: number): void {
    this.buffer[this.at++] = value >>> 24;
    this.buffer[this.at++] = value >>> 16;
    this.buffer[this.at++] = value >>> 8;
    this.buffer[this.at++] = value;
  }

  #number(value: number): void {
    const whole = Number.isInteger(value) && value <= MAX_ID && value >= -MAX_ID && !Object.is(value, -0);
    if (whole) this.integer(value);
    else this.double(value);
  }

  #bytes(bytes: Uint8Array): void {
    this.bytesHead(bytes.length);
    this.raw(bytes);
  }

  #list(list: readonly unknown[], depth: number): void {
    this.listHead(list.length);
    for (const item of list) this.value(item, depth);
  }

  /** @returns false, and nothing is written, when there is a character beyond ASCII. */
  #asciiText(text: string): boolean {
    const start = this.at;
    const { length } = text;
    this.textHead(length);
    this.reserve(length);
    const { buffer } = this;
    let { at } = this;
    for (let i = 0; i < length; i++) {
      const char = text.charCodeAt(i);
      if (char >= 128) {
        this.at = start;
        return false;
      }
      buffer[at++] = char;
    }
    this.at = at;
    return true;
  }
}
