/** What the monitor looks at: the router workers of the node, and what the node says of itself. It changes nothing by looking. */
import type { RefusedLogins } from '../auth/refused/refused-logins.js';
import type { ManagedCookies } from '../cookie/management.js';
import type { Inventory } from '../router/meta/inventory.js';
import type { Dict } from '../wamp/payload.js';

/** A certificate that a transport shows to its clients. */
export interface CertificateFile {
  /** The id of the transport. */
  readonly transport: string;
  /** Absolute. */
  readonly file: string;
}

/** A router worker. */
export interface MonitoredWorker {
  /** Its id. */
  readonly worker: string;
  /** Of its realms; asked anew for each look. */
  readonly inventories: readonly Inventory[];
  readonly cookies: Pick<ManagedCookies, 'stores'>;
  readonly refused: Pick<RefusedLogins, 'count' | 'list'>;
  readonly certificates: readonly CertificateFile[];
}

/** What the node says of itself; what is not known is left out. */
export interface MonitoredNode extends Dict {
  readonly version: string;
  readonly pid: number;
  readonly title: string;
  /** UTC, ISO 8601. */
  readonly started: string;
  /** Resident memory, in bytes. */
  readonly memory_bytes: number;
  /** Seconds of processor time since the start. */
  readonly cpu_seconds: number;
  /** What listens where. */
  readonly transports: readonly MonitoredTransport[];
  readonly config: MonitoredConfig;
  /** Only of a node in a cluster. */
  readonly cluster?: MonitoredCluster;
}

/** The node as one of a cluster, as `status` tells it. */
export interface MonitoredCluster extends Dict {
  readonly name: string;
  /** What the other nodes call this one. */
  readonly node: string;
  readonly state: 'member' | 'joining' | 'fenced';
  /** The other nodes. */
  readonly nodes: readonly string[];
  /** What carries the messages between the nodes. */
  readonly engine: string;
  /** How often, since the start, the node lost the cluster; missed messages of others; had messages that found nobody. */
  readonly fenced: number;
  readonly lost: number;
  readonly undelivered: number;
}

/** A transport that listens. */
export interface MonitoredTransport extends Dict {
  readonly transport: string;
  readonly worker: string;
  readonly type: string;
  readonly url: string;
  readonly paths: readonly { readonly path: string; readonly type: string }[];
}

/** The config in force. */
export interface MonitoredConfig extends Dict {
  /** The file, where there is one. */
  readonly file: string | null;
  /** When it was read; UTC, ISO 8601. */
  readonly loaded: string;
  /** JSON pointers of what has changed in the file and waits for the next start. */
  readonly pending: readonly string[];
}

/** A process that has connections for the node. */
export interface MonitoredFront extends Dict {
  /** The id of the worker that it is one of. */
  readonly worker: string;
  /** From 1 on. */
  readonly front: number;
  readonly pid: number;
  readonly connections: number;
  /** What waits for it to read, in bytes. */
  readonly unsent_bytes: number;
  /** Resident memory, in bytes, and seconds of processor time since its start; 0 before it has told them. */
  readonly memory_bytes: number;
  readonly cpu_seconds: number;
}

/** The process of a router worker. */
export interface MonitoredProcess extends Dict {
  /** The id of the worker. */
  readonly worker: string;
  readonly pid: number;
  readonly sessions: number;
  /** Resident memory, in bytes, and seconds of processor time since its start; 0 before it has told them. */
  readonly memory_bytes: number;
  readonly cpu_seconds: number;
}

/** A router worker in another process, whose monitor answers for it. */
export interface MonitoredElsewhere {
  /** Its id. */
  readonly worker: string;
  /** Undefined while there is none. */
  readonly running: MonitoredProcess | undefined;
  /** Asks its monitor. Rejects with a WampError, with any other error where it does not answer within a second. */
  ask(name: string, request: object): Promise<unknown>;
  /** The same of something that is done, however long it takes. */
  act(name: string, request: object): Promise<unknown>;
}

/** Who did something by the monitor, for the log. */
export interface MonitorActor {
  /** `null` for a command of the operator. */
  readonly session: number | null;
  readonly realm: string | null;
  readonly authid: string | null;
}

/** What somebody did by the monitor: the hook for an audit log. */
export interface MonitorAction {
  readonly action: 'session.end' | 'cookie.logout';
  readonly by: MonitorActor;
  /** Whom it was done to: a session, the digest of a cookie, or an authid with its realm. */
  readonly target: Readonly<Record<string, string | number>>;
  /** How many sessions ended. */
  readonly sessions: number;
  /** How many cookies were forgotten. */
  readonly cookies: number;
}
