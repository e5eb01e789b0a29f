/**
 * Reads UBJSON (`wamp.2.ubjson`, draft 12). Lists and dictionaries may end with a mark, or begin with a count, and with a type that
 * all values share. No-ops between values are passed over.
 *
 * Between UBJSON peers everything passes unchanged. In other formats a list of the type `uint8` is a byte string, as py-ubjson
 * (and so Autobahn) writes them; a high-precision number is an integer where it is one, else a double.
 */
import { ProtocolViolation } from '../../wamp/error.js';
import { BinaryReader, OPEN } from '../binary-reader.js';
import { define } from '../dict.js';
import { isNumberText } from './number-text.js';
import { Mark } from './marks.js';
import { Cost } from '../value-sink.js';
import type { Kind } from '../binary-reader.js';
import type { ValueSink } from '../value-sink.js';

/** Every value has a mark of its own. */
const MIXED = 0;
/** A longer number is refused: to work with it would take too long. py-ubjson writes the smallest doubles with some 760 digits. */
const MAX_DIGITS = 1024;
/** More digits are a double, as in JSON: 20 are enough for 64 bits. */
const INTEGER = /^-?\d{1,20}$/;

export class UbjsonReader extends BinaryReader {
  /** The type that all values of the list or dictionary share whose head was read last. */
  #type: number = MIXED;

  kind(): Kind {
    switch (this.#peekMark()) {
      case Mark.LIST:
        return this.bytes[this.at + 1] === Mark.TYPE && this.bytes[this.at + 2] === Mark.UINT8 ? 'bytes' : 'list';
      case Mark.DICT:
        return 'dict';
      case Mark.STRING:
      case Mark.CHAR:
        return 'text';
      case Mark.FLOAT32:
      case Mark.FLOAT64:
      case Mark.HIGH_PRECISION:
        return 'float';
      default:
        return 'other';
    }
  }

  /** Of a list whose values have marks of their own: so is every message. */
  listHead(): number {
    if (this.#mark() !== Mark.LIST) throw new ProtocolViolation('found something else where a list must be');
    const count = this.#count();
    if (this.#type !== MIXED) throw new ProtocolViolation('found a list of one type where WAMP has several');
    return count;
  }

  dictHead(): number {
    if (this.#mark() !== Mark.DICT) throw new ProtocolViolation('found something else where a dictionary must be');
    return this.#count();
  }

  atEndMark(): boolean {
    return this.#ends(Mark.LIST_END);
  }

  override skipList(depth: number): number {
    this.#mark();
    return this.#skipList(depth);
  }

  override skipDict(depth: number): number {
    const count = this.dictHead();
    return this.#skipEntries(count, this.#type, depth);
  }

  value(depth: number): unknown {
    return this.#valueOf(this.#mark(), depth);
  }

  pass(to: ValueSink, depth: number): void {
    this.#passOf(this.#mark(), to, depth);
  }

  skip(depth: number): void {
    this.#skipOf(this.#mark(), depth);
  }

  #valueOf(mark: number, depth: number): unknown {
    switch (mark) {
      case Mark.STRING:
        return this.text(this.#length());
      case Mark.CHAR:
        return this.#char();
      case Mark.LIST:
        return this.#listOf(depth);
      case Mark.DICT:
        return this.#dictOf(depth);
      case Mark.HIGH_PRECISION:
        return this.#highPrecision();
      default:
        return this.#scalar(mark);
    }
  }

  #passOf(mark: number, to: ValueSink, depth: number): void {
    switch (mark) {
      case Mark.STRING:
        return this.passText(to, this.#length());
      case Mark.CHAR: {
        const char = this.#char();
        return to.utf8(this.bytes, this.at - char.length, this.at);
      }
      case Mark.LIST:
        return this.#passList(to, depth);
      case Mark.DICT:
        return this.#passDict(to, depth);
      case Mark.HIGH_PRECISION: {
        const start = this.at;
        const number = this.#highPrecision();
        this.steps.take(Cost.BIG + this.at - start);
        return to.leaf(number);
      }
      case Mark.FLOAT32:
      case Mark.FLOAT64:
        this.steps.take(Cost.UNCOMMON);
        return to.leaf(this.#scalar(mark));
      default:
        return to.leaf(this.#scalar(mark));
    }
  }

  #skipOf(mark: number, depth: number): void {
    switch (mark) {
      case Mark.STRING:
        this.checkText(this.#length());
        return;
      case Mark.CHAR:
        this.#char();
        return;
      case Mark.LIST:
        this.#skipList(depth);
        return;
      case Mark.DICT: {
        const count = this.#count();
        this.#skipEntries(count, this.#type, depth);
        return;
      }
      case Mark.HIGH_PRECISION:
        this.#checkNumber();
        return;
      default:
        this.take(sizeOf(mark));
    }
  }

  #scalar(mark: number): unknown {
    switch (mark) {
      case Mark.NULL:
        return null;
      case Mark.TRUE:
        return true;
      case Mark.FALSE:
        return false;
      case Mark.UINT8:
        return this.byte();
      case Mark.INT8:
        return this.bytes.readInt8(this.take(1));
      case Mark.INT16:
        return this.bytes.readInt16BE(this.take(2));
      case Mark.INT32:
        return this.bytes.readInt32BE(this.take(4));
      case Mark.INT64:
        return this.int64();
      case Mark.FLOAT32:
        return this.bytes.readFloatBE(this.take(4));
      case Mark.FLOAT64:
        return this.bytes.readDoubleBE(this.take(8));
      default:
        throw meaningless();
    }
  }

  #listOf(depth: number): unknown {
    const count = this.#count();
    const type = this.#type;
    if (type === MIXED) return this.list(count, depth);
    if (type === Mark.UINT8) return this.slice(count);
    this.#enter(count, 1, depth);
    const list: unknown[] = [];
    for (let index = 0; index < count; index++) list.push(this.#valueOf(type, depth + 1));
    return list;
  }

  #passList(to: ValueSink, depth: number): void {
    const count = this.#count();
    const type = this.#type;
    if (type === MIXED) return this.passList(to, count, depth);
    if (type === Mark.UINT8) return this.passBytes(to, count);
    this.#enter(count, 1, depth);
    const opened = to.openList();
    for (let index = 0; index < count; index++) {
      this.steps.take(1);
      this.#passOf(type, to, depth + 1);
      to.endItem();
    }
    to.closeList(opened, count);
  }

  /** Passes over a list behind its mark. @returns how many elements it has. */
  #skipList(depth: number): number {
    const count = this.#count();
    const type = this.#type;
    if (type === MIXED) return this.skipItems(count, 1, depth);
    if (type !== Mark.UINT8) this.#enter(count, 1, depth);
    const size = sizes.get(type);
    if (size !== undefined) this.take(count * size);
    else for (let index = 0; index < count; index++) this.#skipOf(type, depth + 1);
    return count;
  }

  #dictOf(depth: number): Record<string, unknown> {
    const count = this.#count();
    const type = this.#type;
    this.#enter(count, 2, depth);
    const dict: Record<string, unknown> = {};
    for (let index = 0; this.#hasEntry(count, index); index++) {
      const key = this.text(this.#length());
      const value = type === MIXED ? this.value(depth + 1) : this.#valueOf(type, depth + 1);
      // As in the other formats: an option that is null is absent.
      if (value === null && this.strictKeys && depth === 0) continue;
      define(dict, key, value);
    }
    return dict;
  }

  #passDict(to: ValueSink, depth: number): void {
    const count = this.#count();
    const type = this.#type;
    this.#enter(count, 2, depth);
    const dict = to.openDict(depth);
    for (let index = 0; this.#hasEntry(count, index); index++) {
      this.steps.take(1 + (dict.isLarge ? Cost.KEY_OF_MANY : Cost.KEY));
      to.startEntry(dict);
      this.passText(to, this.#length());
      to.endKey(dict);
      if (type === MIXED) this.pass(to, depth + 1);
      else this.#passOf(type, to, depth + 1);
      to.endItem();
    }
    to.closeDict(dict);
  }

  #skipEntries(count: number, type: number, depth: number): number {
    this.#enter(count, 2, depth);
    let index = 0;
    for (; this.#hasEntry(count, index); index++) {
      this.checkText(this.#length());
      if (type === MIXED) this.skip(depth + 1);
      else this.#skipOf(type, depth + 1);
    }
    return index;
  }

  #hasEntry(count: number, index: number): boolean {
    return count === OPEN ? !this.#ends(Mark.DICT_END) : index < count;
  }

  #ends(mark: number): boolean {
    if (this.#peekMark() !== mark) return false;
    this.at++;
    return true;
  }

  /** Reads what may stand between `[` or `{` and the first value. @returns the number of values, or {@link OPEN}. */
  #count(): number {
    this.#type = MIXED;
    const first = this.bytes[this.at];
    if (first === Mark.TYPE) {
      this.at++;
      const type = this.byte();
      // Values without bytes would make a list of any length of a few bytes.
      if (!isType(type)) throw new ProtocolViolation('found a list of a type that WAMP has no use for');
      if (this.byte() !== Mark.COUNT) throw new ProtocolViolation('found a list of one type without a count');
      const count = this.#length();
      this.#type = type;
      return count;
    }
    if (first !== Mark.COUNT) return OPEN;
    this.at++;
    return this.#length();
  }

  /** The length of a string, or a count: an integer of any type. */
  #length(): number {
    const mark = this.byte();
    if (mark === Mark.UINT8) return this.byte();
    const length = isInteger(mark) ? Number(this.#scalar(mark)) : -1;
    if (length < 0) throw new ProtocolViolation('found something else where a length must be');
    return length;
  }

  #char(): string {
    const code = this.byte();
    if (code > 127) throw new ProtocolViolation('a character is not ASCII');
    return String.fromCharCode(code);
  }

  #highPrecision(): number | bigint {
    const start = this.#checkNumber();
    const text = this.bytes.toString('latin1', start, this.at);
    const number = Number(text);
    return Number.isSafeInteger(number) || !INTEGER.test(text) ? number : BigInt(text);
  }

  /** Passes over a number in digits, as JSON has them. @returns where they start. */
  #checkNumber(): number {
    const length = this.#length();
    if (length > MAX_DIGITS) throw new ProtocolViolation(`a number has more than ${MAX_DIGITS} digits`);
    const start = this.take(length);
    if (!isNumberText(this.bytes, start, this.at)) {
      throw new ProtocolViolation('found something else where a number must be');
    }
    return start;
  }

  /** Looks at the next mark that is no no-op. */
  #peekMark(): number {
    let mark = this.peek();
    while (mark === Mark.NO_OP) {
      this.at++;
      mark = this.peek();
    }
    return mark;
  }

  #mark(): number {
    const mark = this.#peekMark();
    this.at++;
    return mark;
  }

  /** Every value takes a byte at least, and so does the length of every key. */
  #enter(count: number, bytesEach: number, depth: number): void {
    this.enter(depth);
    if (count * bytesEach > this.bytes.length - this.at) throw new ProtocolViolation('the message ends too early');
  }
}

/** mark -> bytes of a value behind it. */
const sizes = new Map<number, number>([
  [Mark.INT8, 1],
  [Mark.UINT8, 1],
  [Mark.INT16, 2],
  [Mark.INT32, 4],
  [Mark.INT64, 8],
  [Mark.FLOAT32, 4],
  [Mark.FLOAT64, 8],
]);

function sizeOf(mark: number): number {
  if (mark === Mark.NULL || mark === Mark.TRUE || mark === Mark.FALSE) return 0;
  const size = sizes.get(mark);
  if (size === undefined) throw meaningless();
  return size;
}

/** Whether all values of a list may be of this type. */
function isType(mark: number): boolean {
  return sizes.has(mark) || OTHER_TYPES.has(mark);
}

const OTHER_TYPES: ReadonlySet<number> = new Set([Mark.HIGH_PRECISION, Mark.CHAR, Mark.STRING, Mark.LIST, Mark.DICT]);

function isInteger(mark: number): boolean {
  return mark === Mark.INT8 || mark === Mark.INT16 || mark === Mark.INT32 || mark === Mark.INT64;
}

function meaningless(): ProtocolViolation {
  return new ProtocolViolation('found bytes that have no meaning in UBJSON');
}
