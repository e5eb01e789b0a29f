/**
 * The event history of a realm (section "Event History"): publications to the topics that the config names are kept,
 * each once, whether or not anybody was subscribed. Publications for chosen sessions are not kept, for session ids mean
 * nothing to those who ask later; lists of authids and authroles hold for whoever asks.
 */
import { ErrorUri, WampError } from '../wamp/error.js';
import { covers } from './coverage.js';
import { PatternIndex, matches } from './match.js';
import { authorize } from './role.js';
import type { Dict, Payload } from '../wamp/payload.js';
import type { Pattern } from './coverage.js';
import type { Eligibility } from './eligibility.js';
import type { HistoryQuery } from './history-query.js';
import type { SubscriptionView } from './observer.js';
import type { RouterSession } from './session.js';
import type { StoreConfig } from './store-schema.js';

/** A publication that is remembered. */
export interface HistoricEvent {
  /** The publication id. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly topic: string;
  readonly details: Dict;
  readonly payload: Payload;
  readonly eligible: Eligibility | undefined;
}

/** An entry of `event-history`. */
interface Log extends Pattern {
  readonly limit: number;
  /** In order of arrival. More than `limit` for a while: the oldest are cut off in bulk. */
  readonly events: HistoricEvent[];
}

export class EventHistory {
  readonly #logs: readonly Log[];
  // The same logs, by their patterns.
  readonly #index = new PatternIndex<Log>();

  constructor(config: StoreConfig) {
    const { limit: otherwise = 100, 'event-history': entries = [] } = config;
    const logs: Log[] = [];
    for (const { uri, match = 'exact', limit = otherwise } of entries) {
      // Of two entries for one pattern the first counts.
      if (this.#index.get(match, uri) !== undefined) continue;
      const log: Log = { uri, match, limit, events: [] };
      this.#index.set(match, uri, log);
      logs.push(log);
    }
    this.#logs = logs;
  }

  /** @returns whether publications to `topic` are remembered. */
  records(topic: string): boolean {
    return (
      this.#index.exact(topic) !== undefined || (this.#index.hasPatterns && this.#index.matching(topic).length > 0)
    );
  }

  /** Remembers a publication, in every log that it belongs to. */
  record({ id, topic, details, payload, eligible }: Omit<HistoricEvent, 'at'>, at: number): void {
    const logs = this.#index.matching(topic);
    if (logs.length === 0) return;
    const event = { id, at, topic, details, payload: payload.detach?.() ?? payload, eligible };
    for (const { events, limit } of logs) {
      events.push(event);
      if (events.length >= 2 * limit) events.splice(0, events.length - limit);
    }
  }

  /**
   * @returns what `asker` may know of the publications that went to a subscription, or would have.
   * @throws WampError `wamp.error.not_authorized` for those who may not subscribe to it,
   * `wamp.error.history_unavailable` when its topics are not remembered, `wamp.error.invalid_argument` when the query
   * names a publication that is not on file.
   */
  events(asker: RouterSession, subscription: SubscriptionView, query: HistoryQuery): readonly HistoricEvent[] {
    const { uri, match } = subscription;
    if (!subscription.subscribers.includes(asker)) authorize(asker, 'subscribe', { uri, match });
    const log = this.#logs.find((each) => each.match === match && each.uri === uri) ?? this.#logFor(subscription);
    if (log === undefined) {
      throw new WampError(ErrorUri.HISTORY_UNAVAILABLE, `the history of subscription ${subscription.id} is not kept`);
    }
    const known = log.events.slice(-log.limit);
    const [first, behind] = range(known, query);
    const found = known
      .slice(first, behind)
      .filter((event) => matches(match, uri, event.topic) && isWanted(event, query))
      .filter(({ eligible }) => eligible === undefined || eligible(asker));
    return (query.reverse ? found.reverse() : found).slice(0, query.limit);
  }

  /** A log that has every publication of the subscription, and maybe others. */
  #logFor(subscription: Pattern): Log | undefined {
    return this.#logs.find((log) => covers(log, subscription));
  }
}

/** The positions between which the publications that the query names shut the events in: the first, and behind the last. */
function range(events: readonly HistoricEvent[], query: HistoryQuery): [number, number] {
  const { fromPublication, afterPublication, beforePublication, untilPublication } = query;
  const position = (id: number | undefined, otherwise: number): number => {
    if (id === undefined) return otherwise;
    const at = events.findIndex((event) => event.id === id);
    if (at === -1) throw new WampError(ErrorUri.INVALID_ARGUMENT, `publication ${id} is not on file`);
    return at;
  };
  return [
    Math.max(position(fromPublication, 0), position(afterPublication, -1) + 1),
    Math.min(position(beforePublication, events.length), position(untilPublication, events.length) + 1),
  ];
}

function isWanted({ at, topic }: HistoricEvent, query: HistoryQuery): boolean {
  return (
    (query.topic === undefined || topic === query.topic) &&
    at >= query.fromTime &&
    at > query.afterTime &&
    at < query.beforeTime &&
    at <= query.untilTime
  );
}

/** @returns a historic event as `wamp.subscription.get_events` shows it. */
export function historicEventValue(event: HistoricEvent, subscription: SubscriptionView): Dict {
  const { args, kwargs } = event.payload;
  return {
    timestamp: new Date(event.at).toISOString(),
    subscription: subscription.id,
    publication: event.id,
    details: subscription.match === 'exact' ? event.details : { ...event.details, topic: event.topic },
    ...(args.length > 0 || kwargs !== undefined ? { args } : {}),
    ...(kwargs === undefined ? {} : { kwargs }),
  };
}
