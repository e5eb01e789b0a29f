/**
 * The events that a realm keeps for later subscribers (section "Event Retention"). Of each topic it keeps the newest event for
 * everybody, and the last few newer ones that only some may see. A subscriber gets the newest that it may see. The number of
 * events and their bytes are bounded: the topics that were quiet for longest are dropped first.
 */
import { matcherOf } from '../pattern-index.js';
import { messageWeight } from '../weight.js';
import type { Qos } from '../../wamp/message.js';
import type { Dict, Payload } from '../../wamp/payload.js';
import type { Match } from '../../wamp/uri.js';
import type { Eligibility } from './eligibility.js';
import type { RetentionLimits } from './retention-limits.js';
import type { RouterSession } from '../session.js';

export interface RetainedEvent {
  /** Its publication id. */
  readonly id: number;
  readonly topic: string;
  readonly details: Dict;
  readonly payload: Payload;
  readonly qos: Qos;
  /** Who may see it; undefined: everybody. */
  readonly eligible: Eligibility | undefined;
}

/** The most restricted events that a topic keeps: those that only some sessions may see. */
const MAX_RESTRICTED = 10;
/** The most retained events that one SUBSCRIBE with a pattern gets: the newest ones. */
export const MAX_DELIVERED = 1000;
/** The most bytes that they may take together. The newest one is sent whatever its size. */
export const MAX_DELIVERED_BYTES = 1_048_576;

interface Kept extends RetainedEvent {
  readonly bytes: number;
}

export class RetainedEvents {
  #limits: RetentionLimits;
  // topic -> its events, newest first, the one for everybody last. Topics are in the order of their newest event.
  readonly #byTopic = new Map<string, readonly Kept[]>();
  #events = 0;
  #bytes = 0;

  constructor(limits: RetentionLimits) {
    this.#limits = limits;
  }

  /** Keeps an event, unless it alone is larger than the limit. @param options those of its PUBLISH */
  keep(event: RetainedEvent, options: Dict = {}): void {
    const payload = event.payload.detach?.() ?? event.payload;
    const bytes = messageWeight(event.topic, payload, options);
    if (bytes > this.#limits.bytes) return;
    const older = this.#remove(event.topic);
    const { id, topic, details, qos, eligible } = event;
    const kept = [{ id, topic, details, payload, qos, eligible, bytes }];
    if (eligible !== undefined) kept.push(...withoutOldest(older));
    this.#byTopic.set(event.topic, kept);
    this.#events += kept.length;
    this.#bytes += total(kept);
    this.#shrink();
  }

  /** Drops all events of a topic, those that only some may see too. */
  clear(topic: string): void {
    this.#remove(topic);
  }

  /**
   * @returns the newest event that `session` may see of each topic that the pattern matches, the oldest of them first. At
   * most {@link MAX_DELIVERED} and {@link MAX_DELIVERED_BYTES}.
   */
  find(match: Match, uri: string, session: RouterSession): readonly RetainedEvent[] {
    const found: Kept[] = [];
    for (const events of match === 'exact' ? [this.#byTopic.get(uri) ?? []] : this.#matching(match, uri)) {
      const event = events.find(({ eligible }) => eligible === undefined || eligible(session));
      if (event !== undefined) found.push(event);
    }
    return newest(found);
  }

  /** Other limits, from now on: what is beyond them is dropped, the topics that were quiet for longest first. */
  limit(limits: RetentionLimits): void {
    this.#limits = limits;
    this.#shrink();
  }

  /** What is kept. */
  get size(): RetentionLimits {
    return { events: this.#events, bytes: this.#bytes };
  }

  *#matching(match: Match, uri: string): Iterable<readonly Kept[]> {
    const isMatch = matcherOf(match, uri);
    for (const [topic, events] of this.#byTopic) if (isMatch(topic)) yield events;
  }

  #remove(topic: string): readonly Kept[] {
    const events = this.#byTopic.get(topic);
    if (events === undefined) return [];
    this.#byTopic.delete(topic);
    this.#events -= events.length;
    this.#bytes -= total(events);
    return events;
  }

  #shrink(): void {
    for (const topic of this.#byTopic.keys()) {
      if (this.#events <= this.#limits.events && this.#bytes <= this.#limits.bytes) return;
      this.#remove(topic);
    }
  }
}

/** @returns the last of the events, as many as one SUBSCRIBE may get. */
function newest(events: readonly Kept[]): readonly Kept[] {
  const least = Math.max(events.length - MAX_DELIVERED, 0);
  let first = events.length;
  let bytes = 0;
  while (first > least) {
    bytes += events[first - 1]?.bytes ?? 0;
    if (bytes > MAX_DELIVERED_BYTES && first < events.length) break;
    first--;
  }
  return events.slice(first);
}

/** @returns the events with room for one more that only some may see: without the oldest of these, if necessary. */
function withoutOldest(events: readonly Kept[]): readonly Kept[] {
  const restricted = events.filter(({ eligible }) => eligible !== undefined);
  return restricted.length < MAX_RESTRICTED ? events : events.filter((event) => event !== restricted.at(-1));
}

function total(events: readonly Kept[]): number {
  return events.reduce((sum, { bytes }) => sum + bytes, 0);
}
