/**
 * The other nodes of a realm, as broker and dealer see them. A node alone has no uplink, and pays nothing for it: what would
 * go through one happens at once.
 *
 * Callbacks only: an uplink may answer at once or later, in a turn of its own, and never in the middle of `Elsewhere.deliver`. What
 * comes from the other nodes it brings to `Realm.elsewhere`.
 *
 * How a call gets to the callee of another node:
 *
 * - On the node of the caller, the uplink shows the dealer each callee of another node as a session that never joined the realm, like
 *   those of `session/internal-caller.ts` (`Elsewhere.admit`). Its `send` takes INVOCATION and INTERRUPT to its node; the answers come
 *   back as its YIELD and ERROR, by `Realm.receive`. So invocation policies, canceling, timeouts and progressive results stay where
 *   they are, in the dealer. A node that surely did not get the INVOCATION is an ERROR `wamp.error.unavailable`, which goes to the next
 *   callee; one that is lost is `Realm.forget`, which answers its callers.
 * - On the node of the callee, the caller is such a session, and its call comes in by `Elsewhere.forward`: the callee is chosen, and
 *   the details of INVOCATION are written. Its CANCEL comes by `Realm.receive`.
 */
import type { WampError } from '../wamp/error.js';
import type { InvocationPolicy, PublishOptions, Qos, RegisterOptions } from '../wamp/message.js';
import type { Dict, Payload } from '../wamp/payload.js';
import type { Match } from '../wamp/uri.js';
import type { RouterSession } from './session.js';

/** A publication on its way to the subscribers: data that can be sent to another node. Who gets it is decided at delivery. */
export interface Publication {
  /** The publication id. */
  readonly id: number;
  readonly topic: string;
  readonly payload: Payload;
  /** Of the events for exact subscriptions (section "Publisher Identification"); patterns add the topic. */
  readonly details: Dict;
  /** The session id of the publisher, unless it wants its own events; 0: nobody is excluded. */
  readonly excluded: number;
  /** As PUBLISH has them: the lists of receivers, and `retain`. */
  readonly options: PublishOptions;
  /** For subscribers that speak MQTT. What a publisher of WAMP wants acknowledged counts as 1, everything else as 0. */
  readonly qos: Qos;
  /** The topic keeps no event from now on. */
  readonly clears: boolean;
}

/** What a session subscribes to, or registers. */
export interface WantedPattern {
  readonly uri: string;
  readonly match: Match;
}

/**
 * One session of this node wants to be a callee: data that can be sent to another node. Each REGISTER that the other nodes
 * have to know of makes one of its own, and the object stands for it from {@link Uplink.registered} to
 * {@link Uplink.unregistered}.
 */
export interface RegistrationClaim extends WantedPattern {
  readonly invoke: InvocationPolicy;
  /** It takes the place of all callees that there are, on every node (`force_reregister`). */
  readonly force: boolean;
  /** As REGISTER has them. */
  readonly options: RegisterOptions;
  /** Who will be called: the session id, and what tells other nodes whether to trust it. */
  readonly callee: Pick<RouterSession, 'announced' | 'id' | 'authid' | 'authrole'>;
}

/** Where a callee stands among those of all nodes. */
export interface AdmittedStanding {
  /** The id of its registration: the same on every node, and not one that another registration of the realm has. */
  readonly id: number;
  /** The callee stands behind all with a smaller one. */
  readonly place: number;
  /** When the registration was created; milliseconds since 1970. */
  readonly createdMs: number;
}

/** Where a registration of this node stands among those of all nodes. */
export interface RegistrationStanding extends AdmittedStanding {
  /** Whether there was no callee on any node before this one, or it took the place of all. */
  readonly isFirst: boolean;
  /** The last callee whose place it took: its session id, and the id of the registration that ended with it. */
  readonly replaced?: { readonly session: number; readonly registration: number } | undefined;
}

/** Where a subscription of this node stands among those of all nodes. */
export interface SubscriptionStanding {
  /** When it was created; milliseconds since 1970. */
  readonly createdMs: number;
  /** Whether there was no subscriber on any node before. */
  readonly isFirst: boolean;
}

/** A question of the meta API to the same realm of other nodes: plain data. */
export interface MetaQuestion {
  /** The URI of the procedure that a session of this node calls. */
  readonly procedure: string;
  /** What its arguments say: values of JSON. */
  readonly question: Dict;
  /** The id of the one session that it is about: only its node is asked, if it is another one. */
  readonly about: number | undefined;
}

/** What one node answers: plain data. It is empty where the node has nothing to say. */
export interface MetaAnswer {
  /** Lists of ids by name, of any length. */
  readonly lists?: Readonly<Record<string, readonly number[]>>;
  /** Everything else: values of JSON, some kilobytes at most. */
  readonly facts?: Dict;
}

/** What joins a realm of this node to the same realm of the others. Nothing here throws, except {@link Uplink.publish}. */
export interface Uplink {
  /**
   * @returns whether this node may serve the realm: it looks at the clock. Where it is left out it always may. Asked before each message
   *   of a session, because a node that was stopped for a while must not do anything before it knows.
   */
  mayServe?(): boolean;
  /**
   * @returns the id of the subscription to a pattern: the same on every node, and not one that another pattern of the realm has. Asked
   *   before {@link wanted}.
   */
  idOf(pattern: WantedPattern): number;
  /**
   * The first session of this node wants events of a pattern. SUBSCRIBED is sent when `done` is called: from then on every
   * event that is published anywhere reaches it.
   * @param done called once; harmless when nobody wants the pattern any more. With an error nothing is wanted: the clients get it.
   *   Without `standing` it is the first one, as on a node alone.
   */
  wanted(pattern: WantedPattern, done: (error?: WampError, standing?: SubscriptionStanding) => void): void;
  /**
   * Nobody on this node wants the pattern any more, `done` called or not. Not called after a `done` with an error.
   * @param ended called later, at most once, if nobody on any other node does either, and it is for this node to tell that.
   */
  unwanted(pattern: WantedPattern, ended?: () => void): void;
  /**
   * A session of this node wants to register. REGISTERED is sent when `done` is called: from then on a call on any node
   * finds it. There is one question at a time for each pattern. The callees whose place is taken by `force` stay until then;
   * those of other nodes go by `Elsewhere.revokeClaim` there.
   * @param done called once; harmless when the session has gone. With an error (`wamp.error.procedure_already_exists`, say)
   *   the other nodes refuse, and know nothing of the claim: the client gets the error. Else `standing` says where the callee stands
   *   among those of all nodes; by default behind all that this one knows, of a registration that only this one has.
   */
  registered(claim: RegistrationClaim, done: (error?: WampError, standing?: RegistrationStanding) => void): void;
  /**
   * A claim is over: the session unregistered or has gone, or the registration was taken away. `done` may still be due then.
   * Not called after a `done` with an error.
   * @param ended called later, at most once, if it was the last callee on any node.
   */
  unregistered(claim: RegistrationClaim, ended?: () => void): void;
  /**
   * Hands a publication of this node to all nodes, this one too: by `Elsewhere.deliver`, for each pattern that is wanted there and
   * matches, in the order in which it was published.
   * @throws WampError when it cannot: the publisher is told, if it asked for an acknowledgement.
   */
  publish(publication: Publication): void;
  /**
   * Asks the other nodes, which answer by `Elsewhere.answer`.
   * @param done called once, with the answers of all nodes that there are; a WampError when one of them has failed, or is there and
   *   gives no answer (`wamp.error.unavailable`).
   */
  ask(question: MetaQuestion, done: (answers: readonly MetaAnswer[] | WampError) => void): void;
}
