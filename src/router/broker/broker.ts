/**
 * The broker of a realm: subscriptions and publications (section "Publish and Subscribe"). It is synchronous: a publication
 * is sent to every subscriber before the next message is routed. This keeps events in order.
 */
import { ErrorUri, WampError } from '../../wamp/error.js';
import { EVENT, NO_DETAILS, PUBLISHED, SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBED } from '../../wamp/message.js';
import { eligibilityOf } from './eligibility.js';
import { eventDetails } from './event-details.js';
import { passthrough } from '../passthru.js';
import { RetainedEvents } from './retention.js';
import { RETENTION_LIMITS } from './retention-limits.js';
import { authorize, checkReserved, checkUri } from '../authorize.js';
import { PendingSubscriptions } from './pending-subscriptions.js';
import { Subscription, Subscriptions } from './subscriptions.js';
import { patternWeight } from '../weight.js';
import { sendError } from '../request-error.js';
import type { Event, Publish, PublishOptions, Subscribe, Unsubscribe } from '../../wamp/message.js';
import type { Dict, Payload } from '../../wamp/payload.js';
import type { RandomId } from '../../wamp/id.js';
import type { Match, UriRule } from '../../wamp/uri.js';
import { RealmCounts } from '../../metrics/realm-counts.js';
import type { Budget } from '../budget.js';
import type { Publication, Uplink, WantedPattern } from '../uplink.js';
import type { Eligibility } from './eligibility.js';
import type { Asked, PendingSubscription } from './pending-subscriptions.js';
import type { EventHistory } from './history.js';
import type { SharedObserver, SubscriptionDirectory, SubscriptionObserver, SubscriptionView } from '../observer.js';
import type { RetentionLimits } from './retention-limits.js';
import type { CountByMatch } from '../pattern-index.js';
import type { Permission } from '../permission.js';
import type { RouterSession } from '../session.js';

/** What a broker is made with. */
export interface BrokerDeps {
  readonly uriRule: UriRule;
  /** Draws publication ids: global scope, so at random. */
  readonly randomId: RandomId;
  /** Counts up subscription ids: router scope. */
  readonly nextRouterId: () => number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly observer: SubscriptionObserver;
  /** Where there are other nodes, and somebody wants to know. */
  readonly shared?: SharedObserver<SubscriptionView> | undefined;
  /** By default nobody looks at them. */
  readonly counts?: RealmCounts;
  /** How much may be kept of publications with `retain`. */
  readonly retention?: RetentionLimits;
  /** Remembers publications; undefined where the realm has no store. */
  readonly history?: EventHistory | undefined;
  readonly budget: Budget;
  /** How many subscriptions a session may have. */
  readonly maxSubscriptions: number;
  /** For clients of Crossbar.io: an empty `eligible` list counts as none. */
  readonly emptyEligibleAdmitsAll?: boolean;
  /** For clients of Crossbar.io: `disclose_me` without permission is ignored instead of refused. */
  readonly ignoreDiscloseMe?: boolean;
  /** The other nodes of the realm; undefined: there are none. */
  readonly uplink?: Uplink | undefined;
}

/** What can change while there are sessions. */
export type BrokerOptions = Pick<
  Required<BrokerDeps>,
  'uriRule' | 'retention' | 'maxSubscriptions' | 'emptyEligibleAdmitsAll' | 'ignoreDiscloseMe'
>;

/**
 * The broker of a realm. It serves SUBSCRIBE, UNSUBSCRIBE and PUBLISH of sessions, and publishes for the router itself. It throws
 * when a request cannot be served: the realm turns a WampError into an ERROR, and a ProtocolViolation ends the session.
 */
export class Broker {
  #deps: BrokerDeps;
  readonly #counts: RealmCounts;
  readonly #subscriptions = new Subscriptions();
  readonly #retained: RetainedEvents;
  readonly #pending = new PendingSubscriptions();

  constructor(deps: BrokerDeps) {
    this.#deps = deps;
    this.#counts = deps.counts ?? new RealmCounts();
    this.#retained = new RetainedEvents(deps.retention ?? RETENTION_LIMITS);
  }

  /** Other options of the realm, from the next request on; of what is retained only as much stays as they allow. */
  renew(options: BrokerOptions): void {
    this.#deps = { ...this.#deps, ...options };
    this.#retained.limit(options.retention);
  }

  onSubscribe(session: RouterSession, { requestId, options, topic }: Subscribe, granted?: Permission): void {
    const match = options.match ?? 'exact';
    const { uriRule, nextRouterId, clock, uplink } = this.#deps;
    checkUri('subscribe', topic, match, uriRule);
    authorize(session, 'subscribe', topic, match, granted);
    this.#counts.allowed.subscribe += 1;
    const known = this.#subscriptions.lookup(topic, match);
    const getRetained = options.get_retained === true;
    if (known === undefined && uplink !== undefined) {
      return this.#wait(uplink, { uri: topic, match }, { session, requestId, getRetained });
    }
    if (known?.members.has(session) !== true) this.#charge(session, match, topic);
    const subscription = known ?? new Subscription(nextRouterId(), topic, match, clock());
    this.#subscribe(subscription, { session, requestId, getRetained }, false);
  }

  onUnsubscribe(session: RouterSession, { requestId, subscription: id }: Unsubscribe): void {
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined || !this.#subscriptions.leave(session, subscription)) {
      throw new WampError(ErrorUri.NO_SUCH_SUBSCRIPTION, `this session holds no subscription ${id}`);
    }
    session.send({ type: UNSUBSCRIBED, requestId });
    this.#tellLeft(session, subscription);
  }

  onPublish(session: RouterSession, message: Publish, granted?: Permission): void {
    const { options, topic } = message;
    const subscription = this.#subscriptions.exact(topic);
    // The topic of a subscription was checked when it was subscribed to.
    if (subscription === undefined) checkUri('publish', topic, 'exact', this.#deps.uriRule);
    checkReserved(topic);
    const permission = authorize(session, 'publish', topic, 'exact', granted);
    this.#counts.allowed.publish += 1;
    const isLinked = this.#deps.uplink !== undefined;
    // A client of MQTT could not be told: its message is delivered, and not retained.
    if (options.retain === true && options.acknowledge === true && isLinked && message.mqtt === undefined) {
      throw new WampError(ErrorUri.FEATURE_NOT_SUPPORTED, 'events of a realm on several nodes are not retained');
    }
    const { ignoreDiscloseMe = false } = this.#deps;
    const id = this.#deps.randomId();
    const { payload, mqtt } = message;
    this.#distribute(subscription, {
      id,
      topic,
      payload,
      details: eventDetails(session, permission, options, ignoreDiscloseMe),
      excluded: options.exclude_me === false ? 0 : session.id,
      options,
      qos: mqtt?.qos ?? (options.acknowledge === true ? 1 : 0),
      clears: mqtt?.clears === true,
    });
    this.#counts.uris?.published(topic);
    if (options.acknowledge === true) session.send({ type: PUBLISHED, requestId: message.requestId, publication: id });
  }

  /**
   * @param isAside whether the event is for the other nodes, and not for clients: nobody gets it while they cannot be reached.
   * @returns whether an event on `topic` would reach anybody. Asked before an event is built.
   */
  isWanted(topic: string, isAside = false): boolean {
    const { uplink, history } = this.#deps;
    // Other nodes may have subscribers that this one does not know.
    if (uplink !== undefined) return !isAside || uplink.mayServe?.() !== false;
    if (this.#subscriptions.exact(topic) !== undefined || history?.records(topic) === true) return true;
    return this.#subscriptions.hasPatterns && this.#subscriptions.patterns(topic).length > 0;
  }

  /**
   * Publishes for the router itself, also below `wamp.`. The event names no publisher. It is lost where there are other nodes that
   * cannot be reached: whatever it tells of has happened, and nobody waits for an answer.
   */
  publish(topic: string, payload: Payload, options: PublishOptions = NO_DETAILS): void {
    const subscription = this.#subscriptions.exact(topic);
    if (subscription === undefined && options.retain !== true && !this.isWanted(topic)) return;
    const details = passthrough(options) ?? NO_DETAILS;
    try {
      const id = this.#deps.randomId();
      this.#distribute(subscription, { id, topic, payload, details, excluded: 0, options, qos: 0, clears: false });
    } catch (error) {
      if (!(error instanceof WampError)) throw error;
    }
  }

  /** Delivers a publication, of this node or another one, to the subscribers of one pattern on this node. */
  deliver({ uri, match }: WantedPattern, publication: Publication): void {
    const subscription = this.#subscriptions.lookup(uri, match);
    if (subscription === undefined) return;
    const { options, topic } = publication;
    const details = match === 'exact' ? publication.details : { ...publication.details, topic };
    sendEvent(subscription, publication, details, eligibilityOf(options, this.#deps.emptyEligibleAdmitsAll));
  }

  /** Removes all subscriptions of a session that has left. The cost depends on how many it had, not on all there are. */
  remove(session: RouterSession): void {
    const { budget, uplink } = this.#deps;
    for (const { subscription, isLast } of this.#pending.leave(session)) {
      budget.give(session, patternWeight(subscription.match, subscription.uri));
      if (isLast) uplink?.unwanted(subscription);
    }
    // First out of all subscriptions, then the observers: no event that they publish reaches the session that has left.
    for (const subscription of this.#subscriptions.leaveAll(session)) this.#tellLeft(session, subscription);
  }

  /** What the meta API may ask. */
  get directory(): SubscriptionDirectory {
    const subscriptions = this.#subscriptions;
    return {
      list: () => subscriptions.list(),
      byId: subscriptions.byId,
      lookup: (uri, match) => subscriptions.lookup(uri, match),
      matching: (uri) => subscriptions.matching(uri),
      get: (id) => subscriptions.get(id),
      of: (session) => subscriptions.of(session),
      countOf: (session) => subscriptions.countOf(session),
      revoke: (id, session, reason) => this.#revoke(id, session, reason),
    };
  }

  /** @returns when a subscription was created, in milliseconds since 1970. */
  createdMs(id: number): number | undefined {
    return this.#subscriptions.get(id)?.createdMs;
  }

  /** How many subscriptions there are, sessions with subscriptions, and patterns that wait for the uplink. */
  get size(): { readonly subscriptions: number; readonly subscribers: number; readonly pendingSubscriptions: number } {
    return { ...this.#subscriptions.size, pendingSubscriptions: this.#pending.size };
  }

  /** How many subscriptions there are, by match policy. */
  get patterns(): CountByMatch {
    return this.#subscriptions.byMatch;
  }

  /** How much of publications is kept, as retained events and as history: in events and in bytes. */
  get kept() {
    const { events: retainedEvents, bytes: retainedBytes } = this.#retained.size;
    const { events: historyEvents, bytes: historyBytes } = this.#deps.history?.size ?? { events: 0, bytes: 0 };
    return { retainedEvents, retainedBytes, historyEvents, historyBytes };
  }

  /** @param isFirst whether there is no subscriber on any node. */
  #subscribe(subscription: Subscription, { session, requestId, getRetained }: Asked, isFirst: boolean): void {
    const { observer, shared } = this.#deps;
    const isNew = subscription.members.size === 0;
    const joined = this.#subscriptions.join(session, subscription);
    session.send({ type: SUBSCRIBED, requestId, subscription: subscription.id });
    if (getRetained) this.#sendRetained(session, subscription);
    if (isNew) observer.created(session, subscription);
    if (isNew && isFirst) shared?.begun(session, subscription);
    if (joined) observer.joined(session, subscription);
  }

  /** @throws WampError when the session has as many subscriptions as it may. */
  #wait(uplink: Uplink, pattern: WantedPattern, asked: Asked): void {
    const { uri, match } = pattern;
    const known = this.#pending.get(pattern);
    if (known === undefined || !this.#pending.isWaiting(asked.session, known)) this.#charge(asked.session, match, uri);
    if (known !== undefined) return this.#pending.add(known, asked);
    const pending = this.#pending.begin(new Subscription(uplink.idOf(pattern), uri, match, this.#deps.clock()));
    this.#pending.add(pending, asked);
    uplink.wanted(pattern, (error, standing) => {
      if (!this.#pending.end(pending)) return;
      if (error !== undefined) return this.#refuse(pending, error);
      const { subscription } = pending;
      const { createdMs = subscription.createdMs, isFirst = true } = standing ?? {};
      subscription.createdMs = createdMs;
      for (const each of pending.asked) this.#subscribe(subscription, each, isFirst);
    });
  }

  /** The uplink refuses a pattern. */
  #refuse({ subscription: { uri, match }, asked }: PendingSubscription, error: WampError): void {
    // A session that asked twice was charged once.
    for (const session of new Set(asked.map((each) => each.session))) {
      this.#deps.budget.give(session, patternWeight(match, uri));
    }
    for (const { session, requestId } of asked) sendError(session, { type: SUBSCRIBE, requestId }, error);
  }

  /** @throws WampError when the session has as many subscriptions as it may. */
  #charge(session: RouterSession, match: Match, topic: string): void {
    const { budget, maxSubscriptions } = this.#deps;
    if (this.#subscriptions.countOf(session) + this.#pending.countOf(session) >= maxSubscriptions) {
      throw new WampError(
        ErrorUri.LIMIT_EXCEEDED,
        `this session has ${maxSubscriptions} subscriptions, and may not have more`,
      );
    }
    if (!budget.take(session, patternWeight(match, topic))) {
      throw new WampError(ErrorUri.LIMIT_EXCEEDED, 'the router keeps as much for this session as it may');
    }
  }

  #revoke(id: number, session: RouterSession, reason: string | undefined): boolean {
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined || !this.#subscriptions.leave(session, subscription)) return false;
    // A subscriber that does not know revocations would take the message for a protocol violation.
    if (session.announced('subscriber', 'subscription_revocation')) {
      const details = reason === undefined ? { subscription: id } : { subscription: id, reason };
      session.send({ type: UNSUBSCRIBED, requestId: 0, details });
    }
    this.#tellLeft(session, subscription);
    return true;
  }

  #tellLeft(session: RouterSession, subscription: Subscription): void {
    const { observer, budget, uplink, shared } = this.#deps;
    budget.give(session, patternWeight(subscription.match, subscription.uri));
    // The observer may publish, but it changes no subscription.
    const deleted = subscription.members.size === 0;
    observer.left(session, subscription);
    if (!deleted) return;
    observer.deleted(session, subscription);
    uplink?.unwanted(subscription, shared?.ended(session, subscription));
  }

  /** Sends the newest retained event of each topic, with its original publication id (section "Event Retention"). */
  #sendRetained(session: RouterSession, { id, uri, match }: Subscription): void {
    for (const kept of this.#retained.find(match, uri, session)) {
      const details =
        match === 'exact'
          ? { ...kept.details, retained: true }
          : { ...kept.details, topic: kept.topic, retained: true };
      const { payload, qos } = kept;
      session.send({ type: EVENT, subscription: id, publication: kept.id, details, payload, qos, frames: [] });
    }
  }

  /** Publications for chosen sessions are not recorded: their session ids mean nothing to a later subscriber. */
  #record(history: EventHistory, publication: Publication, eligible: Eligibility | undefined): void {
    const { options } = publication;
    if (options.eligible !== undefined || options.exclude !== undefined) return;
    history.record(publication, this.#deps.clock(), options, eligible);
  }

  /** @param exact the subscription to exactly the topic, which the caller has looked up already. */
  #distribute(exact: Subscription | undefined, publication: Publication): void {
    const { uplink } = this.#deps;
    if (uplink === undefined) this.#deliver(exact, publication);
    else uplink.publish(publication);
  }

  /** One event for each subscription that matches, all with the same publication id. */
  #deliver(exact: Subscription | undefined, publication: Publication): void {
    const { options } = publication;
    const { history, emptyEligibleAdmitsAll } = this.#deps;
    const eligible = eligibilityOf(options, emptyEligibleAdmitsAll);
    if (publication.clears) this.#retained.clear(publication.topic);
    else if (options.retain === true) this.#retained.keep({ ...publication, eligible }, options);
    if (history !== undefined) this.#record(history, publication, eligible);
    if (exact !== undefined) sendEvent(exact, publication, publication.details, eligible);
    if (!this.#subscriptions.hasPatterns) return;
    const patterns = this.#subscriptions.patterns(publication.topic);
    if (patterns.length === 0) return;
    // A subscriber of a pattern learns the topic from the details (section "Pattern-based Subscriptions").
    const details = { ...publication.details, topic: publication.topic };
    for (const subscription of patterns) sendEvent(subscription, publication, details, eligible);
  }
}

/** Sends one `Event` object to all subscribers. It is encoded once for each codec, and all receivers with that codec share the bytes. */
function sendEvent(
  subscription: Subscription,
  publication: Publication,
  details: Dict,
  eligible: Eligibility | undefined,
): void {
  const { id, members } = subscription;
  const { payload, excluded, qos } = publication;
  subscription.publications++;
  const event: Event = {
    type: EVENT,
    subscription: id,
    publication: publication.id,
    details,
    payload,
    qos,
    frames: [],
  };
  for (const subscriber of members) {
    if (subscriber.id === excluded || (eligible !== undefined && !eligible(subscriber))) continue;
    subscriber.send(event);
  }
}
