/** What a transport offers, as data. Part of the public types: nothing of the config may be imported here. */

/** How WAMP clients connect to a place. */
export interface WampOffer {
  /** The words in its `serializers`. */
  readonly serializers: readonly string[];
  /** The authentication methods, by their words in the config. */
  readonly auth: readonly string[];
}

/** A service on a path. */
export interface PathSummary {
  readonly path: string;
  readonly type: string;
  /** Where it is on this machine. */
  readonly url: string;
  /** Where it takes WAMP clients. */
  readonly wamp?: WampOffer;
}

/** A protocol beside HTTP on the address of a transport. */
export interface BesideSummary {
  /** The word of the transport that has this protocol alone. */
  readonly type: string;
  /** Where its clients on this machine go. */
  readonly url: string;
}

/** What a transport offers where it listens. */
export interface TransportOffer {
  /**
   * Where a browser or a WAMP client on this machine goes. A unix socket is written as reverse proxies do it:
   * `http://unix:/run/node.sock:/`.
   */
  readonly url: string;
  /** What else is spoken there. */
  readonly beside?: readonly BesideSummary[];
  /** Where it takes WAMP clients itself, and not on its paths. */
  readonly wamp?: WampOffer;
  /** The services by path; none for transports without paths. */
  readonly paths: readonly PathSummary[];
}
