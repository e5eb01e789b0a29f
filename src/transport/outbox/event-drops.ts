/**
 * The account of the events that one peer was not sent because it reads too slowly. It is said in the log, but seldom: the
 * peer may be slow all day. Knows no sockets.
 */

/** Who writes it down. */
export interface DropLog {
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/** The least time between two lines about events being dropped. */
const SAY_EVERY_MS = 60_000;

export class EventDrops {
  readonly #log: DropLog;
  /** Since the last line. */
  #unsaid = 0;
  #total = 0;
  #saidAt = -Infinity;
  /** From the first event that is dropped until all that waited has left. */
  #isBehind = false;
  #isSaid = false;

  constructor(log: DropLog) {
    this.#log = log;
  }

  /** Counts an event. @returns whether it is the first one since the peer had caught up. */
  add(): boolean {
    const isFirst = !this.#isBehind;
    this.#isBehind = true;
    this.#unsaid += 1;
    this.#total += 1;
    if (performance.now() - this.#saidAt >= SAY_EVERY_MS) {
      this.#saidAt = performance.now();
      this.#isSaid = true;
      this.#say('slow consumer, events dropped');
    }
    return isFirst;
  }

  /** The peer has been sent all that waited. Said where it was said that it is slow. */
  caughtUp(): void {
    this.#isBehind = false;
    if (!this.#isSaid) return;
    this.#isSaid = false;
    this.#say('slow consumer has caught up');
  }

  /** The connection is gone. */
  ended(): void {
    if (this.#unsaid > 0) this.#say('slow consumer, events dropped');
  }

  #say(message: string): void {
    this.#log.warn({ dropped: this.#unsaid, droppedInAll: this.#total }, message);
    this.#unsaid = 0;
  }
}
