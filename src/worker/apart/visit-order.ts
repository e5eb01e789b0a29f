/** What the process of a router worker is told of fronts whose clients come to it: data alone. */
import type { ProxyRoutes } from '../proxy/schema.js';
import type { TransportConfig } from '../schema.js';

/** The clients of fronts that come to the process with a realm of its own. */
export interface VisitOrder {
  /** The proxy worker. */
  readonly worker: string;
  readonly routes: ProxyRoutes;
  /** The socket file to which the fronts connect. */
  readonly link: string;
  readonly transports: readonly VisitedTransport[];
}

/** One transport of it. */
export interface VisitedTransport {
  /** Its index in the config. */
  readonly index: number;
  /** Its place in the config file. */
  readonly pointer: string;
  /** The router's half of it, as far as clients join realms by it. */
  readonly config: TransportConfig;
}

/** Asked by the node: a {@link VisitOrder}; the answer is nothing. */
export const VISIT = 'visit';
