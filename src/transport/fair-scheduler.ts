/**
 * Fairness between connections. A message is routed completely before the next one is looked at, so work can be
 * interrupted between two messages only: when messages were worked off for `SLICE_MS`, all others wait in their inboxes
 * (`inbox.ts`) until the event loop has been round once: pings are answered, connections accepted, what was sent goes
 * out. Then each inbox in turn gets an equal share of the next slice.
 *
 * To look at the clock for every message would be dear, and to count messages would be wrong: one may cost a
 * microsecond and another, with a thousand subscribers, some milliseconds. So work is counted (messages, frames, KiB), and
 * the clock looked at after every few units. It knows no sockets; clock and turns of the loop are passed in.
 */

/** As long as nothing else in the process is served. Far below what a person or a ping notices. */
const SLICE_MS = 10;
/** Units of work between two looks at the clock: each takes some microseconds. */
const UNITS_PER_LOOK = 16;

/** Messages of one connection that wait. */
export interface Backlog {
  /** Works off at least one, and more as long as {@link FairScheduler.hasTime}. @returns whether some are left. */
  work(): boolean;
}

export interface EventLoop {
  /** @returns milliseconds, of a clock that only goes forward. */
  now(): number;
  /** Runs `callback` when the loop has looked at all sockets again. */
  defer(callback: () => void): void;
}

/** Who may go on with work of one kind, and who waits. */
export class FairScheduler {
  readonly #loop: EventLoop;
  readonly #onTurn = (): void => this.#run();
  /** Whoever is at the front has waited longest. */
  #queue: Backlog[] = [];
  #isDeferred = false;
  #units = 0;
  /** Until when the one that is served now may go on. */
  #until = -Infinity;
  #isOver = false;
  #isHeld = false;
  /** Large events are on their way to so many sockets that other large messages have to wait (`flusher.ts`). */
  isCongested = false;

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /** Notes that a message of so many bytes came in or went out. */
  note(bytes: number): void {
    this.#units += 1 + (bytes >>> 10);
  }

  /**
   * Whether another message may be worked off before others get their turn. After an idle time this may be false once
   * although nothing was done: then a message waits for a turn of the loop in which there is nothing else to do.
   */
  get hasTime(): boolean {
    return this.#units < UNITS_PER_LOOK ? !this.#isOver : this.#look();
  }

  /** Puts a backlog at the end of the queue; it must not be in it. */
  enlist(backlog: Backlog): void {
    this.#queue.push(backlog);
    this.#defer();
  }

  /** Whoever has the turn gives up what is left of it. */
  pass(): void {
    this.#until = -Infinity;
    this.#isOver = true;
  }

  /** Nobody has a turn until {@link release}: what was worked off has to leave first. Both are idempotent. */
  hold(): void {
    this.#isHeld = true;
    this.pass();
  }

  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    if (this.#queue.length > 0) this.#defer();
  }

  #look(): boolean {
    this.#units = 0;
    this.#isOver = this.#isHeld || this.#loop.now() >= this.#until;
    return !this.#isOver;
  }

  #defer(): void {
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    this.#loop.defer(this.#onTurn);
  }

  /** Each gets an equal share of what the ones before it have left over; whom the slice did not reach is first next time. */
  #run(): void {
    this.#isDeferred = false;
    if (this.#isHeld) return;
    const due = this.#queue;
    const unfinished: Backlog[] = [];
    this.#queue = [];
    let at = this.#loop.now();
    const end = at + SLICE_MS;
    let served = 0;
    while (served < due.length && at < end) {
      const backlog = due[served];
      this.#begin(at + (end - at) / (due.length - served));
      served += 1;
      if (backlog?.work() === true) unfinished.push(backlog);
      at = this.#loop.now();
    }
    this.#queue = [...due.slice(served), ...unfinished, ...this.#queue];
    this.#begin(end);
    // What is left of the slice is for the messages that the loop brings next.
    this.#isOver = at >= end;
    if (this.#queue.length > 0) this.#defer();
  }

  #begin(until: number): void {
    this.#until = until;
    this.#units = 0;
    this.#isOver = false;
  }
}

/** One for the process, because there is one event loop. */
export const turns = new FairScheduler({
  now: () => performance.now(),
  defer: (callback) => void setImmediate(callback),
});
