/**
 * Reads the first two elements of a message, its type and the id behind it, without looking at the rest: that is enough to see
 * whether it came too early (`order.ts`). Whether it is a message at all is found out later, so nothing here throws. Pure.
 */
import { CALL, CANCEL, PUBLISH, REGISTER, SUBSCRIBE, UNREGISTER, UNSUBSCRIBE } from '../../wamp/message.js';

/** Where a message stands. */
export interface Place {
  /** The type of the message. */
  readonly type: number;
  /** The id of a request; undefined for all that is none. CANCEL has that of its call. */
  readonly requestId: number | undefined;
}

/** Reads {@link Place}; undefined for what is no message, or cannot be told. */
export type PlaceReader = (bytes: Buffer) => Place | undefined;

const REQUESTS: ReadonlySet<number> = new Set([PUBLISH, SUBSCRIBE, UNSUBSCRIBE, CALL, CANCEL, REGISTER, UNREGISTER]);

const HEAD = /^[ \t\r\n]*\[[ \t\r\n]*(\d{1,3})(?:[ \t\r\n]*,[ \t\r\n]*(\d{1,16})(?=[ \t\r\n,\]]))?/;
/** Nobody writes so many spaces in front. */
const HEAD_BYTES = 64;

function jsonPlace(bytes: Buffer): Place | undefined {
  const [, type, id] = HEAD.exec(bytes.toString('latin1', 0, HEAD_BYTES)) ?? [];
  return type === undefined ? undefined : placeOf(Number(type), id === undefined ? undefined : Number(id));
}

function placeOf(type: number | undefined, id: number | undefined): Place | undefined {
  return type === undefined ? undefined : { type, requestId: REQUESTS.has(type) ? id : undefined };
}

/** An unsigned integer and where it ends. */
interface Read {
  readonly value: number;
  readonly end: number;
}

/** @param headEnd where the elements of the list begin. */
function binaryPlace(bytes: Buffer, headEnd: number, read: (bytes: Buffer, at: number) => Read | undefined) {
  const type = read(bytes, headEnd);
  if (type === undefined) return undefined;
  return placeOf(type.value, read(bytes, type.end)?.value);
}

/** @returns an integer of so many bytes; undefined where the message ends before. */
function unsigned(bytes: Buffer, at: number, size: number): Read | undefined {
  if (at + size > bytes.length) return undefined;
  const value = size === 8 ? Number(bytes.readBigUInt64BE(at)) : bytes.readUIntBE(at, size);
  return { value, end: at + size };
}

function msgpackPlace(bytes: Buffer): Place | undefined {
  const mark = bytes[0] ?? 0;
  const headEnd = mark >>> 4 === 9 ? 1 : ({ 0xdc: 3, 0xdd: 5 } as Readonly<Record<number, number>>)[mark];
  return headEnd === undefined ? undefined : binaryPlace(bytes, headEnd, readMsgpack);
}

/** Signed forms of a positive number are read, too. */
function readMsgpack(bytes: Buffer, at: number): Read | undefined {
  const mark = bytes[at];
  if (mark === undefined) return undefined;
  if (mark < 0x80) return { value: mark, end: at + 1 };
  if (mark >= 0xcc && mark <= 0xcf) return unsigned(bytes, at + 1, 1 << (mark - 0xcc));
  return mark >= 0xd0 && mark <= 0xd3 ? unsigned(bytes, at + 1, 1 << (mark - 0xd0)) : undefined;
}

const CBOR_UNSIGNED = 0;
const CBOR_LIST = 4;
const CBOR_OPEN_LIST = 0x9f;

function cborPlace(bytes: Buffer): Place | undefined {
  if (bytes[0] === CBOR_OPEN_LIST) return binaryPlace(bytes, 1, readCbor);
  const head = cborHead(bytes, 0, CBOR_LIST);
  return head === undefined ? undefined : binaryPlace(bytes, head.end, readCbor);
}

function readCbor(bytes: Buffer, at: number): Read | undefined {
  return cborHead(bytes, at, CBOR_UNSIGNED);
}

function cborHead(bytes: Buffer, at: number, major: number): Read | undefined {
  const mark = bytes[at];
  if (mark === undefined || mark >>> 5 !== major) return undefined;
  const short = mark & 0x1f;
  if (short < 24) return { value: short, end: at + 1 };
  return short <= 27 ? unsigned(bytes, at + 1, 1 << (short - 24)) : undefined;
}

/** config word of a serializer -> how the place of its messages is read; what comes in batches has its order already. */
const READERS: Readonly<Record<string, PlaceReader>> = { json: jsonPlace, msgpack: msgpackPlace, cbor: cborPlace };

const UNREADABLE: PlaceReader = () => undefined;

/** @param type of the serializer. */
export function placeReaderOf(type: string): PlaceReader {
  return READERS[type] ?? UNREADABLE;
}
