/**
 * MessagePack (`wamp.2.msgpack`, specification version 5: `str` and `bin` are different things).
 *
 * Extension types pass unchanged between MessagePack peers; in other formats they become the byte string of their data.
 */
import { ProtocolViolation } from '../wamp/error.js';
import { BinaryReader } from './binary-reader.js';
import { BinaryWriter } from './binary-writer.js';
import { BinaryFormat } from './binary.js';
import { Cost } from './value-sink.js';
import type { Kind } from './binary-reader.js';
import type { SerializerType } from './serializer.js';
import type { ValueSink } from './value-sink.js';

const UINT64_END = 2n ** 64n;
const INT64_START = -(2n ** 63n);

class MsgpackReader extends BinaryReader {
  kind(): Kind {
    const mark = this.peek();
    if (mark >= 0x80 && mark < 0x90) return 'dict';
    if (mark >= 0x90 && mark < 0xa0) return 'list';
    if (mark >= 0xa0 && mark < 0xc0) return 'text';
    if (mark >= 0xc4 && mark <= 0xc6) return 'bytes';
    if (mark === 0xca || mark === 0xcb) return 'float';
    if (mark >= 0xd9 && mark <= 0xdb) return 'text';
    if (mark === 0xdc || mark === 0xdd) return 'list';
    return mark === 0xde || mark === 0xdf ? 'dict' : 'other';
  }

  listHead(): number {
    const mark = this.byte();
    if (mark >= 0x90 && mark < 0xa0) return mark & 0x0f;
    if (mark === 0xdc) return this.uint16();
    if (mark === 0xdd) return this.uint32();
    throw new ProtocolViolation('found something else where a list must be');
  }

  dictHead(): number {
    const mark = this.byte();
    if (mark >= 0x80 && mark < 0x90) return mark & 0x0f;
    if (mark === 0xde) return this.uint16();
    if (mark === 0xdf) return this.uint32();
    throw new ProtocolViolation('found something else where a dictionary must be');
  }

  atEndMark(): boolean {
    return false;
  }

  value(depth: number): unknown {
    const mark = this.byte();
    if (mark < 0x80) return mark;
    if (mark >= 0xe0) return mark - 256;
    if (mark < 0x90) return this.dict(mark & 0x0f, depth);
    if (mark < 0xa0) return this.list(mark & 0x0f, depth);
    if (mark < 0xc0) return this.text(mark & 0x1f);
    return this.#long(mark, depth);
  }

  pass(to: ValueSink, depth: number): void {
    const mark = this.byte();
    if (mark < 0x80) to.integer(mark);
    else if (mark >= 0xe0) to.integer(mark - 256);
    else if (mark < 0x90) this.passDict(to, mark & 0x0f, depth);
    else if (mark < 0xa0) this.passList(to, mark & 0x0f, depth);
    else if (mark < 0xc0) this.passText(to, mark & 0x1f);
    else if (mark >= 0xde) this.passDict(to, this.#length(mark - 0xdd), depth);
    else if (mark >= 0xdc) this.passList(to, this.#length(mark - 0xdb), depth);
    else if (mark >= 0xd9) this.passText(to, this.#length(mark - 0xd9));
    else if (mark >= 0xc4 && mark <= 0xc6) this.passBytes(to, this.#length(mark - 0xc4));
    else this.#passLeaf(to, mark, depth);
  }

  #passLeaf(to: ValueSink, mark: number, depth: number): void {
    if (mark > 0xc3) this.steps.take(Cost.UNCOMMON);
    to.leaf(this.#long(mark, depth));
  }

  skip(depth: number): void {
    const mark = this.byte();
    if (mark < 0x80 || mark >= 0xe0) return;
    if (mark < 0x90) this.skipItems(mark & 0x0f, 2, depth);
    else if (mark < 0xa0) this.skipItems(mark & 0x0f, 1, depth);
    else if (mark < 0xc0) this.checkText(mark & 0x1f);
    else this.#skipLong(mark, depth);
  }

  /** A value whose kind takes the whole mark. */
  #long(mark: number, depth: number): unknown {
    switch (mark) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.slice(this.#length(mark - 0xc4));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#length(mark - 0xc7));
      case 0xca:
        return this.bytes.readFloatBE(this.take(4));
      case 0xcb:
        return this.bytes.readDoubleBE(this.take(8));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (mark - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.text(this.#length(mark - 0xd9));
      case 0xdc:
      case 0xdd:
        return this.list(this.#length(mark - 0xdb), depth);
      case 0xde:
      case 0xdf:
        return this.dict(this.#length(mark - 0xdd), depth);
      default:
        return this.#integer(mark);
    }
  }

  #integer(mark: number): number | bigint {
    switch (mark) {
      case 0xcc:
        return this.byte();
      case 0xcd:
        return this.uint16();
      case 0xce:
        return this.uint32();
      case 0xcf:
        return this.uint64();
      case 0xd0:
        return this.bytes.readInt8(this.take(1));
      case 0xd1:
        return this.bytes.readInt16BE(this.take(2));
      case 0xd2:
        return this.bytes.readInt32BE(this.take(4));
      case 0xd3:
        return this.int64();
      default:
        throw new ProtocolViolation('byte c1 has no meaning in MessagePack');
    }
  }

  #skipLong(mark: number, depth: number): void {
    if (mark >= 0xd9 && mark <= 0xdb) this.checkText(this.#length(mark - 0xd9));
    else if (mark >= 0xde) this.skipItems(this.#length(mark - 0xdd), 2, depth);
    else if (mark >= 0xdc) this.skipItems(this.#length(mark - 0xdb), 1, depth);
    else if (mark >= 0xc4 && mark <= 0xc6) this.take(this.#length(mark - 0xc4));
    else if (mark >= 0xc7 && mark <= 0xc9) this.take(this.#length(mark - 0xc7) + 1);
    else if (mark >= 0xd4) this.take((1 << (mark - 0xd4)) + 1);
    else this.#skipScalar(mark);
  }

  #skipScalar(mark: number): void {
    if (mark === 0xca) this.take(4);
    else if (mark === 0xcb) this.take(8);
    else if (mark >= 0xd0) this.take(1 << (mark - 0xd0));
    else if (mark >= 0xcc) this.take(1 << (mark - 0xcc));
    else if (mark === 0xc1) throw new ProtocolViolation('byte c1 has no meaning in MessagePack');
  }

  /** @param width 0, 1, 2: the length takes 1, 2, 4 bytes. */
  #length(width: number): number {
    if (width === 0) return this.byte();
    return width === 1 ? this.uint16() : this.uint32();
  }

  /** The type is dropped: no other format could carry it. `d4 00 00` is how msgpackr, and so wampy, writes undefined. */
  #extension(length: number): Buffer | null {
    const type = this.byte();
    const data = this.slice(length);
    return type === 0 && length === 1 && data[0] === 0 ? null : data;
  }
}

class MsgpackWriter extends BinaryWriter {
  integer(value: number): void {
    if (value < 0) this.#negative(value);
    else if (value < 0x80) this.byte(value);
    else if (value < 0x100) this.head8(0xcc, value);
    else if (value < 0x1_0000) this.head16(0xcd, value);
    else if (value < 0x1_0000_0000) this.head32(0xce, value);
    else this.head64(0xcf, value);
  }

  listHead(count: number): void {
    if (count < 16) this.byte(0x90 + count);
    else if (count < 0x1_0000) this.head16(0xdc, count);
    else this.head32(0xdd, count);
  }

  protected dictHead(count: number): void {
    if (count < 16) this.byte(0x80 + count);
    else if (count < 0x1_0000) this.head16(0xde, count);
    else this.head32(0xdf, count);
  }

  protected textHead(bytes: number): void {
    if (bytes < 32) this.byte(0xa0 + bytes);
    else if (bytes < 0x100) this.head8(0xd9, bytes);
    else if (bytes < 0x1_0000) this.head16(0xda, bytes);
    else this.head32(0xdb, bytes);
  }

  protected bytesHead(bytes: number): void {
    if (bytes < 0x100) this.head8(0xc4, bytes);
    else if (bytes < 0x1_0000) this.head16(0xc5, bytes);
    else this.head32(0xc6, bytes);
  }

  /** What is too large for 64 bits comes as close as a double can. */
  protected bigInteger(value: bigint): void {
    if (value >= 0n && value < UINT64_END) this.headBig64(0xcf, value);
    else if (value < 0n && value >= INT64_START) this.headBig64(0xd3, value);
    else this.double(Number(value));
  }

  protected double(value: number): void {
    this.headDouble(0xcb, value);
  }

  protected nil(): void {
    this.byte(0xc0);
  }

  protected boolean(value: boolean): void {
    this.byte(value ? 0xc3 : 0xc2);
  }

  #negative(value: number): void {
    if (value >= -32) this.byte(value + 256);
    else if (value >= -0x80) this.head8(0xd0, value);
    else if (value >= -0x8000) this.head16(0xd1, value);
    else if (value >= -0x8000_0000) this.head32(0xd2, value);
    else this.head64(0xd3, value);
  }
}

const msgpack = new BinaryFormat('msgpack', (bytes) => new MsgpackReader(bytes), new MsgpackWriter());

export const msgpackSerializer = msgpack.serializer();

/** The config word `msgpack`. */
export const msgpackType: SerializerType = {
  single: msgpackSerializer,
  batched: msgpack.batchedSerializer(),
  rawSocketId: 2,
};
