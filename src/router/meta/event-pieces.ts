/**
 * What is told when a session leaves, in pieces: it may have had ten thousand subscriptions, and whoever watches over them is
 * told of each. What takes too long for one turn of the loop follows in the next ones, in order.
 */
import type { Payload } from '../../wamp/payload.js';
import type { Scheduler } from '../observer.js';

/** The way out: the broker of the realm. */
export interface Publisher {
  /** @returns whether an event on `topic` would reach anybody. */
  isWanted(topic: string): boolean;
  publish(topic: string, payload: Payload): void;
}

/** For one turn. */
const PIECE_MS = 10;

interface MetaEvent {
  readonly topic: string;
  readonly payload: Payload;
}

export class EventPieces {
  readonly #publisher: Publisher;
  readonly #scheduler: Scheduler;
  #waiting: MetaEvent[] = [];
  #until = Infinity;

  constructor(publisher: Publisher, scheduler: Scheduler) {
    this.#publisher = publisher;
    this.#scheduler = scheduler;
  }

  /** How many wait for another turn. */
  get size(): number {
    return this.#waiting.length;
  }

  /** What is published from now on has its own time. */
  begin(): void {
    this.#until = this.#scheduler.elapsed() + PIECE_MS;
  }

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
