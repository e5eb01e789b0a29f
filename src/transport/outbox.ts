/**
 * The way out of one socket. Everything written in one turn of the event loop leaves in one piece and one system call: the
 * first frame puts the outbox on a list, and the end of the turn flushes all that are on it. With eight publications on
 * their way to the same hundred subscribers that is a quarter of the work, and the piece is put together only once: it is the
 * same for all of them.
 *
 * It also holds the bound on what may wait for a peer that does not read.
 */
import type { Socket } from 'node:net';

/** Larger pieces are not put together: to copy them would cost more than another system call. */
const MAX_PIECE_BYTES = 65_536;

/** The outboxes that were written to in this turn: one list for the process, because there is one event loop. */
let due: Outbox[] = [];

interface Piece {
  readonly first: Buffer;
  readonly rest: readonly Buffer[];
  readonly bytes: Buffer;
}

/** One for each serializer and framing that subscribers of one topic commonly have. */
const MAX_KNOWN_PIECES = 4;

/** What was put together last, newest first: most often the next outbox has the same to send. */
let known: Piece[] = [];

function flushAll(): void {
  const outboxes = due;
  due = [];
  for (const outbox of outboxes) outbox.flush();
  known = [];
}

export class Outbox {
  readonly #socket: Socket;
  readonly #maxUnsentBytes: number;
  readonly #onOverflow: () => void;
  /** The frames of this turn; mostly there is one. */
  #first: Buffer | undefined;
  #rest: Buffer[] | undefined;
  #bytes = 0;

  /**
   * @param maxUnsentBytes how much may wait for this socket before another piece is refused: a single frame may be larger.
   * @param onOverflow called instead of writing when more waits; it should give the peer up.
   */
  constructor(socket: Socket, maxUnsentBytes: number, onOverflow: () => void) {
    this.#socket = socket;
    this.#maxUnsentBytes = maxUnsentBytes;
    this.#onOverflow = onOverflow;
  }

  /** Writes one whole frame. Never throws; what is written to a socket that is gone is dropped. */
  write(frame: Buffer): void {
    if (this.#bytes + frame.length > MAX_PIECE_BYTES) this.flush();
    this.#bytes += frame.length;
    if (this.#first !== undefined) {
      if (this.#rest === undefined) this.#rest = [frame];
      else this.#rest.push(frame);
      return;
    }
    this.#first = frame;
    if (due.push(this) === 1) process.nextTick(flushAll);
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
    if (socket.writableLength > this.#maxUnsentBytes) return this.#onOverflow();
    socket.write(rest === undefined ? first : pieceOf(first, rest, bytes));
  }
}

function pieceOf(first: Buffer, rest: readonly Buffer[], length: number): Buffer {
  for (const piece of known) if (piece.first === first && isSame(piece.rest, rest)) return piece.bytes;
  const bytes = Buffer.concat([first, ...rest], length);
  if (known.unshift({ first, rest, bytes }) > MAX_KNOWN_PIECES) known.pop();
  return bytes;
}

function isSame(one: readonly Buffer[], other: readonly Buffer[]): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}
