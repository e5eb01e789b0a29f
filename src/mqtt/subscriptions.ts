/**
 * What one client is subscribed to, on one session of WAMP: its filters, and the subscriptions that stand for them. Filters may share a
 * subscription; an event of one is delivered once. It knows no packets; whoever owns it puts the requests to the router.
 */
import { planFilter } from './filters.js';
import type { Event, Qos } from '../wamp/message.js';
import type { FilterPlan, Pattern } from './filters.js';
import type { TopicMapping } from './topics.js';

/** A session of WAMP, as far as it takes requests. Answers may come at once, and come in the order of the requests for one pattern. */
export interface SubscriptionRequests {
  /** @param done gets the id of the subscription; undefined: it is refused. */
  subscribe(pattern: Pattern, getRetained: boolean, done: (id: number | undefined) => void): void;
  unsubscribe(id: number, done: () => void): void;
}

export interface SubscriptionTerms {
  readonly topics: TopicMapping;
  readonly maxQos: Qos;
  /** How many filters a client may have. */
  readonly maxSubscriptions: number;
}

/** One filter of the client. */
interface Filter {
  readonly text: string;
  readonly plan: FilterPlan;
  qos: Qos;
}

/** One pattern, as long as a filter needs it or an answer about it is awaited. */
interface Subscribed {
  readonly pattern: Pattern;
  readonly filters: Set<Filter>;
  /** Undefined before the first answer. */
  id: number | undefined;
  /** How many answers are awaited. With one to come it is not unsubscribed from: the answer could overtake. */
  awaited: number;
  /** Whose retained events come: the router sends them right behind its answer. */
  retainedFor: Filter | undefined;
}

export class MqttSubscriptions {
  readonly #requests: SubscriptionRequests;
  readonly #terms: SubscriptionTerms;
  // text of a filter -> filter
  readonly #filters = new Map<string, Filter>();
  #bytes = 0;
  // Two views of what the session is subscribed to; only what has an id is in the second one.
  readonly #byPattern = new Map<string, Subscribed>();
  readonly #byId = new Map<number, Subscribed>();

  constructor(requests: SubscriptionRequests, terms: SubscriptionTerms) {
    this.#requests = requests;
    this.#terms = terms;
  }

  /** How much memory the filters take, about, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What the client is subscribed to, as far as it was not refused. */
  get filters(): readonly { readonly topic: string; readonly qos: Qos }[] {
    return [...this.#filters.values()].map(({ text, qos }) => ({ topic: text, qos }));
  }

  /**
   * Subscribes to a filter, or again to one: then its retained events come again.
   * @param done gets the QoS that is granted; undefined: there is no subscription (any more).
   */
  subscribe(text: string, asked: Qos, getRetained: boolean, done: (granted: Qos | undefined) => void): void {
    const qos = Math.min(asked, this.#terms.maxQos) as Qos;
    const filter = this.#filters.get(text) ?? this.#newFilter(text, qos);
    if (filter === undefined) return done(undefined);
    filter.qos = qos;
    if (!this.#filters.has(text)) this.#bytes += bytesOf(filter);
    this.#filters.set(text, filter);
    let awaited = filter.plan.patterns.length;
    let isRefused = false;
    for (const pattern of filter.plan.patterns) {
      this.#ask(pattern, filter, getRetained, (isGranted) => {
        isRefused ||= !isGranted;
        if (--awaited > 0) return;
        if (isRefused) this.#drop(filter);
        done(isRefused ? undefined : qos);
      });
    }
  }

  /** @param done called when no event of the filter comes any more; at once where there is no such filter. */
  unsubscribe(text: string, done: () => void): void {
    const filter = this.#filters.get(text);
    if (filter === undefined) return done();
    this.#drop(filter, done);
  }

  /** The router takes a subscription away. @returns the filters that the client has no more. */
  revoked(id: number): readonly string[] {
    const subscribed = this.#byId.get(id);
    if (subscribed === undefined) return [];
    this.#byId.delete(id);
    subscribed.id = undefined;
    const lost = [...subscribed.filters];
    for (const filter of lost) this.#drop(filter);
    return lost.map(({ text }) => text);
  }

  /** @returns the URI that an event is about; undefined when the client is not subscribed. */
  uriOf({ subscription, details }: Event): string | undefined {
    const known = this.#byId.get(subscription);
    if (known === undefined) return undefined;
    if (known.pattern.match === 'exact') return known.pattern.uri;
    return typeof details.topic === 'string' ? details.topic : undefined;
  }

  /**
   * @param topic of the event
   * @returns the highest QoS of the filters that mean it; undefined: the subscription has more than what was asked for.
   */
  qosFor({ subscription, details }: Event, topic: string): Qos | undefined {
    const known = this.#byId.get(subscription);
    if (known === undefined) return undefined;
    const isExact = known.pattern.match === 'exact';
    const { retainedFor } = known;
    if (details.retained === true && retainedFor !== undefined) {
      return isExact || retainedFor.plan.matches(topic) ? retainedFor.qos : undefined;
    }
    let highest: Qos | undefined;
    for (const { qos, plan } of known.filters) {
      if ((highest === undefined || qos > highest) && (isExact || plan.matches(topic))) highest = qos;
    }
    return highest;
  }

  #newFilter(text: string, qos: Qos): Filter | undefined {
    if (this.#filters.size >= this.#terms.maxSubscriptions) return undefined;
    const plan = planFilter(text, this.#terms.topics);
    return plan && { text, plan, qos };
  }

  #ask(pattern: Pattern, filter: Filter, getRetained: boolean, done: (isGranted: boolean) => void): void {
    const key = keyOf(pattern);
    const subscribed: Subscribed = this.#byPattern.get(key) ?? {
      ...{ pattern, filters: new Set(), id: undefined, awaited: 0, retainedFor: undefined },
    };
    this.#byPattern.set(key, subscribed);
    subscribed.filters.add(filter);
    subscribed.awaited += 1;
    this.#requests.subscribe(pattern, getRetained, (id) => {
      subscribed.awaited -= 1;
      if (id !== undefined) {
        subscribed.id = id;
        subscribed.retainedFor = filter;
        this.#byId.set(id, subscribed);
      }
      done(id !== undefined);
      this.#settle(subscribed);
    });
  }

  /** Ends what no other filter needs. */
  #drop(filter: Filter, done?: () => void): void {
    if (this.#filters.get(filter.text) === filter && this.#filters.delete(filter.text)) {
      this.#bytes -= bytesOf(filter);
    }
    let awaited = 1;
    const ended = (): void => {
      if (--awaited === 0) done?.();
    };
    for (const pattern of filter.plan.patterns) {
      const subscribed = this.#byPattern.get(keyOf(pattern));
      if (subscribed?.filters.delete(filter) !== true) continue;
      awaited += 1;
      this.#settle(subscribed, ended);
    }
    ended();
  }

  #settle(subscribed: Subscribed, done?: () => void): void {
    const { pattern, filters, awaited, id } = subscribed;
    if (subscribed.retainedFor !== undefined && !filters.has(subscribed.retainedFor))
      subscribed.retainedFor = undefined;
    const key = keyOf(pattern);
    if (filters.size > 0 || awaited > 0 || this.#byPattern.get(key) !== subscribed) return done?.();
    this.#byPattern.delete(key);
    if (id === undefined) return done?.();
    this.#byId.delete(id);
    this.#requests.unsubscribe(id, () => done?.());
  }
}

function keyOf({ match, uri }: Pattern): string {
  return `${match} ${uri}`;
}

/** Of a filter, its patterns and what the router has for them. */
const OVERHEAD_BYTES = 2048;

/** A level is a text of its own. */
function bytesOf({ text }: Filter): number {
  return OVERHEAD_BYTES + 16 * text.length;
}
