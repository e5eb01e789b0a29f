/** The requests of one session of a client of MQTT: their ids, their answers, and when they may be made. */
import { PUBLISH, SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBE } from '../wamp/message.js';
import type { ClientMessage, ErrorMessage, Publish, Published, Subscribed, Unsubscribed } from '../wamp/message.js';
import type { Pattern } from './filters.js';
import type { SubscriptionRequests } from './subscriptions.js';

/** What the router answers. */
export type Answer = Published | Subscribed | Unsubscribed | ErrorMessage;

export class Requests implements SubscriptionRequests {
  readonly #receive: (message: ClientMessage) => void;
  #lastId = 0;
  // request id -> what its answer is for
  readonly #awaited = new Map<number, (answer: Answer) => void>();
  /** The router says something; and what waits until it has done. */
  #isHearing = false;
  #later: ClientMessage[] = [];

  /** @param receive takes the requests, in order */
  constructor(receive: (message: ClientMessage) => void) {
    this.#receive = receive;
  }

  subscribe({ match, uri: topic }: Pattern, getRetained: boolean, done: (id: number | undefined) => void): void {
    const requestId = this.#expect((answer) => done(answer.type === SUBSCRIBED ? answer.subscription : undefined));
    this.#ask({ type: SUBSCRIBE, requestId, options: { match, get_retained: getRetained }, topic });
  }

  unsubscribe(subscription: number, done: () => void): void {
    this.#ask({ type: UNSUBSCRIBE, requestId: this.#expect(done), subscription });
  }

  publish(message: Omit<Publish, 'type' | 'requestId'>, done: (answer: Answer) => void): void {
    this.#ask({ type: PUBLISH, requestId: this.#expect(done), ...message });
  }

  answered(answer: Answer): void {
    const done = this.#awaited.get(answer.requestId);
    this.#awaited.delete(answer.requestId);
    done?.(answer);
  }

  /** Lets the router say something. What it leads to is asked for when the router has done with that. */
  hear(act: () => void): void {
    const wasHearing = this.#isHearing;
    this.#isHearing = true;
    act();
    this.#isHearing = wasHearing;
  }

  /** Asks at once for what waits. */
  flush(): void {
    const messages = this.#later;
    this.#later = [];
    for (const message of messages) this.#receive(message);
  }

  /** No answer counts any more. */
  end(): void {
    this.#awaited.clear();
    this.#later = [];
  }

  #expect(done: (answer: Answer) => void): number {
    this.#awaited.set(++this.#lastId, done);
    return this.#lastId;
  }

  #ask(message: ClientMessage): void {
    if (!this.#isHearing && this.#later.length === 0) return this.#receive(message);
    if (this.#later.push(message) === 1) queueMicrotask(() => this.flush());
  }
}
