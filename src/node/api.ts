/**
 * What a program that embeds a node sees of it. Part of the public types: nothing of the config and of the router may be
 * imported here.
 */
import type { ClientSession, ConnectOptions } from '../client/api.js';
import type { Logger } from '../log/logger.js';
import type { ReloadReport, ReloadWish } from './reload/report.js';
import type { NodeSummary } from './summary.js';

export interface NodeOptions {
  /** The node directory; it must exist. Only a node whose config is an object can do without. */
  readonly cbdir?: string;
  /**
   * The config itself, or its file; default: `config.yaml` or `config.json` in the node directory. Without a node directory
   * relative paths in a config that is an object start from the working directory.
   */
  readonly config?: string | object;
  /** A pino logger; default: none. */
  readonly log?: Logger;
  /** Whether `log_level` of `controller.options` sets the level of `log` and its children; default: no, the level is yours. */
  readonly configSetsLogLevel?: boolean;
  /** Where `node.pid` and `node.sock` lie, for a node directory that cannot be written to; default: the node directory. */
  readonly rundir?: string;
  /** Where relative paths of cookie stores start; it is made when it is missing. Default: the node directory. */
  readonly statedir?: string;
  /** Where `$NAME` in the config is looked up; default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Refuses a config in which something has no effect, instead of a line in the log for each. */
  readonly strict?: boolean;
  /** Gives the start up: what has started is stopped, and `startNode` rejects with its reason. Without effect later. */
  readonly signal?: AbortSignal;
  /**
   * Called when the node has stopped without a call of `stop`: because a worker ended and `shutdown` of `controller.options` says
   * so, or because `crossbar-ts stop` asked for it through the control socket.
   */
  readonly onShutdown?: (reason: ShutdownReason) => void;
  /**
   * Called when the end of a node that had started begins, for whatever reason.
   * @param longestMs how long it takes at most, in milliseconds, if nothing hangs.
   */
  readonly onStopping?: (longestMs: number) => void;
  /** Noted in node.pid for people who look who runs here; default: `cbdir` and `config`. */
  readonly commandOptions?: Readonly<Record<string, unknown>>;
}

/** Why a node ends without a call of `stop`. */
export interface ShutdownReason {
  /** The worker whose end it was; undefined when a command asked for it. */
  readonly worker?: string;
  readonly failed: boolean;
  /** The word of the config that decided, or `stop`, the command. */
  readonly word: string;
}

/** A node that runs. */
export interface RunningNode {
  /** What listens where, which realms there are and which cookie stores. */
  readonly summary: NodeSummary;
  /**
   * Joins a realm from within the process, without a socket: the session that components have. It is open until it is
   * closed, killed, or the node stops.
   *
   * @throws CallError (rejects) `wamp.error.no_such_realm` or `wamp.error.no_such_role`.
   * @throws NodeError (rejects) `ERR_NODE_STOPPED`
   */
  connect(realm: string, options: ConnectOptions): Promise<ClientSession>;
  /**
   * Reads the config once more, and takes over what can change while it runs: what a config that is an object says now. What is wrong
   * is in the report, and nothing has changed then. Never rejects.
   */
  reload(wish?: ReloadWish): Promise<ReloadReport>;
  /**
   * Ends it: no new connection, the end of those that are open, GOODBYE to components and to the sessions of `connect`, then
   * the cookie stores. Idempotent.
   *
   * @throws CookieStoreError (rejects) when a cookie store cannot be closed, after all else is done.
   */
  stop(): Promise<void>;
  /** The same as `stop`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
