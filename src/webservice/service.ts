/**
 * What a web service of the config is made of. To add one: a file exporting a {@link WebServiceType}, a line in `registry.ts`, its
 * schema (`...-schema.ts`) with a line in the `oneOf` of `schema.ts`, and a call of the suite in `test/contract/web-service.ts`.
 * `server.ts` stays as it is. A service that takes request bodies reads them with a `BodyReader` (`http/bodies.ts`).
 */
import type { WebService } from '../http/service.js';
import type { SessionDeps, SessionParts } from '../session/deps.js';
import type { NodeMetrics } from '../metrics/node-metrics.js';
import type { TransportCounts } from '../metrics/transport-counts.js';
import type { Warden } from '../system/process/warden.js';
import type { CookieConfig } from '../cookie/schema.js';
import type { Drain } from '../transport/drain.js';
import type { Apart } from '../transport/apart/apart.js';
import type { NodeInfo, TransportFamilies } from '../transport/transport-type.js';
import type { CookieSection, CookieSectionDeps } from './cookies.js';
import type { ApplicationHost } from './python/application-host.js';
import type { RequestTimes } from './request-times.js';
import type { PathServiceConfig } from './schema.js';

/** A service for every word of the config. */
export type WebServiceTypes = {
  readonly [T in PathServiceConfig['type']]: WebServiceType<Extract<PathServiceConfig, { readonly type: T }>>;
};

/** What the words of a config stand for, as far as services go. */
export interface WebFamilies extends TransportFamilies {
  readonly services: WebServiceTypes;
}

/** What a service needs that starts programs. */
export interface ProgramDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly warden: Warden;
}

/** What services are given. Which of it they use is their business. */
export interface WebServiceDeps extends CookieSectionDeps, Apart {
  readonly router: SessionParts['router'];
  readonly load: SessionParts['load'];
  readonly logins: SessionParts['logins'];
  readonly families: WebFamilies;
  /** What ends the connections of the node. */
  readonly drain: Drain;
  /** The `cookie` section in force where the service is mounted: its own, or that of the nearest path above. */
  readonly cookies: CookieSection | undefined;
  /** The names of all cookies by which the node recognises browsers; none by default. */
  readonly cookieNames?: ReadonlySet<string> | undefined;
  readonly nodeInfo: NodeInfo;
  /** What the node counts. */
  readonly metrics: NodeMetrics;
  /** What is counted of the transport; by default nobody looks at it. */
  readonly counts?: TransportCounts | undefined;
  /** Paths of the transport that accept WebSocket connections, such as `/ws`. */
  readonly webSocketPaths: readonly string[];
  /** Files and directories of the node that are never served, absolute. */
  readonly privatePaths: readonly string[];
  /**
   * Where several workers have the same port: makes the sessions of a service, named by its config, find the routers of the others.
   * Undefined by default.
   */
  readonly share?: ((service: object, sessions: SessionDeps) => SessionDeps) | undefined;
  /** For services that start programs: the environment of the node, and what ends them when the node is gone. */
  readonly programs?: ProgramDeps | undefined;
  /** For services that are applications of Python; undefined where nobody runs them. */
  readonly applications?: ApplicationHost | undefined;
  /** The `cookie` section of a config: the same object for the same one. By default a new one. */
  readonly sectionOf?: ((config: CookieConfig, deps: CookieSectionDeps) => CookieSection) | undefined;
  /** Builds the service of a nested path. Passed in, because the registry knows the services and not the reverse. */
  readonly createService: (config: PathServiceConfig, deps: WebServiceDeps) => WebService;
}

/** One entry of the registry. */
export interface WebServiceType<C extends PathServiceConfig = PathServiceConfig> {
  /** The word for it in `type` of a path's config. */
  readonly type: C['type'];
  /** Tracks cookies itself, or has nothing to do with them: it is not put behind the `cookie` section in force. */
  readonly tracksItself?: true;
  /** Goes on as it is when what is around it changes: two of it at a time would be in each other's way. */
  readonly keepsRunning?: true;
  /** What a front serves itself: also where a `cookie` section is in force, or only where there is none. All else needs the router. */
  readonly atFront?: 'always' | 'untracked';
  /** How long requests for the service may take to arrive, if the usual times do not fit. */
  times?(config: C): RequestTimes;
  /** Has no side effects: nothing is opened or read before `start`. */
  create(config: C, deps: WebServiceDeps): WebService;
}
