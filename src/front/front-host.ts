/**
 * Watches over the connections of one place that fronts have: the limits, the deadline for HELLO and the end of all of them. Pings,
 * frames and what waits for each client are a matter of the front.
 */
import { TransportHost } from '../transport/transport-host.js';
import { unsentLimits } from '../transport/outbox/outbox.js';
import type { ConnectionLimitOptions } from '../transport/connection-limits.js';
import type { HostDeps } from '../transport/transport-host.js';
import type { Protocol } from '../metrics/transport-counts.js';

/** The options of a place that count here. */
export interface PlaceOptions extends ConnectionLimitOptions {
  readonly hello_timeout: number;
  readonly authenticate_timeout: number;
  readonly max_unsent_bytes: number;
}

const NO_PING = Buffer.alloc(0);

export class FrontHost extends TransportHost {
  constructor(protocol: Protocol, options: PlaceOptions, deps: HostDeps) {
    super(
      {
        protocol,
        helloTimeoutMs: options.hello_timeout,
        authenticateTimeoutMs: options.authenticate_timeout,
        ...{ pingIntervalMs: 0, pongTimeoutMs: 0, pingFrame: NO_PING, trafficIsLife: true, closeTimeoutMs: 0 },
        unsent: unsentLimits(options.max_unsent_bytes, false),
        connections: options,
      },
      deps,
    );
  }
}
