/**
 * The event history of a realm (section "Event History"): publications to the topics that the config names are kept,
 * each once, whether or not anybody was subscribed. Publications for chosen sessions are not kept, for session ids mean
 * nothing to those who ask later; lists of authids and authroles hold for whoever asks. What is kept is bounded in number
 * for each entry of the config, and in bytes for all together: the oldest publications leave first.
 */
import { ErrorUri, WampError } from '../../wamp/error.js';
import { covers } from '../pattern-relations.js';
import { NO_PAYLOAD, countValues } from '../../wamp/payload.js';
import { PatternIndex, matcherOf } from '../pattern-index.js';
import { messageWeight } from '../weight.js';
import { authorize } from '../authorize.js';
import type { Dict, Payload } from '../../wamp/payload.js';
import type { Match } from '../../wamp/uri.js';
import type { Pattern } from '../pattern-relations.js';
import type { Eligibility } from './eligibility.js';
import type { HistoryQuery } from './history-query.js';
import type { SubscriptionView } from '../observer.js';
import type { RouterSession } from '../session.js';
import type { StoreConfig } from '../store-schema.js';

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
  /** What it takes. */
  readonly bytes: number;
}

/** An event of a page. */
export interface ShownEvent {
  readonly event: HistoricEvent;
  /** Undefined when it has no place in an answer. */
  readonly payload: Pick<Payload, 'args' | 'kwargs'> | undefined;
}

/** What one query brings. */
export interface HistoryPage {
  readonly events: readonly ShownEvent[];
  /** There are further ones for which the answer has no room: ask again, behind the last of these. */
  readonly more: boolean;
}

/** 64 MiB, as much as a realm retains: enough for a long look back, too little to hurt the process. */
export const MAX_HISTORY_BYTES = 67_108_864;

/** What one answer shows at most, as it is kept: values are made of it for each who asks. One event comes in any case. */
export const PAGE_BYTES = 131_072;

/** The same in values: small ones cost time, not bytes. */
const PAGE_VALUES = 20_000;

/** An event that is larger is shown without its payload, and with its size; and so is one of more than {@link PAGE_VALUES}. */
export const MAX_SHOWN_BYTES = 262_144;

/** Lists and dictionaries in each other that an event is shown with: all serializers can write them within a RESULT. */
const MAX_SHOWN_NESTING = 60;

interface Kept extends HistoricEvent {
  /** Counts up: which is older, across all logs. */
  readonly order: number;
}

/** An entry of `event-history`, with its publications in order of arrival. */
class Log implements Pattern {
  readonly uri: string;
  readonly match: Match;
  limit: number;
  readonly #events: (Kept | undefined)[] = [];
  #first = 0;

  constructor({ uri, match }: Pattern, limit: number) {
    this.uri = uri;
    this.match = match;
    this.limit = limit;
  }

  get events(): readonly Kept[] {
    return this.#events.slice(this.#first).filter((event) => event !== undefined);
  }

  get length(): number {
    return this.#events.length - this.#first;
  }

  get oldest(): Kept | undefined {
    return this.#events[this.#first];
  }

  add(event: Kept): void {
    this.#events.push(event);
  }

  forgetOldest(): void {
    this.#events[this.#first++] = undefined;
    // The places of those that are gone are given back in bulk.
    if (this.#first * 2 < this.#events.length) return;
    this.#events.splice(0, this.#first);
    this.#first = 0;
  }
}

export class EventHistory {
  #logs: readonly Log[] = [];
  // The same logs, by their patterns.
  #index = new PatternIndex<Log>();
  #maxBytes = 0;
  /** What is in several logs counts in each. */
  #bytes = 0;
  #lastOrder = 0;

  constructor(config: StoreConfig) {
    this.renew(config);
  }

  /** Other entries and limits, from now on. Entries that stay keep what they remember, as far as their limits allow. */
  renew(config: StoreConfig): void {
    const index = new PatternIndex<Log>();
    const { limit: otherwise = 100, max_bytes: maxBytes = MAX_HISTORY_BYTES, 'event-history': entries = [] } = config;
    const logs: Log[] = [];
    for (const { uri, match = 'exact', limit = otherwise } of entries) {
      // Of two entries for one pattern the first counts.
      if (index.get(match, uri) !== undefined) continue;
      const log = this.#index.get(match, uri) ?? new Log({ uri, match }, limit);
      log.limit = limit;
      index.set(match, uri, log);
      logs.push(log);
    }
    this.#logs = logs;
    this.#index = index;
    this.#maxBytes = maxBytes;
    for (const log of logs) while (log.length > log.limit) log.forgetOldest();
    this.#bytes = logs.reduce((sum, { events }) => events.reduce((bytes, event) => bytes + event.bytes, sum), 0);
    while (this.#bytes > this.#maxBytes) this.#forgetOldest(this.#oldestLog());
  }

  /** @returns whether publications to `topic` are remembered. */
  records(topic: string): boolean {
    return (
      this.#index.exact(topic) !== undefined || (this.#index.hasPatterns && this.#index.matching(topic).length > 0)
    );
  }

  /**
   * Remembers a publication, in every log that it belongs to; one that is larger than all that may be kept is not.
   * @param at milliseconds since 1970.
   * @param options of its PUBLISH.
   */
  record(
    { id, topic, details, payload }: Pick<HistoricEvent, 'id' | 'topic' | 'details' | 'payload'>,
    at: number,
    options: Dict = {},
    eligible?: Eligibility,
  ): void {
    const logs = this.#index.matching(topic);
    if (logs.length === 0) return;
    const own = payload.detach?.() ?? payload;
    const bytes = messageWeight(topic, own, options);
    if (bytes * logs.length > this.#maxBytes) return;
    const event = { id, at, topic, details, payload: own, eligible, bytes, order: ++this.#lastOrder };
    for (const log of logs) {
      log.add(event);
      this.#bytes += bytes;
      if (log.length > log.limit) this.#forgetOldest(log);
    }
    while (this.#bytes > this.#maxBytes) this.#forgetOldest(this.#oldestLog());
  }

  /** What is kept, in all logs together. */
  get size(): { readonly events: number; readonly bytes: number } {
    return { events: this.#logs.reduce((sum, { length }) => sum + length, 0), bytes: this.#bytes };
  }

  /**
   * @returns what `asker` may know of the publications that went to a subscription, or would have.
   * @throws WampError `wamp.error.not_authorized` for those who may not subscribe to it,
   * `wamp.error.history_unavailable` when its topics are not remembered, `wamp.error.invalid_argument` when the query
   * names a publication that is not on file.
   */
  events(asker: RouterSession, subscription: SubscriptionView, query: HistoryQuery): HistoryPage {
    const { uri, match } = subscription;
    if (!subscription.subscribers.includes(asker)) authorize(asker, 'subscribe', uri, match);
    const log = this.#logs.find((each) => each.match === match && each.uri === uri) ?? this.#logFor(subscription);
    if (log === undefined) {
      throw new WampError(ErrorUri.HISTORY_UNAVAILABLE, `the history of subscription ${subscription.id} is not kept`);
    }
    const known = log.events;
    const [first, end] = range(known, query);
    const behind = Math.max(first, end);
    const isMatch = log.match === match && log.uri === uri ? undefined : matcherOf(match, uri);
    const isFor = (event: HistoricEvent): boolean =>
      isWanted(event, query) && isMatch?.(event.topic) !== false && event.eligible?.(asker) !== false;
    return pageOf(known, query.reverse ? [behind - 1, first - 1] : [first, behind], query.limit, isFor);
  }

  #forgetOldest(log: Log | undefined): void {
    if (log === undefined) return;
    this.#bytes -= log.oldest?.bytes ?? 0;
    log.forgetOldest();
  }

  #oldestLog(): Log | undefined {
    const order = ({ oldest }: Log): number => oldest?.order ?? Infinity;
    return this.#logs.reduce<Log | undefined>(
      (found, log) => (found === undefined || order(log) < order(found) ? log : found),
      undefined,
    );
  }

  /** A log that has every publication of the subscription, and maybe others. */
  #logFor(subscription: Pattern): Log | undefined {
    return this.#logs.find((log) => covers(log, subscription));
  }
}

/** @param span where to begin, and the position behind the end, which may lie before it. */
function pageOf(
  events: readonly HistoricEvent[],
  [from, end]: readonly [number, number],
  limit: number,
  isFor: (event: HistoricEvent) => boolean,
): HistoryPage {
  const page: ShownEvent[] = [];
  let bytes = 0;
  let values = 0;
  for (let at = from; at !== end && page.length < limit; at += from < end ? 1 : -1) {
    const event = events[at];
    if (event === undefined || !isFor(event)) continue;
    const count = event.bytes > MAX_SHOWN_BYTES ? Infinity : valuesIn(event.payload);
    const isShown = count !== Infinity;
    bytes += Math.min(event.bytes, MAX_SHOWN_BYTES);
    values += isShown ? count : 0;
    if ((bytes > PAGE_BYTES || values > PAGE_VALUES) && page.length > 0) return { events: page, more: true };
    page.push({ event, payload: isShown ? builtOf(event.payload) : undefined });
  }
  return { events: page, more: false };
}

/** @returns Infinity for a payload that has no place in an answer. */
function valuesIn(payload: Payload): number {
  return payload.countValues?.(PAGE_VALUES, MAX_SHOWN_NESTING) ?? countValues(payload, PAGE_VALUES, MAX_SHOWN_NESTING);
}

/** @returns undefined when its serializer cannot make values of it. */
function builtOf(payload: Payload): Pick<Payload, 'args' | 'kwargs'> | undefined {
  try {
    return payload.values?.() ?? payload;
  } catch (error) {
    if (!(error instanceof WampError)) throw error;
    return undefined;
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

/**
 * @returns a historic event as `wamp.subscription.get_events` shows it; without a payload that has no place in the answer,
 * so that nobody spoils the history for all by publishing such a one.
 */
export function historicEventValue({ event, payload }: ShownEvent, subscription: SubscriptionView): Dict {
  const { args, kwargs } = payload ?? NO_PAYLOAD;
  return {
    timestamp: new Date(event.at).toISOString(),
    subscription: subscription.id,
    publication: event.id,
    details: subscription.match === 'exact' ? event.details : { ...event.details, topic: event.topic },
    ...(args.length > 0 || kwargs !== undefined ? { args } : {}),
    ...(kwargs === undefined ? {} : { kwargs }),
    ...(payload === undefined ? { omitted_bytes: event.bytes } : {}),
  };
}
