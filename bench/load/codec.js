/**
 * How the load generator writes and reads WAMP messages: JSON, MessagePack and CBOR.
 *
 * Whole messages go through the usual packages. For calls, where every message is of one shape, these would make the
 * generator slower than a router: there a message is encoded once, and then its request id and its payload's number are
 * put in place (`PreparedMessage`), or read from where they must be (`readEnvelope`).
 */
import { Encoder, decode as decodeMsgpack } from '@msgpack/msgpack';
import { decode as decodeCbor, encode as encodeCbor } from 'cborg';

const msgpackEncoder = new Encoder();

/**
 * @typedef {object} Codec
 * @property {string} subprotocol
 * @property {boolean} binary
 * @property {(message: unknown) => string | Uint8Array} encode
 * @property {(bytes: Buffer, start: number, end: number) => any} decode
 * @property {{ list: number, marks: number }} [binaryForm] the first byte of an empty list; the mark of an integer in one byte,
 *   followed by those of two, four and eight
 */

/** @type {Record<'json' | 'msgpack' | 'cbor', Codec>} */
export const CODECS = {
  json: {
    subprotocol: 'wamp.2.json',
    binary: false,
    encode: (message) => JSON.stringify(message),
    decode: (bytes, start, end) => JSON.parse(bytes.toString('utf8', start, end)),
  },
  msgpack: {
    subprotocol: 'wamp.2.msgpack',
    binary: true,
    encode: (message) => msgpackEncoder.encode(message),
    decode: (bytes, start, end) => decodeMsgpack(bytes.subarray(start, end)),
    binaryForm: { list: 0x90, marks: 0xcc },
  },
  cbor: {
    subprotocol: 'wamp.2.cbor',
    binary: true,
    encode: (message) => encodeCbor(message),
    decode: (bytes, start, end) => decodeCbor(bytes.subarray(start, end)),
    binaryForm: { list: 0x80, marks: 0x18 },
  },
};

/** Stands in a prepared message where the request id goes: four bytes in both binary formats. */
const ID_PLACE = 0x7b_5a_39_18;

/** A binary message whose bytes are all known, but for a request id and the number of its payload. */
export class PreparedMessage {
  #bytes;
  #idAt;
  #numberAt;
  #digits;

  /**
   * @param {Codec} codec
   * @param {(requestId: number, payload: string) => unknown} build
   * @param {import('./sequence.js').Payloads} payloads
   */
  constructor(codec, build, payloads) {
    const zero = payloads.build(0);
    this.#bytes = Buffer.from(codec.encode(build(ID_PLACE, zero)));
    const place = Buffer.alloc(4);
    place.writeUInt32BE(ID_PLACE);
    this.#idAt = this.#bytes.indexOf(place);
    this.#numberAt = this.#bytes.lastIndexOf(zero);
    this.#digits = payloads.digits;
  }

  /**
   * @param {number} requestId
   * @param {number} number
   * @returns {Buffer} valid until the next call
   */
  fill(requestId, number) {
    this.#bytes.writeUInt32BE(requestId, this.#idAt);
    let rest = number;
    for (let at = this.#numberAt + this.#digits - 1; at >= this.#numberAt; at--) {
      this.#bytes[at] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    return this.#bytes;
  }
}

/** Reads `[type, requestId, ..., [payload]]` where the payload is one of ours, without decoding it. */
export class EnvelopeReader {
  type = 0;
  requestId = 0;
  number = 0;
  #form;
  /** The Arguments as they must be, with the number 0. */
  #tail;
  #numberAt;
  #digits;
  #at = 0;

  /**
   * @param {Codec} codec
   * @param {import('./sequence.js').Payloads} payloads
   */
  constructor(codec, payloads) {
    this.#form = codec.binaryForm ?? { list: 0, marks: 0 };
    this.#tail = Buffer.from(codec.encode([payloads.build(0)]));
    this.#numberAt = this.#tail.length - payloads.build(0).length;
    this.#digits = payloads.digits;
  }

  /**
   * @param {Buffer} bytes
   * @param {number} start
   * @param {number} end
   * @returns {boolean} whether it is such a message; then the fields of this object have it
   */
  read(bytes, start, end) {
    const tailAt = end - this.#tail.length;
    const digitsAt = tailAt + this.#numberAt;
    const digitsEnd = digitsAt + this.#digits;
    if (tailAt < start || ((bytes[start] ?? 0) & 0xf0) !== this.#form.list) return false;
    if (this.#tail.compare(bytes, tailAt, digitsAt, 0, this.#numberAt) !== 0) return false;
    if (this.#tail.compare(bytes, digitsEnd, end, this.#numberAt + this.#digits) !== 0) return false;
    this.#at = start + 1;
    this.type = this.#integer(bytes);
    this.requestId = this.#integer(bytes);
    this.number = 0;
    for (let at = digitsAt; at < digitsEnd; at++) this.number = this.number * 10 + (bytes[at] ?? 0) - 0x30;
    return this.#at <= tailAt;
  }

  /** @param {Buffer} bytes */
  #integer(bytes) {
    const mark = bytes[this.#at++] ?? 0;
    const width = mark - this.#form.marks;
    if (width < 0 || width > 3) return mark;
    const at = this.#at;
    this.#at += 1 << width;
    if (width === 0) return bytes.readUInt8(at);
    if (width === 1) return bytes.readUInt16BE(at);
    return width === 2 ? bytes.readUInt32BE(at) : Number(bytes.readBigUInt64BE(at));
  }
}
