/**
 * Writes a binary format: values that are there (`value`), or what a reader of another format finds (the members of
 * {@link ValueSink}). What all formats have in common is here; a format adds how it marks kinds and lengths.
 */
import { ErrorUri, WampError } from '../wamp/error.js';
import { MAX_ID } from '../wamp/id.js';
import { GrowingBuffer } from './growing-buffer.js';
import { OpenDict } from './open-dict.js';
import { MAX_NESTING } from './wire-payload.js';
import type { ValueSink } from './value-sink.js';
import type { Dict } from '../wamp/payload.js';

/** Short strings of ASCII are copied by hand: cheaper than two calls into the native encoder. */
const SHORT_TEXT = 32;
const WORD = 4_294_967_296;

export abstract class BinaryWriter extends GrowingBuffer implements ValueSink {
  readonly #dicts: OpenDict[] = [];

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

  leaf(value: unknown): void {
    this.value(value);
  }

  utf8(bytes: Uint8Array, start: number, end: number): void {
    this.textHead(end - start);
    this.rawSlice(bytes, start, end);
  }

  plainText(text: string, start: number, end: number): void {
    this.textHead(end - start);
    this.ascii(text, start, end);
  }

  byteString(bytes: Buffer, start: number, end: number): void {
    this.bytesHead(end - start);
    this.rawSlice(bytes, start, end);
  }

  /** How many elements a list has is known at its end: until then its head has one byte, enough for the most. */
  openList(): number {
    this.byte(0);
    return this.at - 1;
  }

  closeList(opened: number, count: number): void {
    const end = this.at;
    this.listHead(count);
    this.#moveHead(opened, end);
  }

  openDict(depth: number): OpenDict {
    const dict = (this.#dicts[depth] ??= new OpenDict());
    dict.open(this.at);
    this.byte(0);
    return dict;
  }

  startEntry(dict: OpenDict): void {
    dict.startEntry(this.at);
  }

  endKey(dict: OpenDict): void {
    dict.endKey(this.buffer, this.at);
  }

  closeDict(dict: OpenDict): void {
    const end = (this.at = dict.compact(this.buffer, this.at));
    this.dictHead(dict.count);
    this.#moveHead(dict.start, end);
  }

  endItem(): void {
    // Nothing stands between values.
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

  /** Moves the head that stands behind its elements, from `end` on, in front of them: over the byte at `start`. */
  #moveHead(start: number, end: number): void {
    const { buffer } = this;
    const bytes = this.at - end;
    if (bytes > 1) {
      const head = Buffer.from(buffer.subarray(end, this.at));
      buffer.copyWithin(start + bytes, start + 1, end);
      head.copy(buffer, start);
    } else {
      buffer[start] = buffer[end] as number;
    }
    this.at = end + bytes - 1;
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
