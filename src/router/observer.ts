/**
 * What the broker and the dealer tell about themselves: the hooks that the WAMP meta API hangs on, and the views through
 * which it reads. Broker and dealer know nothing of meta procedures or meta events.
 */
import type { WampError } from '../wamp/error.js';
import type { InvocationPolicy } from '../wamp/message.js';
import type { Payload } from '../wamp/payload.js';
import type { Match } from '../wamp/uri.js';
import type { RouterSession } from './session.js';

/** A subscription as the meta API shows it (section "Subscription Meta API"). */
export interface SubscriptionView {
  readonly id: number;
  /** UTC, ISO 8601 with milliseconds and `Z`. */
  readonly created: string;
  readonly uri: string;
  readonly match: Match;
  /** In order of subscription. A list of its own each time it is read. */
  readonly subscribers: readonly RouterSession[];
  readonly subscriberCount: number;
  /** How many publications it had events of, since it was created. */
  readonly publications: number;
}

/** A registration as the meta API shows it (section "Registration Meta API"). */
export interface RegistrationView {
  readonly id: number;
  /** UTC, ISO 8601 with milliseconds and `Z`. */
  readonly created: string;
  readonly uri: string;
  readonly match: Match;
  readonly invoke: InvocationPolicy;
  /** In order of registration. A list of its own each time it is read. */
  readonly callees: readonly RouterSession[];
  readonly calleeCount: number;
  /** How many calls it got, since it was created. */
  readonly calls: number;
  /** How many of them are not over; those that wait for a callee are among them. */
  readonly callsInFlight: number;
}

/**
 * Called after the fact, in this order: created before joined (on_create before on_subscribe), left before deleted
 * (on_unsubscribe before on_delete). Must not throw and must not call back into the broker or the dealer except to
 * publish.
 */
export interface SubscriptionObserver {
  created(session: RouterSession, subscription: SubscriptionView): void;
  joined(session: RouterSession, subscription: SubscriptionView): void;
  left(session: RouterSession, subscription: SubscriptionView): void;
  deleted(session: RouterSession, subscription: SubscriptionView): void;
}

/** As {@link SubscriptionObserver}, for registrations. */
export interface RegistrationObserver {
  created(session: RouterSession, registration: RegistrationView): void;
  joined(session: RouterSession, registration: RegistrationView): void;
  left(session: RouterSession, registration: RegistrationView): void;
  deleted(session: RouterSession, registration: RegistrationView): void;
}

/**
 * What the nodes of a realm tell together, where there are several: a subscription or a registration begins with its first session on
 * any node, and ends with the last one. `created` and `deleted` of the observers are about this node alone then.
 */
export interface SharedObserver<View extends { readonly id: number; readonly uri: string }> {
  begun(session: Pick<RouterSession, 'id'>, view: View): void;
  /** @returns what to call when it turns out that it was the last one; undefined when nobody would be told. */
  ended(session: Pick<RouterSession, 'id'>, view: Pick<View, 'id' | 'uri'>): (() => void) | undefined;
}

/** Ids by match policy: the answer of `wamp.subscription.list` and `wamp.registration.list`. */
export type IdsByMatch = Readonly<Record<Match, readonly number[]>>;

/** What the meta API may ask the broker. */
export interface SubscriptionDirectory {
  list(): IdsByMatch;
  /** All there are, in order of creation; it changes with them. */
  readonly byId: ReadonlyMap<number, SubscriptionView>;
  /** The subscription made with exactly this URI and match policy. */
  lookup(uri: string, match: Match): SubscriptionView | undefined;
  /** The subscriptions that get the events of `uri`. */
  matching(uri: string): readonly SubscriptionView[];
  get(id: number): SubscriptionView | undefined;
  /** What a session is subscribed to, in order of subscription. */
  of(session: RouterSession): readonly SubscriptionView[];
  /** How many subscriptions that are. */
  countOf(session: RouterSession): number;
  /**
   * Takes a subscription away from a session (section "Subscription Revocation").
   * @returns false when the session does not hold it.
   */
  revoke(id: number, session: RouterSession, reason?: string): boolean;
}

/** What the meta API may ask the dealer. */
export interface RegistrationDirectory {
  list(): IdsByMatch;
  /** All there are, in order of creation; it changes with them. */
  readonly byId: ReadonlyMap<number, RegistrationView>;
  lookup(uri: string, match: Match): RegistrationView | undefined;
  /** The one registration that a call of `uri` would go to. */
  best(uri: string): RegistrationView | undefined;
  get(id: number): RegistrationView | undefined;
  /** What a session has registered, in order of registration. */
  of(session: RouterSession): readonly RegistrationView[];
  /** How many registrations that are. */
  countOf(session: RouterSession): number;
  /** Takes a registration away from a session (section "Registration Revocation"). */
  revoke(id: number, session: RouterSession, reason?: string): boolean;
}

/** Measures time and calls back later. Nothing in the router waits in any other way. */
export interface Scheduler {
  /**
   * @returns milliseconds since some moment. Unlike the time of day it goes on evenly, also when the system clock is set.
   */
  elapsed(): number;
  /** @returns a function that calls it off; harmless afterwards. */
  after(ms: number, callback: () => void): () => void;
}

const nothing = (): void => undefined;

/** For a realm without meta API. */
export const NO_OBSERVER: SubscriptionObserver & RegistrationObserver = {
  created: nothing,
  joined: nothing,
  left: nothing,
  deleted: nothing,
};

/**
 * A result that is not there yet. It calls one of the two functions, once: at once, or later when the caller may have gone.
 */
export type Later = (reply: (result: Payload) => void, fail: (error: WampError) => void) => void;
