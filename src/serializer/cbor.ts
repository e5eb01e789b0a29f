/**
 * CBOR (`wamp.2.cbor`, RFC 8949). Lists, dictionaries and strings without a length in front are fine.
 *
 * Tags, `undefined` and simple values pass unchanged between CBOR peers. In other formats a big number is an integer (if
 * it is not absurdly long), any other tag vanishes and leaves its content, and what has no counterpart becomes null.
 */
import { ProtocolViolation } from '../wamp/error.js';
import { MAX_ID } from '../wamp/id.js';
import { BinaryFormat } from './binary.js';
import { BinaryReader, OPEN } from './binary-reader.js';
import { BinaryWriter } from './binary-writer.js';
import { Cost } from './value-sink.js';
import type { Kind } from './binary-reader.js';
import type { SerializerType } from './serializer.js';
import type { ValueSink } from './value-sink.js';

const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const LIST = 4;
const DICT = 5;
const TAG = 6;

/** The lower five bits of a mark. */
const ONE_BYTE = 24;
const TWO_BYTES = 25;
const FOUR_BYTES = 26;
const EIGHT_BYTES = 27;
const INDEFINITE = 31;

const BREAK = 0xff;
const BIG_POSITIVE = 2;
const BIG_NEGATIVE = 3;
/** Writing out a longer number in decimal would take too long; it stays a byte string. */
const MAX_BIG_BYTES = 128;
const NOTHING = Buffer.alloc(0);
const UINT64_END = 2n ** 64n;

class CborReader extends BinaryReader {
  kind(): Kind {
    const mark = this.peek();
    switch (mark >> 5) {
      case BYTES:
        return 'bytes';
      case TEXT:
        return 'text';
      case LIST:
        return 'list';
      case DICT:
        return 'dict';
      default:
        return mark >= 0xf9 && mark <= 0xfb ? 'float' : 'other';
    }
  }

  listHead(): number {
    const mark = this.byte();
    if (mark >> 5 !== LIST) throw new ProtocolViolation('found something else where a list must be');
    return this.#count(mark & 31);
  }

  dictHead(): number {
    const mark = this.byte();
    if (mark >> 5 !== DICT) throw new ProtocolViolation('found something else where a dictionary must be');
    return this.#count(mark & 31);
  }

  atEndMark(): boolean {
    if (this.peek() !== BREAK) return false;
    this.at++;
    return true;
  }

  value(depth: number): unknown {
    const mark = this.byte();
    const info = mark & 31;
    switch (mark >> 5) {
      case UNSIGNED:
        return info < ONE_BYTE ? info : this.#argument(info);
      case NEGATIVE:
        return minusOneMinus(this.#argument(info));
      case BYTES:
        return info === INDEFINITE ? this.#joined(BYTES) : this.slice(this.#length(info));
      case TEXT:
        return info === INDEFINITE ? this.#joined(TEXT).toString('utf8') : this.text(this.#length(info));
      case LIST:
        return this.list(this.#count(info), depth);
      case DICT:
        return this.dict(this.#count(info), depth);
      case TAG:
        return this.#tagged(info, depth);
      default:
        return this.#simple(mark);
    }
  }

  pass(to: ValueSink, depth: number): void {
    const mark = this.byte();
    const info = mark & 31;
    switch (mark >> 5) {
      case UNSIGNED:
        if (info < ONE_BYTE) return to.integer(info);
        return to.leaf(this.#argument(info));
      case NEGATIVE:
        return to.leaf(minusOneMinus(this.#argument(info)));
      case BYTES:
        if (info !== INDEFINITE) return this.passBytes(to, this.#length(info));
        return this.#passJoined(to, BYTES);
      case TEXT:
        if (info !== INDEFINITE) return this.passText(to, this.#length(info));
        return this.#passJoined(to, TEXT);
      case LIST:
        return this.passList(to, this.#count(info), depth);
      case DICT:
        return this.passDict(to, this.#count(info), depth);
      case TAG:
        return this.#passTagged(to, info, depth);
      default:
        if (mark >= 0xf9 && mark <= 0xfb) this.steps.take(Cost.UNCOMMON);
        return to.leaf(this.#simple(mark));
    }
  }

  skip(depth: number): void {
    const mark = this.byte();
    const info = mark & 31;
    switch (mark >> 5) {
      case UNSIGNED:
      case NEGATIVE:
        if (info >= ONE_BYTE) this.#skipArgument(info);
        return;
      case BYTES:
        if (info === INDEFINITE) this.#skipChunks(BYTES);
        else this.take(this.#length(info));
        return;
      case TEXT:
        if (info === INDEFINITE) this.#skipChunks(TEXT);
        else this.checkText(this.#length(info));
        return;
      case LIST:
        this.skipItems(this.#count(info), 1, depth);
        return;
      case DICT:
        this.skipItems(this.#count(info), 2, depth);
        return;
      case TAG:
        this.enter(depth);
        this.#skipArgument(info);
        return this.skip(depth + 1);
      default:
        this.#simple(mark);
    }
  }

  /** The number in a mark, or behind it. */
  #argument(info: number): number | bigint {
    if (info < ONE_BYTE) return info;
    switch (info) {
      case ONE_BYTE:
        return this.byte();
      case TWO_BYTES:
        return this.uint16();
      case FOUR_BYTES:
        return this.uint32();
      case EIGHT_BYTES:
        return this.uint64();
      default:
        throw new ProtocolViolation('found bytes that have no meaning in CBOR');
    }
  }

  #skipArgument(info: number): void {
    if (info < ONE_BYTE) return;
    if (info > EIGHT_BYTES) throw new ProtocolViolation('found bytes that have no meaning in CBOR');
    this.take(1 << (info - ONE_BYTE));
  }

  /** A length beyond 2^53 is as impossible as any other that is too large, and found out in the same place. */
  #length(info: number): number {
    return Number(this.#argument(info));
  }

  #count(info: number): number {
    return info === INDEFINITE ? OPEN : this.#length(info);
  }

  /** A string without a length in front. */
  #joined(major: number): Buffer {
    const start = this.at;
    const bytes = this.#skipChunks(major);
    if (bytes === 0) return NOTHING;
    const joined = Buffer.allocUnsafe(bytes);
    const end = this.at;
    this.at = start;
    this.#skipChunks(major, joined);
    this.at = end;
    return joined;
  }

  /**
   * Passes over the parts of a string without a length in front: strings of the same kind, each with its length. None of
   * them becomes an object of its own: there may be millions.
   * @param target where they are copied to.
   * @returns how many bytes they are together.
   */
  #skipChunks(major: number, target?: Buffer): number {
    let total = 0;
    while (!this.atEndMark()) {
      const mark = this.byte();
      if (mark >> 5 !== major || (mark & 31) === INDEFINITE) {
        throw new ProtocolViolation('found something else where a part of a string must be');
      }
      const length = this.#length(mark & 31);
      const start = this.at;
      if (major === TEXT) this.checkText(length);
      else this.take(length);
      if (target !== undefined) copyShort(this.bytes, start, this.at, target, total);
      total += length;
    }
    return total;
  }

  #tagged(info: number, depth: number): unknown {
    this.enter(depth);
    const tag = this.#argument(info);
    const content = this.value(depth + 1);
    return tag === BIG_POSITIVE || tag === BIG_NEGATIVE ? this.#big(tag, content) : content;
  }

  /** @returns the integer that a tag makes of a byte string; anything else, and what is absurdly long, as it is. */
  #big(tag: number, content: unknown): unknown {
    if (!(content instanceof Buffer) || content.length > MAX_BIG_BYTES) return content;
    // BigInts are dear, and most numbers need none.
    if (content.length > 6) {
      const big = BigInt(`0x${content.toString('hex')}`);
      return tag === BIG_POSITIVE ? big : -1n - big;
    }
    const number = content.length === 0 ? 0 : content.readUIntBE(0, content.length);
    return tag === BIG_POSITIVE ? number : -1 - number;
  }

  /** The innermost tag for big numbers decides about the byte string behind it; all other tags vanish. */
  #passTagged(to: ValueSink, info: number, depth: number): void {
    this.enter(depth);
    this.steps.take(1);
    const tag = this.#argument(info);
    const next = this.peek() >> 5;
    if ((tag !== BIG_POSITIVE && tag !== BIG_NEGATIVE) || (next !== BYTES && next !== TAG)) {
      return this.pass(to, depth + 1);
    }
    if (next === TAG && !this.#isTaggedBytes()) return this.pass(to, depth + 1);
    const content = this.value(depth + 1);
    const isLong = content instanceof Buffer && content.length > 6;
    this.steps.take(isLong ? Cost.BIG : 2);
    to.leaf(this.#big(tag, content));
  }

  /** Looks through the tags that stand here. @returns whether there is a byte string behind them. */
  #isTaggedBytes(): boolean {
    const start = this.at;
    let mark = this.byte();
    while (mark >> 5 === TAG) {
      this.#skipArgument(mark & 31);
      mark = this.byte();
    }
    this.at = start;
    return mark >> 5 === BYTES;
  }

  #passJoined(to: ValueSink, major: number): void {
    this.steps.take(2);
    const joined = this.#joined(major);
    if (major === TEXT) to.utf8(joined, 0, joined.length);
    else to.byteString(joined, 0, joined.length);
  }

  #simple(mark: number): unknown {
    switch (mark) {
      case 0xf4:
        return false;
      case 0xf5:
        return true;
      case 0xf8:
        // Values that fit into the mark must not be written longer.
        if (this.byte() < 32) throw new ProtocolViolation('found bytes that have no meaning in CBOR');
        return null;
      case 0xf9:
        return halfFloat(this.uint16());
      case 0xfa:
        return this.bytes.readFloatBE(this.take(4));
      case 0xfb:
        return this.bytes.readDoubleBE(this.take(8));
      default:
        if (mark > 0xfb) throw new ProtocolViolation('found bytes that have no meaning in CBOR');
        return null;
    }
  }
}

/** A part of a string has a few bytes: copied by hand, that is cheaper than a call into native code. */
function copyShort(from: Buffer, start: number, end: number, target: Buffer, at: number): void {
  if (end - start > 32) from.copy(target, at, start, end);
  else for (let index = start; index < end; index++) target[at + index - start] = from[index] as number;
}

function minusOneMinus(value: number | bigint): number | bigint {
  return typeof value === 'number' && value < MAX_ID ? -1 - value : -1n - BigInt(value);
}

/** RFC 8949, appendix D. */
function halfFloat(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (mantissa + 1024) * 2 ** (exponent - 25);
}

class CborWriter extends BinaryWriter {
  integer(value: number): void {
    if (value < 0) this.#head(NEGATIVE, -1 - value);
    else this.#head(UNSIGNED, value);
  }

  listHead(count: number): void {
    this.#head(LIST, count);
  }

  protected dictHead(count: number): void {
    this.#head(DICT, count);
  }

  protected textHead(bytes: number): void {
    this.#head(TEXT, bytes);
  }

  protected bytesHead(bytes: number): void {
    this.#head(BYTES, bytes);
  }

  /** What is too large for 64 bits comes as close as a double can: few clients understand the tag for more. */
  protected bigInteger(value: bigint): void {
    const negative = value < 0n;
    const size = negative ? -1n - value : value;
    if (size < UINT64_END) return this.headBig64(((negative ? NEGATIVE : UNSIGNED) << 5) | EIGHT_BYTES, size);
    this.double(Number(value));
  }

  protected double(value: number): void {
    this.headDouble(0xfb, value);
  }

  protected nil(): void {
    this.byte(0xf6);
  }

  protected boolean(value: boolean): void {
    this.byte(value ? 0xf5 : 0xf4);
  }

  #head(major: number, argument: number): void {
    const mark = major << 5;
    if (argument < ONE_BYTE) this.byte(mark | argument);
    else if (argument < 0x100) this.head8(mark | ONE_BYTE, argument);
    else if (argument < 0x1_0000) this.head16(mark | TWO_BYTES, argument);
    else if (argument < 0x1_0000_0000) this.head32(mark | FOUR_BYTES, argument);
    else this.head64(mark | EIGHT_BYTES, argument);
  }
}

const cbor = new BinaryFormat('cbor', (bytes) => new CborReader(bytes), new CborWriter());

export const cborSerializer = cbor.serializer();

/** The config word `cbor`. */
export const cborType: SerializerType = {
  single: cborSerializer,
  batched: cbor.batchedSerializer(),
  rawSocketId: 3,
};
