/**
 * The way out of one socket. Everything written in one turn of the event loop leaves in one piece and one system call: the
 * first frame puts the outbox on a list, and the end of the turn flushes all that are on it. With eight publications on
 * their way to the same hundred subscribers that is a quarter of the work, and the piece is put together only once: it is the
 * same for all of them. Where many are on the list, the turn lasts as long as the next one brings more for them.
 *
 * It also holds the bounds on what may wait for a peer that does not read.
 */
import type { Socket } from 'node:net';
import { joinFrames } from '../serializer/frame-memory.js';
import { EventDrops } from './event-drops.js';
import { turns } from './turns.js';

/** What may wait for one peer; the same object for all of a host. */
export interface UnsentLimits {
  /** How much may wait before another piece is refused: a single frame may be larger. */
  readonly maxUnsentBytes: number;
  /** How much may wait before events are dropped; `maxUnsentBytes` where they never are. */
  readonly eventUnsentBytes: number;
}

/** Whose socket it is. */
export interface OutboxOwner {
  /** Too much waits: the peer has to be given up. */
  giveUp(): void;
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

/** Where more than this waits, what comes will wait for long. */
const PATIENCE_BYTES = 16_384;
/** What is at least one part of so many of the memory that it lies in is not copied: others may wait for the same. */
const LARGE_SHARE = 4;

/** From so many sockets on, writing to all of them costs more than waiting whether there is more to come for them. */
const MANY_SOCKETS = 8;
/** So many turns of the event loop that bring nothing are the end of it. */
const QUIET_TURNS = 2;
/** The first frame must not wait for long. */
const MAX_WAIT_MS = 1;
/** So many waits that brought nothing, and from then on only one turn of so many waits. */
const MAX_IN_VAIN = 32;
const TRY_EVERY = 16;

/** The outboxes that were written to in this turn: one list for the process, because there is one event loop. */
let due: Outbox[] = [];
/** How many frames there were in all, how many at the last look, and what the wait for more is at. */
let written = 0;
let seen = 0;
let quietTurns = 0;
let waitingSince = 0;
let writtenBefore = 0;
/** How often waiting brought nothing since it brought something last. */
let waitsInVain = 0;

interface Piece {
  readonly first: Buffer;
  readonly rest: readonly Buffer[];
  readonly bytes: Buffer;
}

/** One for each serializer and framing that subscribers of one topic commonly have. */
const MAX_KNOWN_PIECES = 4;

/** What was put together last, newest first: most often the next outbox has the same to send. */
const known: Piece[] = [];
/** Whether that is kept. */
let isShared = false;

function endTurn(): void {
  if (due.length < MANY_SOCKETS || !isWorthWaiting()) return flushAll();
  quietTurns = 0;
  waitingSince = performance.now();
  writtenBefore = written;
  waitForMore();
}

/** Where more never comes, because publishers wait for each other or there is one, it is tried only now and then. */
function isWorthWaiting(): boolean {
  if (waitsInVain < MAX_IN_VAIN) return true;
  waitsInVain += 1;
  return waitsInVain % TRY_EVERY === 0;
}

/** Has the event loop read from all sockets once more. */
function waitForMore(): void {
  seen = written;
  setImmediate(look);
}

function look(): void {
  quietTurns = written === seen ? quietTurns + 1 : 0;
  if (quietTurns < QUIET_TURNS && performance.now() - waitingSince < MAX_WAIT_MS) return waitForMore();
  waitsInVain = written === writtenBefore ? waitsInVain + 1 : 0;
  flushAll();
}

function flushAll(): void {
  const outboxes = due;
  due = [];
  // One alone has nobody to share with.
  isShared = outboxes.length > 1;
  for (const outbox of outboxes) outbox.flush();
  isShared = false;
  known.length = 0;
}

export class Outbox {
  readonly #socket: Socket;
  readonly #limits: UnsentLimits;
  readonly #owner: OutboxOwner;
  /** The frames of this turn; mostly there is one. */
  #first: Buffer | undefined;
  #rest: Buffer[] | undefined;
  #bytes = 0;
  /** More than events may take was waiting when something was sent last. */
  #isSlow = false;
  /** Made for the first event that is dropped. */
  #drops: EventDrops | undefined;

  constructor(socket: Socket, limits: UnsentLimits, owner: OutboxOwner) {
    this.#socket = socket;
    this.#limits = limits;
    this.#owner = owner;
  }

  /**
   * Writes one whole frame. Never throws; what is written to a socket that is gone is dropped.
   *
   * @param isEvent whether it may be dropped when the peer is slow.
   */
  write(frame: Buffer, isEvent = false): void {
    if (this.#isSlow && isEvent && !this.takes(this.#socket.writableLength, true)) return;
    written += 1;
    turns.note(frame.length);
    if (this.#bytes + frame.length > MAX_PIECE_BYTES) this.flush();
    this.#bytes += frame.length;
    if (this.#first !== undefined) {
      if (this.#rest === undefined) this.#rest = [frame];
      else this.#rest.push(frame);
      return;
    }
    this.#first = frame;
    if (due.push(this) === 1) process.nextTick(endTurn);
  }

  /** Hands what was written in this turn to the system: before anything else goes out on the same socket. */
  flush(): void {
    const first = this.#first;
    if (first === undefined) return;
    const rest = this.#rest;
    const bytes = this.#bytes;
    this.#first = undefined;
    this.#rest = undefined;
    this.#bytes = 0;
    const socket = this.#socket;
    if (!socket.writable) return;
    const waiting = socket.writableLength;
    if (waiting > this.#limits.maxUnsentBytes) return this.#owner.giveUp();
    const piece = rest === undefined ? first : pieceOf(first, rest, bytes);
    socket.write(waiting > PATIENCE_BYTES ? ownCopy(piece) : piece);
    this.#isSlow = socket.writableLength > this.#limits.eventUnsentBytes;
  }

  /**
   * Whether another message may be sent while so much waits. If not, the event was counted, or the peer given up.
   * For those, too, who do not send through {@link write}.
   */
  takes(unsentBytes: number, isEvent: boolean): boolean {
    const { maxUnsentBytes, eventUnsentBytes } = this.#limits;
    if (unsentBytes <= eventUnsentBytes) return true;
    if (unsentBytes > maxUnsentBytes) {
      this.#owner.giveUp();
      return false;
    }
    if (!isEvent) return true;
    this.#drops ??= new EventDrops(this.#owner);
    // All that waits has to leave before the peer counts as a good one again.
    if (this.#drops.add()) this.#socket.once('drain', () => this.#drops?.caughtUp());
    return false;
  }

  /** The socket is gone: says what was not said yet. */
  closed(): void {
    this.#drops?.ended();
  }
}

function pieceOf(first: Buffer, rest: readonly Buffer[], length: number): Buffer {
  for (const piece of known) if (piece.first === first && isSame(piece.rest, rest)) return piece.bytes;
  const bytes = joinFrames(first, rest, length);
  if (isShared && known.unshift({ first, rest, bytes }) > MAX_KNOWN_PIECES) known.pop();
  return bytes;
}

/**
 * Short frames lie in memory that they share with others, all of which stays as long as one of them: behind a client that
 * does not read, a hundred bytes could hold eight thousand (`serializer/frame-memory.ts`).
 */
function ownCopy(piece: Buffer): Buffer {
  if (piece.length * LARGE_SHARE >= piece.buffer.byteLength) return piece;
  const copy = Buffer.allocUnsafeSlow(piece.length);
  piece.copy(copy);
  return copy;
}

function isSame(one: readonly Buffer[], other: readonly Buffer[]): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}
