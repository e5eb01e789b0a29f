/** The subscriber in this process: which handler gets which event. */
import { SUBSCRIBE, UNSUBSCRIBE } from '../wamp/message.js';
import { traceFacts } from '../wamp/trace.js';
import { guarded } from './requests.js';
import { valuesOf } from './values.js';
import type { Logger } from '../log/logger.js';
import type { Event, SubscribeOptions, Subscribed } from '../wamp/message.js';
import type { EventDetails, EventHandler, Subscription } from './api.js';
import type { Requests } from './requests.js';

class LocalSubscription implements Subscription {
  active = true;
  readonly id: number;
  readonly topic: string;
  readonly handler: EventHandler;
  readonly #owner: Subscriptions;

  constructor(owner: Subscriptions, id: number, topic: string, handler: EventHandler) {
    this.#owner = owner;
    this.id = id;
    this.topic = topic;
    this.handler = handler;
  }

  unsubscribe(): Promise<void> {
    return guarded(this.#owner.unsubscribe(this));
  }
}

export class Subscriptions {
  readonly #requests: Requests;
  readonly #log: Logger;
  /** Whose they are, in lines of the log. */
  readonly #owner: string;
  // subscription id -> those who share it, in order: subscribing twice to one topic gives the same id
  readonly #byId = new Map<number, Set<LocalSubscription>>();
  /** SUBSCRIBEs that are not answered. */
  readonly #underway = new Set<Promise<unknown>>();

  constructor(requests: Requests, log: Logger, owner: string) {
    this.#requests = requests;
    this.#log = log;
    this.#owner = owner;
  }

  async subscribe(topic: string, handler: EventHandler, options: SubscribeOptions): Promise<Subscription> {
    if (typeof handler !== 'function') throw new TypeError('the handler must be a function');
    const { promise } = this.#requests.send({
      message: (requestId) => ({ type: SUBSCRIBE, requestId, options, topic }),
      take: (reply) => this.#add((reply as Subscribed).subscription, topic, handler),
    });
    this.#underway.add(promise);
    try {
      return await promise;
    } finally {
      this.#underway.delete(promise);
    }
  }

  async unsubscribe(subscription: Subscription): Promise<void> {
    const { id } = subscription;
    const sharing = this.#byId.get(id);
    const mine = [...(sharing ?? [])].find((candidate) => candidate === subscription);
    if (sharing === undefined || mine === undefined) throw new Error('the subscription is not active');
    sharing.delete(mine);
    mine.active = false;
    // One that is being made may turn out to be the same.
    while (this.#underway.size > 0) await Promise.allSettled(this.#underway);
    if (sharing.size > 0 || this.#byId.get(id) !== sharing) return;
    this.#byId.delete(id);
    const message = (requestId: number) => ({ type: UNSUBSCRIBE, requestId, subscription: id }) as const;
    await this.#requests.send({ message, take: () => undefined }).promise;
  }

  onEvent({ subscription: id, publication, details, payload }: Event): void {
    for (const subscription of [...(this.#byId.get(id) ?? [])]) {
      const { topic } = subscription;
      void this.#handle(subscription, { topic, retained: false, ...details, publication }, payload);
    }
  }

  /** The router took a subscription away. */
  onRevoked(id: number, reason: unknown): void {
    for (const subscription of this.#byId.get(id) ?? []) {
      subscription.active = false;
      this.#log.warn({ topic: subscription.topic, reason }, `subscription of ${this.#owner} was revoked`);
    }
    this.#byId.delete(id);
  }

  end(): void {
    for (const id of [...this.#byId.keys()]) {
      for (const subscription of this.#byId.get(id) ?? []) subscription.active = false;
    }
    this.#byId.clear();
  }

  #add(id: number, topic: string, handler: EventHandler): Subscription {
    const subscription = new LocalSubscription(this, id, topic, handler);
    const sharing = this.#byId.get(id);
    if (sharing === undefined) this.#byId.set(id, new Set([subscription]));
    else sharing.add(subscription);
    return subscription;
  }

  /** Each handler gets values of its own. */
  async #handle(
    { topic, handler }: LocalSubscription,
    details: EventDetails,
    payload: Event['payload'],
  ): Promise<void> {
    try {
      const { args, kwargs } = valuesOf(payload);
      await handler(args, kwargs, details);
    } catch (err) {
      this.#log.error({ topic, err, ...traceFacts(details) }, `event handler of ${this.#owner} failed`);
    }
  }
}
