/**
 * What a web service is: something mounted on a path of a web transport that answers plain HTTP requests and,
 * if it can, WebSocket upgrades. It never looks at paths outside its mount and never listens on a port.
 *
 * To add one: a file exporting a {@link WebServiceType}, a line in `registry.ts`, its config schema in `schema.ts` and
 * a call of the suite in `test/contract/web-service.ts`. `server.ts` stays as it is.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { CookieDirectory } from '../cookie/directory.js';
import type { CookieStores } from '../cookie/stores.js';
import type { Logger } from '../log/logger.js';
import type { SessionParts } from '../session/deps.js';
import type { Drain } from '../transport/drain.js';
import type { CookieSection } from './cookies.js';
import type { PathServiceConfig } from './schema.js';

/** One request as a service sees it. */
export interface WebRequest {
  readonly req: IncomingMessage;
  /** Where the service is mounted: `/` or `/a/b`, without trailing slash. */
  readonly mount: string;
  /**
   * The URL path below the mount, still percent-encoded; starts with `/`, or is empty when it is the mount itself.
   * It has been checked: it decodes, has no `.` or `..` segment and no control character, encoded or not.
   */
  readonly rest: string;
  /** The query with its `?`, still percent-encoded; empty when there is none. */
  readonly query: string;
}

/** Life cycle: `create` (no side effects) -> `start` -> `handle`/`upgrade` at any time -> `stop` (idempotent). */
export interface WebService {
  /** Answers one plain HTTP request. A rejection is answered with 500 and logged by the server. */
  handle(request: WebRequest, res: ServerResponse): void | Promise<void>;
  /**
   * Takes an upgraded socket over; services without it refuse upgrades with 400. Must not throw. A service that has
   * it also does its own cookie tracking; for the others it is done before `handle` is called.
   */
  upgrade?(request: WebRequest, socket: Socket, head: Buffer): void;
  /** Acquires what the service needs. `stop` may be called after a failed or missing `start`. */
  start?(): Promise<void>;
  stop?(): Promise<void>;
}

/** What the `nodeinfo` service may tell anybody who asks. */
export interface NodeInfo {
  /** The `id` of the node from its config, when it has one. */
  readonly id?: string;
  readonly version?: string;
}

/** What services are given. Which of it they use is their business. */
export interface WebServiceDeps {
  readonly router: SessionParts['router'];
  readonly load: SessionParts['load'];
  readonly stores: CookieStores;
  /** Where the cookies of the worker are managed from. */
  readonly directory: CookieDirectory;
  readonly log: Logger;
  /** What ends the connections of the node. */
  readonly drain: Drain;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** The `cookie` section in force where the service is mounted: its own, or that of the nearest path above. */
  readonly cookies: CookieSection | undefined;
  readonly nodeInfo: NodeInfo;
  /** Paths of the transport that accept WebSocket connections, such as `/ws`. */
  readonly webSocketPaths: readonly string[];
  /** Files and directories of the node that are nobody's business, absolute. */
  readonly privatePaths: readonly string[];
  /** Builds the service of a nested path. Passed in, because the registry knows the services and not the reverse. */
  readonly createService: (config: PathServiceConfig, deps: WebServiceDeps) => WebService;
}

/** One entry of the registry. */
export interface WebServiceType<C extends PathServiceConfig = PathServiceConfig> {
  /** The word for it in `type` of a path's config. */
  readonly type: C['type'];
  /** Has no side effects: nothing is opened or read before `start`. */
  create(config: C, deps: WebServiceDeps): WebService;
}
