/**
 * When the outboxes that were written to hand it to the system: at the end of the turn of the event loop. Where many are due,
 * the turn lasts as long as the next one brings more for them. To write a large event to ten thousand sockets takes seconds:
 * it is done in slices, and between two of them the loop goes round, so that all others are served. It knows no sockets;
 * clock and turns of the loop are passed in.
 *
 *     due --end of the turn, maybe a little later--> flushing --slice--> the loop goes round --slice--> ... done
 *
 * What comes for an outbox meanwhile goes out with the rest, if it has not had its turn, or after all others.
 */
import { joinFrames } from '../../serializer/frame-memory.js';
import type { FairScheduler } from '../fair-scheduler.js';
import { turns } from '../fair-scheduler.js';

/** An outbox as it is seen here. */
export interface Flushable {
  /** Hands all that was written to the system. @returns how many bytes. */
  flush(): number;
}

export interface FlushLoop {
  /** @returns milliseconds, of a clock that only goes forward. */
  now(): number;
  /** Runs `callback` at the end of the turn. */
  endOfTurn(callback: () => void): void;
  /** Runs `callback` when the loop has looked at all sockets again. */
  defer(callback: () => void): void;
}

/** From so many sockets on, writing to all of them costs more than waiting whether there is more to come for them. */
const MANY_SOCKETS = 8;
/** So many turns of the event loop that bring nothing are the end of it. */
const QUIET_TURNS = 2;
/** The first frame must not wait for long. */
const MAX_WAIT_MS = 1;
/** So many waits that brought nothing, and from then on only one turn of so many waits. */
const MAX_IN_VAIN = 32;
const TRY_EVERY = 16;

/** As long as nothing else in the process is served. */
const SLICE_MS = 10;
/** Sockets or KiB between two looks at the clock. */
const UNITS_PER_LOOK = 16;
/** When so much waits for its slice, no messages are worked off: they would only add to it. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024;

interface Piece {
  readonly first: Buffer;
  readonly rest: readonly Buffer[];
  readonly bytes: Buffer;
}

/** One for each serializer and framing that subscribers of one topic commonly have. */
const MAX_KNOWN_PIECES = 4;

export class Flusher {
  readonly #loop: FlushLoop;
  readonly #turns: FairScheduler;
  readonly #onEndOfTurn = (): void => this.#endTurn();
  readonly #onLook = (): void => this.#look();
  readonly #onSlice = (): void => this.#flush();
  #due: Flushable[] = [];
  /** Bytes that were written since the process runs, and those of them that were flushed. */
  #written = 0;
  #flushed = 0;
  /** How many large frames were written and not flushed. */
  #large = 0;
  // What the wait for more is at.
  #seen = 0;
  #quietTurns = 0;
  #waitingSince = 0;
  #writtenBefore = 0;
  /** How often waiting brought nothing since it brought something last. */
  #waitsInVain = 0;
  /** What is being flushed; those before `#at` have been. */
  #queue: Flushable[] = [];
  #at = 0;
  /** What was put together last, newest first: most often the next outbox has the same to send. */
  readonly #known: Piece[] = [];

  constructor(loop: FlushLoop, turns: FairScheduler) {
    this.#loop = loop;
    this.#turns = turns;
  }

  /** Something was written that will be flushed; of a large frame what it has for itself. */
  note(bytes: number): void {
    this.#written += bytes;
  }

  noteLarge(): void {
    this.#large += 1;
  }

  /** It was flushed, or dropped. */
  left(bytes: number, largeFrames: number): void {
    this.#flushed += bytes;
    this.#large -= largeFrames;
  }

  /** The first frame of a turn was written to an outbox. */
  enlist(outbox: Flushable): void {
    if (this.#due.push(outbox) === 1) this.#loop.endOfTurn(this.#onEndOfTurn);
  }

  /** @returns frames of so many bytes in one piece: the same one for all that have the same frames to send. */
  pieceOf(first: Buffer, rest: readonly Buffer[], length: number): Buffer {
    for (const piece of this.#known) if (piece.first === first && isSame(piece.rest, rest)) return piece.bytes;
    const bytes = joinFrames(first, rest, length);
    // One alone has nobody to share with.
    if (this.#queue.length > 1 && this.#known.unshift({ first, rest, bytes }) > MAX_KNOWN_PIECES) this.#known.pop();
    return bytes;
  }

  #endTurn(): void {
    if (this.#due.length < MANY_SOCKETS || this.#queue.length > 0 || !this.#isWorthWaiting()) return this.#flushDue();
    this.#quietTurns = 0;
    this.#waitingSince = this.#loop.now();
    this.#writtenBefore = this.#written;
    this.#waitForMore();
  }

  /** Where more never comes, because publishers wait for each other or there is one, it is tried only now and then. */
  #isWorthWaiting(): boolean {
    if (this.#waitsInVain < MAX_IN_VAIN) return true;
    this.#waitsInVain += 1;
    return this.#waitsInVain % TRY_EVERY === 0;
  }

  /** Has the event loop read from all sockets once more. */
  #waitForMore(): void {
    this.#seen = this.#written;
    this.#loop.defer(this.#onLook);
  }

  #look(): void {
    this.#quietTurns = this.#written === this.#seen ? this.#quietTurns + 1 : 0;
    if (this.#quietTurns < QUIET_TURNS && this.#loop.now() - this.#waitingSince < MAX_WAIT_MS)
      return this.#waitForMore();
    this.#waitsInVain = this.#written === this.#writtenBefore ? this.#waitsInVain + 1 : 0;
    this.#flushDue();
  }

  #flushDue(): void {
    const due = this.#due;
    this.#due = [];
    // Behind those that have waited longer.
    if (this.#queue.length > 0) return void ((this.#queue = this.#queue.slice(this.#at).concat(due)), (this.#at = 0));
    this.#queue = due;
    this.#flush();
  }

  #flush(): void {
    let units = 0;
    let until = Infinity;
    while (this.#at < this.#queue.length) {
      units += 1 + ((this.#queue[this.#at++]?.flush() ?? 0) >>> 10);
      if (units < UNITS_PER_LOOK) continue;
      units = 0;
      const now = this.#loop.now();
      if (until === Infinity) until = now + SLICE_MS;
      else if (now >= until && this.#at < this.#queue.length) return this.#pause();
    }
    this.#queue = [];
    this.#at = 0;
    this.#known.length = 0;
    this.#turns.isCongested = false;
    this.#turns.release();
  }

  /** Other large events must wait until this one has left, or they would pile up here. */
  #pause(): void {
    this.#turns.isCongested = this.#large > 0;
    if (this.#written - this.#flushed > MAX_PENDING_BYTES) this.#turns.hold();
    else this.#turns.release();
    this.#loop.defer(this.#onSlice);
  }
}

function isSame(one: readonly Buffer[], other: readonly Buffer[]): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}

/** One for the process, because there is one event loop. */
export const flusher = new Flusher(
  {
    now: () => performance.now(),
    endOfTurn: (callback) => process.nextTick(callback),
    defer: (callback) => void setImmediate(callback),
  },
  turns,
);
