/**
 * Reads a binary format, in three ways: `value` builds a value, `skip` only finds where it ends, `pass` hands it on piece
 * by piece to the writer of another format. All check all there is to check (lengths, nesting, UTF-8, marks without
 * meaning), so that nothing invalid travels on, and all are finished after as many steps as there are bytes: a claimed
 * length is compared with what is there before anything is done.
 *
 * What all formats have in common is here; a format adds what its marks mean.
 */
import { isUtf8 } from 'node:buffer';
import { ErrorUri, ProtocolViolation, WampError } from '../wamp/error.js';
import { define } from './dict.js';
import { base64, jsonText } from './json-values.js';
import { Cost, Steps } from './value-sink.js';
import { MAX_NESTING } from './wire-payload.js';
import type { ValueSink } from './value-sink.js';

/** What an element of a message is. */
export type Kind = 'list' | 'dict' | 'text' | 'bytes' | 'float' | 'other';

/** An element count that is not known before the end mark is reached. */
export const OPEN = -1;

/** Shorter strings are looked through by hand: cheaper than a call into the native check. */
const SHORT_TEXT = 48;
const WORD = 4_294_967_296;
/** The upper 32 bits of 2^53. */
const MAX_UPPER = 2_097_152;

export abstract class BinaryReader {
  readonly bytes: Buffer;
  /** Where the next byte is read. */
  at = 0;
  /** Whether a dictionary may have nothing but strings as keys: so it is in WAMP, but applications may do otherwise. */
  strictKeys = true;
  /** What {@link pass} may still do. */
  steps = new Steps();

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Looks at the next element without reading it. */
  abstract kind(): Kind;
  /** @returns the number of elements of the list that starts here, or {@link OPEN}. @throws when there is no list. */
  abstract listHead(): number;
  /** @returns the same of a dictionary. */
  abstract dictHead(): number;
  /** Builds the next value. @param depth how many lists and dictionaries it lies in */
  abstract value(depth: number): unknown;
  /** Passes the next value on to the writer of another format. */
  abstract pass(to: ValueSink, depth: number): void;
  /** Passes over the next value. */
  abstract skip(depth: number): void;
  /** @returns whether the end mark of an {@link OPEN} list or dictionary stands here; it is passed over then. */
  abstract atEndMark(): boolean;

  /** @returns whether a list or dictionary of `count` elements goes on behind `index` of them. */
  hasMore(count: number, index: number): boolean {
    return count === OPEN ? !this.atEndMark() : index < count;
  }

  /** Passes over a list. @returns how many elements it has. */
  skipList(depth: number): number {
    return this.skipItems(this.listHead(), 1, depth);
  }

  /** Passes over a dictionary whose own keys have to be strings. @returns how many entries it has. */
  skipDict(depth: number): number {
    const count = this.#enter(this.dictHead(), 2, depth);
    let index = 0;
    for (; this.hasMore(count, index); index++) {
      if (this.kind() !== 'text') throw new ProtocolViolation('a key is not a string');
      this.skip(depth + 1);
      this.skip(depth + 1);
    }
    return index;
  }

  protected skipItems(count: number, valuesEach: number, depth: number): number {
    this.#enter(count, valuesEach, depth);
    let index = 0;
    for (; this.hasMore(count, index); index++) {
      this.skip(depth + 1);
      if (valuesEach === 2) this.skip(depth + 1);
    }
    return index;
  }

  protected list(count: number, depth: number): unknown[] {
    this.#enter(count, 1, depth);
    const list: unknown[] = [];
    while (this.hasMore(count, list.length)) list.push(this.value(depth + 1));
    return list;
  }

  protected dict(count: number, depth: number): Record<string, unknown> {
    this.#enter(count, 2, depth);
    const dict: Record<string, unknown> = {};
    for (let index = 0; this.hasMore(count, index); index++) {
      const key = this.value(depth + 1);
      if (typeof key !== 'string' && this.strictKeys) throw new ProtocolViolation('a key is not a string');
      const name = typeof key === 'string' ? key : keyText(key);
      const value = this.value(depth + 1);
      // wampy writes the options that it does not use as undefined, which arrives as null: they are absent.
      if (value === null && this.strictKeys && depth === 0) continue;
      define(dict, name, value);
    }
    return dict;
  }

  protected passList(to: ValueSink, count: number, depth: number): void {
    this.#enter(count, 1, depth);
    const opened = to.openList();
    let index = 0;
    for (; this.hasMore(count, index); index++) {
      this.steps.take(1);
      this.pass(to, depth + 1);
      to.endItem();
    }
    to.closeList(opened, index);
  }

  protected passDict(to: ValueSink, count: number, depth: number): void {
    this.#enter(count, 2, depth);
    const dict = to.openDict(depth);
    for (let index = 0; this.hasMore(count, index); index++) {
      this.steps.take(1 + (dict.isLarge ? Cost.KEY_OF_MANY : Cost.KEY));
      to.startEntry(dict);
      if (this.kind() === 'text') this.pass(to, depth + 1);
      else this.#passKey(to, depth + 1);
      to.endKey(dict);
      this.pass(to, depth + 1);
      to.endItem();
    }
    to.closeDict(dict);
  }

  protected passText(to: ValueSink, length: number): void {
    const start = this.at;
    this.checkText(length);
    to.utf8(this.bytes, start, this.at);
  }

  protected passBytes(to: ValueSink, length: number): void {
    this.steps.take(Cost.UNCOMMON);
    const start = this.take(length);
    to.byteString(this.bytes, start, this.at);
  }

  /** A value that a key is built of may be as long as the message. */
  #passKey(to: ValueSink, depth: number): void {
    const start = this.at;
    const key = this.value(depth);
    this.steps.take(Cost.OTHER_KEY + this.at - start);
    const text = typeof key === 'string' ? key : keyText(key);
    if (typeof key === 'number') to.plainText(text, 0, text.length);
    else to.text(text);
  }

  protected text(length: number): string {
    const start = this.at;
    return this.checkText(length)
      ? this.bytes.toString('latin1', start, this.at)
      : this.bytes.toString('utf8', start, this.at);
  }

  /** Passes over `length` bytes of UTF-8. @returns whether they are known to be ASCII. */
  protected checkText(length: number): boolean {
    const start = this.take(length);
    const { bytes } = this;
    const end = this.at;
    if (length <= SHORT_TEXT) {
      let at = start;
      while (at < end && (bytes[at] as number) < 128) at++;
      if (at === end) return true;
    }
    if (!isUtf8(bytes.subarray(start, end))) throw new ProtocolViolation('a string is not valid UTF-8');
    return false;
  }

  protected slice(length: number): Buffer {
    const start = this.take(length);
    return this.bytes.subarray(start, this.at);
  }

  /** Passes over `length` bytes. @returns where they start. @throws when there are not so many. */
  protected take(length: number): number {
    const start = this.at;
    if (length > this.bytes.length - start) throw new ProtocolViolation('the message ends too early');
    this.at = start + length;
    return start;
  }

  protected peek(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new ProtocolViolation('the message ends too early');
    return byte;
  }

  protected byte(): number {
    const byte = this.peek();
    this.at++;
    return byte;
  }

  protected uint16(): number {
    return this.bytes.readUInt16BE(this.take(2));
  }

  protected uint32(): number {
    return this.bytes.readUInt32BE(this.take(4));
  }

  /** @returns a number up to 2^53, a BigInt beyond. */
  protected uint64(): number | bigint {
    const at = this.take(8);
    const upper = this.bytes.readUInt32BE(at);
    const lower = this.bytes.readUInt32BE(at + 4);
    if (upper < MAX_UPPER || (upper === MAX_UPPER && lower === 0)) return upper * WORD + lower;
    return this.bytes.readBigUInt64BE(at);
  }

  protected int64(): number | bigint {
    const at = this.take(8);
    const upper = this.bytes.readInt32BE(at);
    const lower = this.bytes.readUInt32BE(at + 4);
    if ((upper >= -MAX_UPPER && upper < MAX_UPPER) || (upper === MAX_UPPER && lower === 0)) return upper * WORD + lower;
    return this.bytes.readBigInt64BE(at);
  }

  protected enter(depth: number): void {
    if (depth >= MAX_NESTING) throw new ProtocolViolation(`more than ${MAX_NESTING} levels of nesting`);
  }

  /** Every value takes a byte at least, so a count beyond the rest of the message is a lie. */
  #enter(count: number, valuesEach: number, depth: number): number {
    this.enter(depth);
    if (count * valuesEach > this.bytes.length - this.at) throw new ProtocolViolation('the message ends too early');
    return count;
  }
}

/** A key that is no string, as JSON has to write it. @throws WampError when there is a dictionary in it. */
function keyText(key: unknown): string {
  if (key instanceof Uint8Array) return `\0${base64(key)}`;
  // Keys in keys in keys would double their backslashes at every level: a hundred bytes could fill the memory.
  if (holdsDict(key)) throw new WampError(ErrorUri.INVALID_ARGUMENT, 'a dictionary is part of the key of another');
  return jsonText(key);
}

function holdsDict(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsDict);
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
}
