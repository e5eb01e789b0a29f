/**
 * The way out of one socket. Everything written in one turn of the event loop leaves in one piece and one system call: the
 * first frame puts the outbox on a list, and the end of the turn flushes all that are on it (`flusher.ts`). With eight
 * publications on their way to the same hundred subscribers that is a quarter of the work, and the piece is put together
 * only once: it is the same for all of them.
 *
 * It also holds the bounds on what may wait for a peer that does not read.
 */
import { LARGE_PAYLOAD_BYTES, LargeFrame, ownBytes } from '../../serializer/large-frame.js';
import type { Frame } from '../../serializer/serializer.js';
import { EventDrops } from './event-drops.js';
import { flusher } from './flusher.js';
import type { Flushable } from './flusher.js';
import { isTls } from '../peer.js';
import { turns } from '../fair-scheduler.js';
import { unsentMemory } from './unsent-memory.js';
import type { Arrears, Debtor } from './unsent-memory.js';

/** What may wait for one peer; the same object for all of a host. */
export interface UnsentLimits {
  /** How much may wait before another piece is refused. A single frame may be larger, and what is small may stand behind it. */
  readonly maxUnsentBytes: number;
  /** How much may wait before events are dropped; `maxUnsentBytes` where they never are. */
  readonly eventUnsentBytes: number;
}

/** What is written to: a socket, as far as it is seen here. */
export interface OutboxSocket {
  readonly writable: boolean;
  /** In bytes. */
  readonly writableLength: number;
  write(piece: Buffer): unknown;
  cork(): void;
  uncork(): void;
  /** All that waited has left. */
  once(event: 'drain', listener: () => void): unknown;
}

/** Whose socket it is. */
export interface OutboxOwner {
  /** All that waits to be sent; undefined where that is what waits in the socket. */
  readonly unsentBytes?: number | undefined;
  /** Too much waits: the peer has to be given up. `facts` say where the limit is, if it is not its own. */
  giveUp(facts?: Readonly<Record<string, unknown>>): void;
  /** An event was dropped. @param isFirst since the peer had been sent all that waited */
  eventDropped?(isFirst: boolean): void;
  /** Says something of the peer in the log. */
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/** Events may take one part of so many: the rest of the room is for what must not be dropped. */
const EVENT_SHARE = 4;

/** @param dropsEvents whether a slow peer loses events before it is given up. */
export function unsentLimits(maxUnsentBytes: number, dropsEvents: boolean): UnsentLimits {
  return { maxUnsentBytes, eventUnsentBytes: dropsEvents ? Math.floor(maxUnsentBytes / EVENT_SHARE) : maxUnsentBytes };
}

/** Larger pieces are not put together: to copy them would cost more than another system call. */
const MAX_PIECE_BYTES = 65_536;

/** What the system may take from us at once; of large events that much more may be due in one turn than may wait. */
const SYSTEM_BYTES = 4 * 1024 * 1024;

/** Where more than this waits, what comes will wait for long. */
const PATIENCE_BYTES = 16_384;

/**
 * One for each socket. {@link write} takes whole frames, the end of the turn sends them; {@link closed} comes last. Lengths
 * are bytes.
 */
export class Outbox implements Flushable, Debtor {
  readonly #socket: OutboxSocket;
  readonly #limits: UnsentLimits;
  readonly #owner: OutboxOwner;
  /** The frames of this turn; mostly there is one. */
  #first: Frame | undefined;
  #rest: Frame[] | undefined;
  /** Of those that are no large ones. */
  #bytes = 0;
  /** How many large ones there are, and their bytes. */
  #large = 0;
  #largeBytes = 0;
  /** The largest frame since nothing waited. */
  #largest = 0;
  /** More than events may take was waiting when something was sent last. */
  #isSlow = false;
  /** Made for the first event that is dropped. */
  #drops: EventDrops | undefined;
  /** Only while something waits that the system did not take. */
  #arrears: Arrears | undefined;

  constructor(socket: OutboxSocket, limits: UnsentLimits, owner: OutboxOwner) {
    this.#socket = socket;
    this.#limits = limits;
    this.#owner = owner;
  }

  /**
   * Writes one whole frame. Never throws; what is written to a socket that is gone is dropped.
   *
   * @param isEvent whether it may be dropped when the peer is slow; a large frame says it itself.
   */
  write(frame: Frame, isEvent = false): void {
    if (this.#isSlow && isEvent && !this.takes(this.#socket.writableLength, true, frame.length)) return;
    if (frame.length >= LARGE_PAYLOAD_BYTES && frame instanceof LargeFrame) {
      const tooMany = this.#largeBytes - SYSTEM_BYTES;
      if (tooMany > 0 && !this.takes(this.#socket.writableLength + tooMany, !frame.isVital, frame.length)) return;
      this.#largeBytes += frame.length;
      this.#large += 1;
      flusher.noteLarge();
      turns.note(frame.head.length);
    } else {
      flusher.note(frame.length);
      turns.note(frame.length);
      if (this.#bytes + frame.length > MAX_PIECE_BYTES) this.flush();
      this.#bytes += frame.length;
    }
    if (this.#first !== undefined) {
      if (this.#rest === undefined) this.#rest = [frame];
      else this.#rest.push(frame);
      return;
    }
    this.#first = frame;
    flusher.enlist(this);
  }

  /** Hands what was written in this turn to the system: before anything else goes out on the same socket. */
  flush(): number {
    const first = this.#first;
    if (first === undefined) return 0;
    const rest = this.#rest;
    const bytes = this.#bytes;
    const large = this.#large;
    this.#first = undefined;
    this.#rest = undefined;
    this.#bytes = 0;
    this.#large = 0;
    this.#largeBytes = 0;
    flusher.left(bytes, large);
    if (large > 0) return this.#writeMixed(first, rest ?? []);
    // Without large ones they are buffers.
    return this.#writePiece(first as Buffer, rest as Buffer[] | undefined, bytes);
  }

  /**
   * Whether another message may be sent while so much waits. If not, the event was counted, or the peer given up.
   * For those, too, who do not send through {@link write}.
   *
   * @param bytes of the message
   */
  takes(unsentBytes: number, isEvent: boolean, bytes: number): boolean {
    const { maxUnsentBytes, eventUnsentBytes } = this.#limits;
    const waiting = this.#arrears === undefined ? unsentBytes : unsentBytes + this.#settled(unsentBytes);
    if (waiting <= eventUnsentBytes) return true;
    const mayDrop = isEvent && eventUnsentBytes < maxUnsentBytes;
    if (!mayDrop) {
      if (waiting <= this.#mostBefore(bytes)) return true;
      this.#owner.giveUp();
      return false;
    }
    this.#drops ??= new EventDrops(this.#owner);
    // All that waits has to leave before the peer counts as a good one again.
    const isFirst = this.#drops.add();
    this.#owner.eventDropped?.(isFirst);
    if (isFirst) this.#socket.once('drain', () => this.#drops?.caughtUp());
    return false;
  }

  /** For those who do not send through {@link write}: a message was sent that others may have been sent, too. */
  sentElsewhere(message: Buffer): void {
    if (message.length > this.#largest) this.#largest = message.length;
    if (this.unsentBytes > PATIENCE_BYTES || this.#arrears !== undefined) this.#owe(message.length, message);
  }

  get unsentBytes(): number {
    return this.#owner.unsentBytes ?? this.#socket.writableLength;
  }

  /** Where all that waits is not in the socket, what is there was made for it. */
  get compressedBytes(): number {
    return this.#owner.unsentBytes === undefined ? 0 : this.#socket.writableLength;
  }

  giveUpForAll(limitBytes: number): void {
    this.#owner.giveUp({ limitOfNode: limitBytes, unsentBytes: this.unsentBytes });
  }

  /** The socket is gone: says what was not said yet, and what waits is no longer kept. */
  closed(): void {
    this.#drops?.ended();
    this.#arrears?.end();
    this.#arrears = undefined;
  }

  #writePiece(first: Buffer, rest: readonly Buffer[] | undefined, bytes: number): number {
    const socket = this.#socket;
    if (!socket.writable) return 0;
    const waiting = socket.writableLength;
    if (waiting + this.#settled(waiting) > this.#mostBefore(bytes)) {
      this.#owner.giveUp();
      return 0;
    }
    const piece = rest === undefined ? first : flusher.pieceOf(first, rest, bytes);
    const written = waiting > PATIENCE_BYTES ? ownBytes(piece) : piece;
    socket.write(written);
    if (rest === undefined && bytes > this.#largest) this.#largest = bytes;
    this.#wrote(bytes, written === piece ? piece : undefined);
    return bytes;
  }

  /** Large frames one by one, and what lies between two of them in pieces. */
  #writeMixed(first: Frame, rest: readonly Frame[]): number {
    let bytes = 0;
    let small: Buffer[] = [];
    const writeSmall = (): void => {
      const [head, ...others] = small;
      small = [];
      if (head === undefined) return;
      const length = others.reduce((sum, frame) => sum + frame.length, head.length);
      bytes += this.#writePiece(head, others.length === 0 ? undefined : others, length);
    };
    for (const frame of [first, ...rest]) {
      if (!(frame instanceof LargeFrame)) small.push(frame);
      else {
        writeSmall();
        bytes += this.#writeLarge(frame);
      }
    }
    writeSmall();
    return bytes;
  }

  #writeLarge({ head, body, tail, length, isVital }: LargeFrame): number {
    const socket = this.#socket;
    if (!socket.writable || !this.takes(socket.writableLength, !isVital, length)) return 0;
    socket.cork();
    socket.write(head);
    socket.write(body);
    if (tail !== undefined) socket.write(tail);
    socket.uncork();
    if (length > this.#largest) this.#largest = length;
    this.#wrote(length, body);
    return length;
  }

  /** @param memory what others may be waiting for, too. */
  #wrote(bytes: number, memory: Buffer | undefined): void {
    const waiting = this.#socket.writableLength;
    this.#isSlow = waiting > this.#limits.eventUnsentBytes;
    if (waiting === 0) return void (this.#largest = 0);
    // TLS tells only in a later turn what the system took.
    const isTaken = this.#arrears === undefined && waiting <= PATIENCE_BYTES && isTls(this.#socket);
    if (!isTaken) this.#owe(bytes, isTls(this.#socket) ? undefined : memory);
  }

  #owe(bytes: number, memory: Buffer | undefined): void {
    this.#arrears ??= unsentMemory.open(this);
    this.#arrears.add(bytes, memory);
  }

  /**
   * @param bytes of what is to be sent: the answer to a ping must not cost a peer the large message that it is reading.
   * @returns how much may wait before it.
   */
  #mostBefore(bytes: number): number {
    const { maxUnsentBytes } = this.#limits;
    return bytes < MAX_PIECE_BYTES ? maxUnsentBytes + this.#largest : maxUnsentBytes;
  }

  /** @returns what waits besides the bytes. */
  #settled(unsentBytes: number): number {
    const arrears = this.#arrears;
    if (arrears === undefined) return 0;
    if (unsentBytes > 0) {
      arrears.settle();
      return arrears.overheadBytes;
    }
    arrears.end();
    this.#arrears = undefined;
    this.#largest = 0;
    return 0;
  }
}
