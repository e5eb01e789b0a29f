/**
 * Publishes the meta events of a session that leaves in pieces. It may have had ten thousand subscriptions, and there is a meta
 * event for each. Events that take too long for one turn of the event loop follow in the next turns, in order.
 */
import type { PublishOptions } from '../../wamp/message.js';
import type { Payload } from '../../wamp/payload.js';
import type { Scheduler } from '../observer.js';

/** Publishes meta events: the broker of the realm. */
export interface Publisher {
  /** @returns whether an event on `topic` would reach anybody. @param isAside whether it is for the other nodes only */
  isWanted(topic: string, isAside?: boolean): boolean;
  publish(topic: string, payload: Payload, options?: PublishOptions): void;
}

/** The time in one turn of the event loop. */
const PIECE_MS = 10;

interface MetaEvent {
  readonly topic: string;
  readonly payload: Payload;
}

/** The queue of meta events that wait for a later turn. */
export class EventPieces {
  readonly #publisher: Publisher;
  readonly #scheduler: Scheduler;
  #waiting: MetaEvent[] = [];
  #until = Infinity;

  constructor(publisher: Publisher, scheduler: Scheduler) {
    this.#publisher = publisher;
    this.#scheduler = scheduler;
  }

  /** How many events wait for a later turn. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Starts the time of a piece. */
  begin(): void {
    this.#until = this.#scheduler.elapsed() + PIECE_MS;
  }

  /** Publishes an event, now or in a later turn. */
  publish(topic: string, payload: Payload): void {
    if (this.#waiting.length === 0 && !this.#isOver()) return this.#publisher.publish(topic, payload);
    if (this.#waiting.push({ topic, payload }) === 1) this.#goOnLater();
  }

  #isOver(): boolean {
    return this.#scheduler.elapsed() >= this.#until;
  }

  #goOnLater(): void {
    this.#scheduler.after(0, () => this.#goOn());
  }

  #goOn(): void {
    this.begin();
    let published = 0;
    for (const { topic, payload } of this.#waiting) {
      this.#publisher.publish(topic, payload);
      published += 1;
      if (this.#isOver()) break;
    }
    this.#waiting = this.#waiting.slice(published);
    if (this.#waiting.length > 0) this.#goOnLater();
  }
}
