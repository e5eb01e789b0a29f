/**
 * What answers HTTP requests below one path: plain ones and, if it can, WebSocket upgrades. It never looks at paths outside its
 * mount and never listens on a port.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ClientAddress } from '../transport/peer.js';
import type { RequestHead } from '../transport/request-head.js';
import type { WebResponse } from './response.js';

/** The cookie of a request: who came back. */
export interface RequestCookie {
  /** The id of its record now: a password, never for a log or a body. */
  readonly cbtid: string;
  /** As whom the cookie is logged in; undefined when it is not, and when the login does not count any more. */
  readonly authid: string | undefined;
  /** The role of the login, and the realm that it is a role of. Whether they still exist is not said. */
  readonly authrole?: string | undefined;
  readonly authrealm?: string | undefined;
  /**
   * Whether the browser has that id, or gets it with this answer. If not, it came with an id that was replaced a moment ago, and
   * nothing may be given to it that it did not have before.
   */
  readonly isHeld: boolean;
}

/** One upgrade as a service sees it. */
export interface WebUpgrade {
  readonly req: RequestHead;
  /** Where the service is mounted: `/` or `/a/b`, without trailing slash. */
  readonly mount: string;
  /**
   * The URL path below the mount, still percent-encoded; starts with `/`, or is empty when it is the mount itself.
   * It has been checked: it decodes, has no `.` or `..` segment and no control character, encoded or not.
   */
  readonly rest: string;
  /** The query with its `?`, still percent-encoded; empty when there is none. */
  readonly query: string;
  /** Where the client is, decided once (`client-address.ts`). */
  readonly client: ClientAddress;
}

/** One request as a service sees it. */
export interface WebRequest extends WebUpgrade {
  readonly req: IncomingMessage;
  /** What the tracker found or made; absent where no `cookie` section is in force, and at OPTIONS. */
  readonly cookie?: RequestCookie;
}

/** Life cycle: `create` (no side effects) -> `start` -> `handle`/`upgrade` at any time -> `stop` (idempotent). */
export interface WebService {
  /**
   * The methods that it takes; GET and HEAD by default. Others do not reach it, and neither does OPTIONS as long as it is not
   * among them (`methods.ts`). A service with GET takes HEAD: it answers as to GET, and the server leaves the body out. A level
   * of the path tree takes any, because it is up to the services below.
   */
  readonly methods?: readonly string[] | 'any' | undefined;
  /** Answers one plain HTTP request. A rejection is answered with 500 and logged by the server. */
  handle(request: WebRequest, res: WebResponse): void | Promise<void>;
  /**
   * Takes an upgraded socket over; services without it refuse upgrades with 400. Must not throw. A service that has
   * it also does its own cookie tracking; for the others it is done before `handle` is called.
   */
  upgrade?(request: WebUpgrade, socket: Socket, head: Buffer): void;
  /** Acquires what the service needs. `stop` may be called after a failed or missing `start`. */
  start?(): Promise<void>;
  stop?(): Promise<void>;
  /**
   * The path has another config now, or is gone: no new request comes. Resolves when nothing goes on any more; then `stop` is called.
   * By default that is when the responses under way have ended.
   * @param successor the service of the same type at the same path; undefined where there is none.
   * @param answered resolves when the responses under way have ended.
   */
  retire?(successor: WebService | undefined, answered: Promise<void>): Promise<void>;
  /**
   * Whether a request is of a client that the service still has, when its path is gone. Services without it get no requests then.
   * @param rest as in {@link WebRequest}.
   */
  knows?(rest: string): boolean;
  /**
   * Nobody new comes to what stays open for long, such as WebSockets, and that ends, one by one. Begins in the turn of the call; resolves
   * when each was told; then `stop` is called. Services without it have no such thing.
   */
  dismiss?(): Promise<void>;
}
