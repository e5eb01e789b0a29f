/**
 * The serializers of WAMP as the clients of the tests speak them: {@link FORMATS}, and byte strings that are
 * `{ $bin: hex }` in the values of a test. In JSON those travel as NUL and Base64.
 */
import { FORMATS, mapScalars } from './formats.js';
import type { Format } from './formats.js';

/** The serializers that a node speaks unless its config says otherwise. */
export type SerializerName = 'json' | 'msgpack' | 'cbor';

export type AnySerializerName = SerializerName | 'ubjson';

/** Turns WAMP messages (arrays) into what travels in one frame, and back. */
export interface Codec {
  readonly name: AnySerializerName;
  /** Frames are WebSocket binary messages. */
  readonly isBinary: boolean;
  /** The octet that asks for it in a RawSocket handshake. */
  readonly rawSocketId: number;
  encode(message: readonly unknown[]): Buffer;
  decode(bytes: Buffer): unknown[];
}

const isBin = (value: object): value is { readonly $bin: unknown } => '$bin' in value;
const bin = (bytes: Uint8Array): object => ({ $bin: Buffer.from(bytes).toString('hex') });

function toBinaryLeaf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && isBin(value) ? Buffer.from(String(value.$bin), 'hex') : value;
}

function fromBinaryLeaf(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return value instanceof Uint8Array ? bin(value) : value;
}

function toJsonLeaf(value: unknown): unknown {
  const bytes = toBinaryLeaf(value);
  return Buffer.isBuffer(bytes) ? `\0${bytes.toString('base64')}` : bytes;
}

function fromJsonLeaf(value: unknown): unknown {
  return typeof value === 'string' && value.startsWith('\0') ? bin(Buffer.from(value.slice(1), 'base64')) : value;
}

const RAWSOCKET_IDS: Readonly<Record<AnySerializerName, number>> = { json: 1, msgpack: 2, cbor: 3, ubjson: 4 };

function codecOf({ type, write, read }: Format): Codec {
  const isBinary = type !== 'json';
  const [toLeaf, fromLeaf] = isBinary ? [toBinaryLeaf, fromBinaryLeaf] : [toJsonLeaf, fromJsonLeaf];
  return {
    name: type,
    isBinary,
    rawSocketId: RAWSOCKET_IDS[type],
    encode: (message) => write(mapScalars(message, toLeaf, isBin)),
    decode: (bytes) => mapScalars(read(bytes), fromLeaf) as unknown[],
  };
}

export const CODECS = Object.fromEntries(FORMATS.map((format) => [format.type, codecOf(format)])) as Readonly<
  Record<AnySerializerName, Codec>
>;

/** What ends a message in a batch of JSON messages. */
const RECORD_SEPARATOR = Buffer.from([0x1e]);

/** A batch of the `.batched` subprotocols: JSON messages end with a separator, binary ones begin with their length. */
export function joinBatch(codec: Codec, messages: readonly (readonly unknown[])[]): Buffer {
  return Buffer.concat(messages.map((message) => inBatch(codec, codec.encode(message))));
}

/** The octets of one message, right or wrong, as they stand in a batch. */
export function inBatch(codec: Codec, bytes: Buffer): Buffer {
  if (!codec.isBinary) return Buffer.concat([bytes, RECORD_SEPARATOR]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** The messages of a batch. @throws when it does not end where a message ends. */
export function splitBatch(codec: Codec, batch: Buffer): readonly Buffer[] {
  const messages: Buffer[] = [];
  let start = 0;
  while (start < batch.length) {
    const begin = codec.isBinary ? start + 4 : start;
    const end = codec.isBinary ? begin + batch.readUInt32BE(start) : batch.indexOf(RECORD_SEPARATOR, begin);
    if (end < begin || end > batch.length) throw new Error(`unfinished message at octet ${start} of a batch`);
    messages.push(batch.subarray(begin, end));
    start = codec.isBinary ? end : end + 1;
  }
  return messages;
}
