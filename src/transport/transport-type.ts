/**
 * What a kind of transport is: from its config to a server, and what it offers where it listens. To add one: a file that exports
 * a {@link TransportType}, a line in `worker/transports.ts`, and its schema with a line in the `oneOf` of `worker/schema.ts`.
 */
import type { ManagedCookies } from '../cookie/management.js';
import type { CookieConfig } from '../cookie/schema.js';
import type { CookieStores } from '../cookie/stores.js';
import type { SerializerTypes } from '../serializer/registry.js';
import type { SerializerType } from '../serializer/serializer.js';
import type { NodeMetrics } from '../metrics/node-metrics.js';
import { authWordsOf } from '../session/deps.js';
import type { AuthSections, SessionFamilies, SessionParts } from '../session/deps.js';
import type { serializersSchema } from './connection-schema.js';
import type { Apart } from './apart/apart.js';
import type { FrontOnly, Halves } from './apart/halves.js';
import type { Drain } from './drain.js';
import type { EndpointConfig } from './endpoint-schema.js';
import type { BoundAddress } from './listen/listen.js';
import type { ProxyTrustConfig } from './proxies/schema.js';
import type { SharedPorts } from './shared-port.js';
import type { TransportOffer, WampOffer } from './offer.js';
import type { ListeningConfig, NodeFacts, Prepared } from './reload/prepared.js';

/** What the words of a config stand for, as far as connections go. */
export interface TransportFamilies extends SessionFamilies {
  /** With one for every word of the config. */
  readonly serializers: SerializerTypes & Readonly<Record<SerializerWord, SerializerType>>;
}

type SerializerWord = (typeof serializersSchema)['items']['enum'][number];

/** What anybody may know, and what not. */
export interface NodeInfo {
  /** The `id` of the node from its config, when it has one. */
  readonly id?: string;
  readonly version?: string;
  /** When the node was started, in milliseconds since 1970. */
  readonly startedMs?: number;
  /** How things stand with the config: when it was read, whether the last reload could be done, and what of it takes a restart. */
  readonly reload?: () => {
    readonly loadedAt: string;
    readonly lastReloadSuccessful: boolean;
    readonly pending: readonly string[];
  };
  /** For those who may know more. @returns what is so now. */
  readonly details?: () => NodeDetails;
  /** @returns whether clients can come now; by default they can. */
  readonly readiness?: () => Readiness;
}

/** Whether clients can come. */
export interface Readiness {
  readonly isReady: boolean;
  /** The name of each check, and `ok` or what it has found. For the operator. */
  readonly checks: Readonly<Record<string, string>>;
}

/** What tells of the machine, and is not for strangers. */
export interface NodeDetails {
  readonly title: string;
  /** The process of the node, which runs all its routers. */
  readonly pid: number;
  /** The node directory, absolute. */
  readonly directory: string;
  /** The version of Node.js. */
  readonly node: string;
  /** Those that were started, in the order of the start. */
  readonly workers: readonly { readonly id: string; readonly type: string }[];
  /** How many sessions have joined a realm. */
  readonly sessions: number;
}

/** What the worker gives to its transports. */
export interface TransportDeps extends SessionParts, Apart {
  readonly families: TransportFamilies;
  readonly stores: CookieStores;
  /** The cookies of the worker, to which those of a transport are added. */
  readonly managedCookies: ManagedCookies;
  /** What ends the connections of the node. */
  readonly drain: Drain;
  /** The ports of the node that its transports share; none by default. */
  readonly sharedPorts?: SharedPorts;
  /** What the node counts; nobody looks at it by default. */
  readonly metrics?: NodeMetrics;
  /** What may be told of the node. */
  readonly nodeInfo: NodeInfo;
  /** Whose headers tell where clients are, for the whole node; nobody's by default. */
  readonly proxyTrust?: ProxyTrustConfig;
  /** The names of all cookies by which the node recognises browsers; none by default. */
  readonly cookieNames?: ReadonlySet<string>;
  /** Files and directories that are never served, absolute. */
  readonly privatePaths: readonly string[];
}

/** A transport that can run. Created without side effects. */
export interface TransportServer {
  /** @throws when it cannot listen, or a part of it does not start. */
  start(): Promise<BoundAddress>;
  /** Idempotent; never rejects. */
  stop(): Promise<void>;
  /**
   * As `stop`, of a transport that the config has no longer: it listens no more when this returns, and its connections end one by one, as
   * those of a node that stops. `stop` may be called meanwhile. One without it is stopped.
   */
  dismiss?(): Promise<void>;
  /**
   * Prepares to go on with another config, of the same type. A transport without it takes a new start.
   * @returns undefined when it listens elsewhere, or otherwise: then it takes another server.
   * @throws (rejects) when a part cannot be set up: all is as before.
   */
  prepare?(next: ListeningConfig, facts: NodeFacts): Promise<Prepared | undefined>;
}

/** What all transports have in their config. */
export interface AnyTransportConfig {
  readonly type: string;
  readonly id: string;
}

/** One kind of transport. `D` is what it needs. */
export interface TransportType<
  C extends AnyTransportConfig = AnyTransportConfig,
  D extends TransportDeps = TransportDeps,
> {
  /** The word for it in `type`. */
  readonly type: C['type'];
  /**
   * @returns undefined for a transport that has no effect: it listens nowhere.
   * @throws (or rejects) when its authentication cannot be set up.
   */
  create(config: C, deps: D): TransportServer | undefined | Promise<TransportServer>;
  /** @param bound where it listens. */
  offer(config: C, bound: BoundAddress): TransportOffer;
  /**
   * @param socket see `halvesOf`.
   * @returns what of it is at fronts, and what at their router; undefined where it has to be whole, as one without this always has.
   */
  halves?(config: C, socket: string, families: D['families']): Halves<C> | FrontOnly<C> | undefined;
  /** @returns its `cookie` sections, in the order of the config. */
  cookieSections(config: C): readonly CookieConfig[];
}

/** What the config of a place says of WAMP clients. */
export interface WampSections extends Pick<AuthSections, 'auth'> {
  readonly serializers: readonly string[];
}

/** @returns how WAMP clients connect to a place. */
export function wampOffer(sections: WampSections): WampOffer {
  return { serializers: sections.serializers, auth: authWordsOf(sections) };
}

/**
 * @param scheme of a plain connection; over TLS an `s` follows.
 * @returns where a program of this machine finds a transport, with a slash at the end.
 */
export function urlOf(scheme: string, endpoint: EndpointConfig, bound: BoundAddress): string {
  const secure = 'tls' in endpoint ? 's' : '';
  const host = 'path' in bound ? `unix:${bound.path}:` : `${urlHost(bound.address)}:${bound.port}`;
  return `${scheme}${secure}://${host}/`;
}

function urlHost(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  if (address === '::') return '[::1]';
  return address.includes(':') ? `[${address}]` : address;
}
