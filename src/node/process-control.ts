/**
 * A running node as a whole through its control socket: the requests `node.status`, `node.longest-end`, `node.reload` and `node.stop`, on
 * either side.
 */
import type { ControlClient, ControlHandlers } from './control.js';
import type { ProcessSummary } from '../worker/apart/processes.js';
import type { ReloadReport, ReloadWish } from './reload/report.js';
import type { ClusterSummary } from './summary.js';

/** What a node tells of itself. */
export interface NodeStatus {
  readonly pid: number;
  readonly version: string;
  /** When it was started, ISO 8601 in UTC. */
  readonly started: string;
  /** Whether clients can come. */
  readonly ready: boolean;
  /** The names of its realms; several workers may have one of the same name. */
  readonly realms: readonly string[];
  /** How many sessions have joined a realm. */
  readonly sessions: number;
  /** The processes of router workers, where there are any; one without a pid is being started. */
  readonly processes?: readonly ProcessSummary[];
  /** Only of a node in a cluster. */
  readonly cluster?: ClusterSummary;
  /** When the config in force was read, ISO 8601 in UTC. */
  readonly config_loaded?: string;
  /** Whether the last reload could be done. */
  readonly last_reload_successful?: boolean;
  /** JSON Pointers into the config file: what of it takes a restart. */
  readonly pending_restart?: readonly string[];
}

/** The node's side. */
export interface NodeProcess {
  status(): NodeStatus;
  /** @returns how long its orderly end takes at most, in milliseconds, if nothing hangs. */
  longestEndMs(): number;
  /** Reads the config again. Never rejects. */
  reload(wish: ReloadWish): Promise<ReloadReport>;
  /** Begins the orderly end. */
  stop(): void;
}

/** The requests about a node as a whole. */
export function processRequests(node: NodeProcess): ControlHandlers {
  return {
    'node.status': () => Promise.resolve(node.status()),
    'node.longest-end': () => Promise.resolve(node.longestEndMs()),
    'node.reload': (request) => node.reload({ restartComponents: request['restart_components'] === true }),
    'node.stop': () => {
      // Behind the answer: the control socket is the first thing that ends.
      setImmediate(() => node.stop());
      return Promise.resolve();
    },
  };
}

/** The side of a command. What comes back is the node's own, of the same version or near it, and is not checked again. */
export class RemoteNode {
  readonly #client: ControlClient;

  constructor(client: ControlClient) {
    this.#client = client;
  }

  /** @throws NodeError `ERR_NODE_CONTROL`, also when the node is of a version that knows no such request. */
  async status(): Promise<NodeStatus> {
    return (await this.#client.ask('node.status', {})) as NodeStatus;
  }

  /** @returns how long its orderly end takes at most, in milliseconds. @throws NodeError as {@link status} does. */
  async longestEndMs(): Promise<number> {
    return (await this.#client.ask('node.longest-end', {})) as number;
  }

  /** Resolves when it is done, or refused. @throws NodeError as {@link status} does. */
  async reload({ restartComponents }: ReloadWish = {}): Promise<ReloadReport> {
    const request = restartComponents === true ? { restart_components: true } : {};
    return (await this.#client.ask('node.reload', request)) as ReloadReport;
  }

  /** Resolves when the node has begun to stop. @throws NodeError as {@link status} does. */
  async stop(): Promise<void> {
    await this.#client.ask('node.stop', {});
  }
}
