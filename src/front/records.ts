/**
 * What a front and its router say to each other, as bytes on one stream each way:
 *
 *     u32 length of what follows | u8 kind | u32 number of the connection | content
 *
 * Number 0 is the front itself. All others are given by the front when a client comes, and given again only when both ends have forgotten them ({@link Kind.FORGOTTEN}): a
 * record that is late never reaches a stranger. An event that goes to many connections of a front is one record with all their numbers,
 * and the frame that each of them gets as it is.
 *
 * What is written in one turn leaves in one piece (`RecordWriter`), and is read from whatever pieces it comes in (`RecordReader`).
 */
import { HEADER_BYTES, LENGTH_BYTES, writeNumber } from '../system/stream/record-reader.js';

/** The kinds of records. What comes from fronts is below 32. */
export const Kind = {
  /** A client wants to come in. Content: an `Entry`. */
  ENTER: 1,
  /** Its handshake is done. Content: an `Opening`. */
  OPENED: 2,
  /** A message of the client. */
  MESSAGE: 3,
  /** The client has broken the protocol below WAMP. Content: a text for it. */
  BROKEN: 4,
  /** The front refuses a message before it is complete. Content: an `Abort`. */
  ABORTED: 5,
  /** An event was dropped, because the client reads slowly. Content: a `Drop`. */
  DROPPED: 6,
  /** The connection is gone, or was never opened. Content: a `Loss`. */
  GONE: 7,
  /** The front lives. Content: a `Pulse`. */
  ALIVE: 8,
  /** A front is there. Content: a `Hello`. */
  HELLO: 9,
  /** It listens. Content: of which transport, and where. */
  LISTENING: 10,
  /** It cannot. Content: a text. */
  FAILED: 11,
  /** A line of its log. */
  LOG: 12,
  /** It listens everywhere. */
  READY: 13,
  /** The session of the client at another router has ended: it may say HELLO here again. */
  HOME: 14,

  /** The client may come in. Content: an `Admittance`. */
  ADMITTED: 32,
  /** It may not. Content: a `Refused`. */
  REFUSED: 33,
  /** A frame for the client. */
  FRAME: 34,
  /** An event for one. */
  EVENT: 35,
  /** An event for many: the number of them in the place of that of a connection, their numbers, the frame. */
  EVENTS: 36,
  /** So many more bytes of messages may come, u32. */
  CREDIT: 37,
  /** Where the session stands: a `Standing`. */
  STANDING: 38,
  /** Ends the connection in order. Content: an `End`. */
  CLOSE: 39,
  /** Ends it at once, with a word for the client: a text. */
  EVICT: 40,
  /** Cuts it. */
  CUT: 41,
  /** The number is free. */
  FORGOTTEN: 42,
  /** What the front is to do. Content: its config. */
  CONFIG: 43,
  /** The level of its log. Content: the word. */
  LEVEL: 44,
  /** The realm that the client asked for is with another router. Content: a `Move`. */
  MOVE: 45,
  /** The session of a client that came from another router has ended: it belongs there again. */
  RETURN: 46,
  /** A message of the client that is for the other router. */
  BACK: 47,
} as const;

/** Of one kind. */
export type Kind = (typeof Kind)[keyof typeof Kind];

const OF_FRONTS: readonly Kind[] = [
  ...[Kind.ENTER, Kind.OPENED, Kind.MESSAGE, Kind.BROKEN, Kind.ABORTED, Kind.DROPPED, Kind.GONE, Kind.ALIVE],
  Kind.HOME,
];
/** What a front may say. */
export const FRONT_KINDS: ReadonlySet<Kind> = new Set(OF_FRONTS);
/** What a router may say. */
export const ROUTER_KINDS: ReadonlySet<Kind> = new Set(Object.values(Kind).filter((kind) => !FRONT_KINDS.has(kind)));

const NUMBER_BYTES = 4;

/** What is written goes into blocks of so many bytes. A content that is larger than {@link COPIED_BYTES} stays where it is. */
const BLOCK_BYTES = 65_536;
const COPIED_BYTES = 16_384;

/** So many numbers of receivers go into a block at once. */
const NUMBERS_AT_ONCE = COPIED_BYTES / NUMBER_BYTES;
/** The room for receivers is kept for the next event, up to so many of them. */
const MAX_KEPT_RECEIVERS = 65_536;

const NO_BYTES = Buffer.alloc(0);

/** Puts records together. */
export class RecordWriter {
  #block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  /** What of the block was taken, and where it is written next. */
  #from = 0;
  #at = 0;
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** An event that may still go to more connections. */
  #event: Buffer | undefined;
  /** The numbers of those, of which the first so many count: emptied, an array would have to grow again. */
  #receivers: number[] = [];
  #receiverCount = 0;

  /** How much was written and not taken. */
  get bytes(): number {
    return this.#bytes;
  }

  record(kind: Kind, number: number, content: Buffer = NO_BYTES): void {
    this.#settle();
    this.#head(kind, number, content.length);
    this.#append(content);
  }

  /** @param value is written as JSON. */
  facts(kind: Kind, number: number, value: object): void {
    this.record(kind, number, Buffer.from(JSON.stringify(value)));
  }

  /** @param frame the same object for all who get the same event. */
  event(number: number, frame: Buffer): void {
    if (this.#event !== frame) {
      this.#settle();
      this.#event = frame;
    }
    this.#receivers[this.#receiverCount++] = number;
  }

  /** @returns what was written, in order, to be sent. */
  take(): readonly Buffer[] {
    this.#settle();
    this.#endPiece();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    return pieces;
  }

  #settle(): void {
    const frame = this.#event;
    if (frame === undefined) return;
    const receivers = this.#receivers;
    const count = this.#receiverCount;
    this.#event = undefined;
    this.#receiverCount = 0;
    if (count > MAX_KEPT_RECEIVERS) this.#receivers = [];
    if (count === 1) this.#head(Kind.EVENT, receivers[0] ?? 0, frame.length);
    else {
      this.#head(Kind.EVENTS, count, NUMBER_BYTES * count + frame.length);
      this.#numbers(receivers, count);
    }
    this.#append(frame);
  }

  #head(kind: Kind, number: number, contentBytes: number): void {
    const at = this.#room(HEADER_BYTES);
    const block = this.#block;
    writeNumber(block, at, HEADER_BYTES - LENGTH_BYTES + contentBytes);
    block[at + LENGTH_BYTES] = kind;
    writeNumber(block, at + LENGTH_BYTES + 1, number);
  }

  #numbers(numbers: readonly number[], count: number): void {
    for (let done = 0; done < count;) {
      const end = Math.min(count, done + NUMBERS_AT_ONCE);
      let at = this.#room(NUMBER_BYTES * (end - done));
      for (; done < end; done += 1, at += NUMBER_BYTES) writeNumber(this.#block, at, numbers[done] ?? 0);
    }
  }

  #append(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (bytes.length > COPIED_BYTES) {
      this.#endPiece();
      this.#pieces.push(bytes);
      this.#bytes += bytes.length;
      return;
    }
    const at = this.#room(bytes.length);
    this.#block.set(bytes, at);
  }

  /** @returns where so many bytes go. */
  #room(bytes: number): number {
    if (this.#at + bytes > BLOCK_BYTES) {
      this.#endPiece();
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      this.#from = 0;
      this.#at = 0;
    }
    const at = this.#at;
    this.#at += bytes;
    this.#bytes += bytes;
    return at;
  }

  #endPiece(): void {
    if (this.#at > this.#from) this.#pieces.push(this.#block.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }
}

/** @returns the connections of an {@link Kind.EVENTS} of so many, and the frame for them; undefined where the record is too short. */
export function eventsIn(
  count: number,
  content: Buffer,
): { readonly numbers: readonly number[]; readonly frame: Buffer } | undefined {
  const end = NUMBER_BYTES * count;
  if (content.length < end) return undefined;
  const numbers: number[] = [];
  for (let at = 0; at < end; at += NUMBER_BYTES) numbers.push(content.readUInt32LE(at));
  return { numbers, frame: content.subarray(end) };
}
