/**
 * Who is subscribed to what: the relation between sessions and subscriptions, with indexes that always change together. It
 * sends nothing; the broker does.
 */
import { PatternIndex } from '../pattern-index.js';
import type { Match } from '../../wamp/uri.js';
import type { CountByMatch } from '../pattern-index.js';
import type { IdsByMatch, SubscriptionView } from '../observer.js';
import type { RouterSession } from '../session.js';

/** A subscription: all subscribers of one URI and match policy share it. */
export class Subscription implements SubscriptionView {
  readonly id: number;
  readonly uri: string;
  readonly match: Match;
  /** In order of subscription; changed by {@link Subscriptions} only. */
  readonly members = new Set<RouterSession>();
  publications = 0;
  /** Milliseconds since 1970: on the node where it was created first. */
  createdMs: number;

  constructor(id: number, uri: string, match: Match, createdMs: number) {
    this.id = id;
    this.uri = uri;
    this.match = match;
    this.createdMs = createdMs;
  }

  get created(): string {
    return new Date(this.createdMs).toISOString();
  }

  get subscriberCount(): number {
    return this.members.size;
  }

  get subscribers(): readonly RouterSession[] {
    return [...this.members];
  }
}

export class Subscriptions {
  // Three views of one relation; a subscription without members is in none of them.
  // pattern -> subscription
  readonly #byPattern = new PatternIndex<Subscription>();
  // subscription id -> subscription
  readonly #byId = new Map<number, Subscription>();
  // session -> its subscriptions; no set is empty
  readonly #bySession = new Map<RouterSession, Set<Subscription>>();

  /** @returns the subscription to exactly this URI. It looks at no pattern: this is the hot path. */
  exact(topic: string): Subscription | undefined {
    return this.#byPattern.exact(topic);
  }

  /** Whether there are subscriptions that {@link exact} does not find. */
  get hasPatterns(): boolean {
    return this.#byPattern.hasPatterns;
  }

  /** @returns the prefix and wildcard subscriptions that match: the longest prefix first, wildcards behind prefixes. */
  patterns(topic: string): readonly Subscription[] {
    const found: Subscription[] = [];
    this.#byPattern.collectPatterns(topic, found);
    return found;
  }

  lookup(uri: string, match: Match): Subscription | undefined {
    return this.#byPattern.get(match, uri);
  }

  matching(topic: string): readonly Subscription[] {
    return this.#byPattern.matching(topic);
  }

  get(id: number): Subscription | undefined {
    return this.#byId.get(id);
  }

  /** All there are, in order of creation. */
  get byId(): ReadonlyMap<number, Subscription> {
    return this.#byId;
  }

  /** @returns the ids by match policy, each list in order of creation. */
  list(): IdsByMatch {
    const ids: Record<Match, number[]> = { exact: [], prefix: [], wildcard: [] };
    for (const { id, match } of this.#byId.values()) ids[match].push(id);
    return ids;
  }

  /** @returns the subscriptions of a session, in order of subscription. */
  of(session: RouterSession): readonly Subscription[] {
    return [...(this.#bySession.get(session) ?? [])];
  }

  /** @returns how many subscriptions a session has. */
  countOf(session: RouterSession): number {
    return this.#bySession.get(session)?.size ?? 0;
  }

  /** Adds a session to a subscription, which may be new. @returns false when the session was in it already. */
  join(session: RouterSession, subscription: Subscription): boolean {
    const { members } = subscription;
    if (members.has(session)) return false;
    if (members.size === 0) {
      this.#byPattern.set(subscription.match, subscription.uri, subscription);
      this.#byId.set(subscription.id, subscription);
    }
    members.add(session);
    const own = this.#bySession.get(session);
    if (own === undefined) this.#bySession.set(session, new Set([subscription]));
    else own.add(subscription);
    return true;
  }

  /** Removes a session from a subscription. @returns false when it was not in it. */
  leave(session: RouterSession, subscription: Subscription): boolean {
    const own = this.#bySession.get(session);
    if (!own?.delete(subscription)) return false;
    if (own.size === 0) this.#bySession.delete(session);
    this.#removeMember(session, subscription);
    return true;
  }

  /** Removes a session from all its subscriptions. @returns these, in order of subscription. */
  leaveAll(session: RouterSession): Iterable<Subscription> {
    const own = this.#bySession.get(session);
    if (own === undefined) return [];
    this.#bySession.delete(session);
    for (const subscription of own) this.#removeMember(session, subscription);
    return own;
  }

  get size(): { readonly subscriptions: number; readonly subscribers: number } {
    return { subscriptions: this.#byId.size, subscribers: this.#bySession.size };
  }

  /** How many subscriptions there are, by match policy. */
  get byMatch(): CountByMatch {
    return this.#byPattern.sizes;
  }

  #removeMember(session: RouterSession, subscription: Subscription): void {
    subscription.members.delete(session);
    if (subscription.members.size > 0) return;
    this.#byPattern.delete(subscription.match, subscription.uri);
    this.#byId.delete(subscription.id);
  }
}
