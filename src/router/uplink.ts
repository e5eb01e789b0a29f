/**
 * The other nodes of a realm, as broker and realm see them. A node alone has no uplink, and pays nothing for it: what would
 * go through one happens at once.
 *
 * Callbacks only: an uplink may answer at once or later, in a turn of its own, and never in the middle of `Realm.deliver`.
 */
import type { PublishOptions } from '../wamp/message.js';
import type { Dict, Payload } from '../wamp/payload.js';
import type { Match } from '../wamp/uri.js';

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
}

/** What somebody subscribes to. */
export interface WantedPattern {
  readonly uri: string;
  readonly match: Match;
}

export interface Uplink {
  /** @returns the id of the subscription to a pattern, the same on every node; not one that another pattern of the realm has. */
  idOf(pattern: WantedPattern): number;
  /**
   * The first session of this node wants events of a pattern. SUBSCRIBED is sent when `done` is called: from then on every
   * event that is published anywhere reaches it.
   * @param done called once; harmless when nobody wants the pattern any more.
   */
  wanted(pattern: WantedPattern, done: () => void): void;
  /** Nobody on this node wants the pattern any more, `done` called or not. */
  unwanted(pattern: WantedPattern): void;
  /**
   * Hands a publication of this node to all nodes, this one too: by `Realm.deliver`, in the order in which it was published.
   * @throws WampError when it cannot: the publisher is told, if it asked for an acknowledgement.
   */
  publish(publication: Publication): void;
}
