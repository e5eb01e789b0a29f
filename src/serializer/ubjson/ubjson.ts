/**
 * UBJSON (`wamp.2.ubjson`, draft 12), as py-ubjson and so Autobahn speak it: byte strings are lists of the type `uint8`. Lists and
 * dictionaries are written with a count. NaN and the infinities are null.
 */
import { BinaryFormat } from '../binary.js';
import { BinaryWriter } from '../binary-writer.js';
import { Mark } from './marks.js';
import { UbjsonReader } from './reader.js';
import type { OpenDict } from '../open-dict.js';
import type { SerializerType } from '../serializer.js';
import type { Dict } from '../../wamp/payload.js';

const INT64_END = 2n ** 63n;

class UbjsonWriter extends BinaryWriter {
  /** A key is being written: it has no mark. */
  #isKey = false;

  integer(value: number): void {
    if (value >= 0 && value < 0x100) this.head8(Mark.UINT8, value);
    else if (value < 0 && value >= -0x80) this.head8(Mark.INT8, value);
    else if (value >= -0x8000 && value < 0x8000) this.head16(Mark.INT16, value);
    else if (value >= -0x8000_0000 && value < 0x8000_0000) this.head32(Mark.INT32, value);
    else this.head64(Mark.INT64, value);
  }

  listHead(count: number): void {
    this.#mark(Mark.LIST);
    this.#mark(Mark.COUNT);
    this.integer(count);
  }

  /** Members that are undefined are left out, as in JSON. */
  override dict(dict: Dict, depth = 1): void {
    const keys = Object.keys(dict).filter((key) => dict[key] !== undefined);
    this.dictHead(keys.length);
    for (const key of keys) {
      this.#isKey = true;
      this.text(key);
      this.#isKey = false;
      this.value(dict[key], depth);
    }
  }

  override startEntry(dict: OpenDict): void {
    super.startEntry(dict);
    this.#isKey = true;
  }

  override endKey(dict: OpenDict): void {
    super.endKey(dict);
    this.#isKey = false;
  }

  /** What was being written when a translation was given up does not count. */
  override reset(): void {
    super.reset();
    this.#isKey = false;
  }

  protected dictHead(count: number): void {
    this.#mark(Mark.DICT);
    this.#mark(Mark.COUNT);
    this.integer(count);
  }

  protected textHead(bytes: number): void {
    if (!this.#isKey) this.#mark(Mark.STRING);
    this.integer(bytes);
  }

  protected bytesHead(bytes: number): void {
    for (const mark of [Mark.LIST, Mark.TYPE, Mark.UINT8, Mark.COUNT]) this.#mark(mark);
    this.integer(bytes);
  }

  protected bigInteger(value: bigint): void {
    if (value < INT64_END && value >= -INT64_END) return this.headBig64(Mark.INT64, value);
    const digits = value.toString();
    this.#mark(Mark.HIGH_PRECISION);
    this.integer(digits.length);
    this.ascii(digits);
  }

  protected double(value: number): void {
    if (Number.isFinite(value)) this.headDouble(Mark.FLOAT64, value);
    else this.nil();
  }

  protected nil(): void {
    this.#mark(Mark.NULL);
  }

  protected boolean(value: boolean): void {
    this.#mark(value ? Mark.TRUE : Mark.FALSE);
  }

  #mark(mark: number): void {
    this.byte(mark);
  }
}

const ubjson = new BinaryFormat('ubjson', (bytes) => new UbjsonReader(bytes), new UbjsonWriter());

export const ubjsonSerializer = ubjson.serializer();

/** The config word `ubjson`. */
export const ubjsonType: SerializerType = {
  single: ubjsonSerializer,
  batched: ubjson.batchedSerializer(),
  rawSocketId: 4,
};
