/** What a part of the node answers that is asked to go on with another config. */
import type { EndpointConfig } from '../endpoint-schema.js';

/** A change that is ready. Exactly one of the two is called. */
export interface Prepared {
  /** The change, in one step. Never throws. */
  commit(): void;
  /** Nothing changes; what was made for it is released. */
  discard(): Promise<void>;
}

/** What of the node a new config brings with it. */
export interface NodeFacts {
  /** The names of all cookies by which the node recognises browsers. */
  readonly cookieNames: ReadonlySet<string>;
  /** Files and directories that are never served, absolute. */
  readonly privatePaths: readonly string[];
}

/** What all these transports have in their config. */
export interface ListeningConfig {
  readonly endpoint: EndpointConfig;
}
