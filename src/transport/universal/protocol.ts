/**
 * Protocols without HTTP that a `universal` transport takes on its endpoint. To add one: a file that exports a {@link RawProtocol}, a line
 * in `webservice/universal/protocols.ts`, and its section in `webservice/universal/schema.ts`.
 */
import type { LivePart } from '../reload/live-acceptor.js';
import type { SharedPort } from '../shared-port.js';
import type { TransportDeps, WampSections } from '../transport-type.js';

/** What the transport gives to its protocols. */
export interface RawProtocolDeps extends Pick<
  TransportDeps,
  'router' | 'load' | 'drain' | 'families' | 'logins' | 'metrics' | 'atFront' | 'behindFronts'
> {
  /** The id of the transport. */
  readonly id: string;
  /** Of the transport. */
  readonly log: TransportDeps['log'];
  /** Where others have the same port. */
  readonly shared?: SharedPort | undefined;
}

/** A protocol whose clients begin with an octet that begins no HTTP request, and no other protocol. `C` is its section. */
export interface RawProtocol<C extends object = object> {
  /** The key of its section, and the word of the transport that has this protocol alone. */
  readonly type: string;
  /** Of URLs; over TLS an `s` follows. */
  readonly scheme: string;
  /** What its clients send first. */
  readonly firstOctet: number;
  /** @returns how long a client may take for it, in milliseconds; 0 means for ever. */
  helloTimeoutMs(config: C): number;
  /** @returns what is said of its WAMP clients. */
  clients(config: C): WampSections;
  /** @throws (rejects) when a package is missing, or its authentication cannot be set up. */
  create(config: C, deps: RawProtocolDeps): Promise<LivePart<C>>;
}
