/** What a worker is and offers, as data. Part of the public types: nothing of the config may be imported here. */
import type { TransportOffer } from '../transport/offer.js';

/** One worker. */
export interface WorkerSummary {
  readonly worker: string;
  /** The word in its `type`. */
  readonly type: string;
}

/** One component, which runs inside the node. */
export interface ComponentSummary {
  /** The component's id in the config. */
  readonly component: string;
  readonly worker: string;
  /** The word in its `type`. */
  readonly type: string;
  readonly realm: string;
  readonly role: string;
}

/** One transport that listens. */
export interface ListeningSummary extends TransportOffer {
  /** The transport's id in the config. */
  readonly transport: string;
  readonly worker: string;
  /** The word in its `type`. */
  readonly type: string;
  /** The address it listens on, `0.0.0.0` and `::` being all of the machine, or the path of a unix socket. */
  readonly address: string;
  /** None for a unix socket. */
  readonly port?: number;
}

/** One realm. */
export interface RealmSummary {
  readonly realm: string;
  readonly worker: string;
  readonly roles: readonly string[];
}

/** A session that the config would not let in any more as whom it is. */
export interface OutdatedSession {
  /** The digest of the cookie where the `authid` is the id of one. */
  readonly authid: string;
  readonly role: string;
  readonly realm: string;
  readonly session: number;
  /** The method by which it was let in. */
  readonly method: string;
  /** What is wrong with it, in a few words. */
  readonly why: string;
}

/** The sessions of principals that are gone, or are others by now. */
export interface OutdatedSessions {
  readonly count: number;
  /** How many of them were ended, because the config says so (`controller.options.reload`). */
  readonly killed: number;
  /** The first twenty. */
  readonly sessions: readonly OutdatedSession[];
}
