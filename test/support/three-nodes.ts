/**
 * Three real nodes of one cluster, over three real nats-servers: what a single daemon is to the other suites. The nodes have the same
 * config, but for their names. Whoever changes what runs (kills, stops, starts again) does it by {@link ThreeNodes.nodes}.
 */
import { jetstream } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import { startDaemon } from './daemon.js';
import type { Daemon } from './daemon.js';
import { NatsServers } from './nats.js';
import { openRealm } from './node-config.js';
import { WampClient } from './wamp-client.js';
import type { JoinedClient } from './wamp-client.js';

/** Keys of the section `cluster`, in milliseconds. */
export interface ClusterTimings {
  readonly heartbeat: number;
  readonly suspect_after: number;
  readonly fence_after: number;
  readonly remove_after: number;
}

/** For suites in which no node may be lost, however busy the machine is. */
export const PATIENT: ClusterTimings = {
  heartbeat: 1000,
  suspect_after: 20_000,
  fence_after: 20_000,
  remove_after: 30_000,
};

/** Only the sessions of {@link Settler} are in it: they are no members of a realm that a test counts. */
const SETTLING = 'settling';

export interface ThreeNodesOptions {
  readonly timings?: ClusterTimings;
  /** Where a node looks for NATS; without it at all servers. */
  readonly serversOf?: (index: number, nats: NatsServers) => Promise<readonly string[]> | readonly string[];
  /** More arguments of each nats-server. */
  readonly natsArgs?: readonly string[];
  /** More keys of the section. */
  readonly section?: object;
}

interface Realm {
  readonly name: string;
  readonly store?: unknown;
}

/** @returns the config with its realms in a cluster; one that keeps events (`store`) stays as it is: it cannot be in one. */
export function clustered(config: object, section: object): object {
  const { workers } = config as { readonly workers: readonly { readonly realms: readonly Realm[] }[] };
  return {
    ...config,
    cluster: { type: 'nats', name: 'test', ...section },
    workers: workers.map((worker) => ({
      ...worker,
      realms: [...worker.realms, openRealm(SETTLING) as Realm].map((realm) =>
        realm.store === undefined ? { ...realm, cluster: true } : realm,
      ),
    })),
  };
}

export class ThreeNodes {
  readonly nats: NatsServers;
  /** Those that run, and those that were killed. */
  readonly nodes: Daemon[];

  private constructor(nats: NatsServers, nodes: Daemon[]) {
    this.nats = nats;
    this.nodes = nodes;
  }

  /** Resolves when all three know of each other. */
  static async start(config: object, options: ThreeNodesOptions = {}): Promise<ThreeNodes> {
    const { timings = PATIENT, natsArgs = [], serversOf = (_, { urls }) => urls, section = {} } = options;
    const nats = await NatsServers.start(3, natsArgs);
    const nodes = await Promise.all(
      [0, 1, 2].map(async (index) => {
        const servers = await serversOf(index, nats);
        return startDaemon({
          config: clustered(config, { node: `n${index + 1}`, servers, ...timings, ...section }),
        });
      }),
    );
    const all = new ThreeNodes(nats, nodes);
    await all.joined();
    return all;
  }

  node(index: number): Daemon {
    const node = this.nodes[index];
    if (node === undefined) throw new RangeError(`there is no node ${index}`);
    return node;
  }

  /** Resolves when each of these nodes gets what each other one publishes. */
  async joined(nodes: readonly Daemon[] = this.nodes): Promise<void> {
    const settler = await Settler.join(nodes);
    await settler.settle();
    await settler.leave();
  }

  /** Kills a node if it still runs, and starts it on the same port. Resolves when it serves. */
  async restart(index: number): Promise<Daemon> {
    await this.node(index).kill();
    return (this.nodes[index] = await this.node(index).restart());
  }

  /** @returns the keys of a bucket of the cluster that have a value. */
  async keysOf(bucket: string): Promise<readonly string[]> {
    const connection = await connect({ servers: [...this.nats.urls] });
    try {
      const values = await new Kvm(jetstream(connection)).open(`test_${bucket}`);
      const keys: string[] = [];
      for await (const key of await values.keys()) keys.push(key);
      return keys;
    } finally {
      await connection.close();
    }
  }

  /** @returns what a bucket has of keys that begin so, with the numbers of the changes, for people. */
  async entriesOf(bucket: string, prefixes: readonly string[]): Promise<string> {
    const connection = await connect({ servers: [...this.nats.urls] });
    try {
      const values = await new Kvm(jetstream(connection)).open(`test_${bucket}`);
      const lines: string[] = [];
      for await (const key of await values.keys(prefixes.map((prefix) => `${prefix}.*`))) {
        const entry = await values.get(key);
        lines.push(
          `${String(entry?.revision)} ${String(entry?.created.toISOString())} ${key} ${entry?.string() ?? ''}`,
        );
      }
      return lines.join('\n');
    } finally {
      await connection.close();
    }
  }

  async dispose(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.dispose()));
    await this.nats.stop();
  }
}

let lastRound = 0;

/** Waits until nothing is on its way between nodes: a session on each of them, in a realm of their own. */
export class Settler {
  readonly #clients: readonly JoinedClient[];
  readonly #topic: string;

  private constructor(clients: readonly JoinedClient[], topic: string) {
    this.#clients = clients;
    this.#topic = topic;
  }

  static async join(nodes: readonly Daemon[]): Promise<Settler> {
    const clients = await Promise.all(nodes.map((node) => WampClient.join(node.url('/ws', 'ws'), SETTLING)));
    const topic = `com.settled.n${++lastRound}`;
    for (const client of clients) {
      const [type] = await client.ask([32, 1, {}, topic]);
      if (type !== 33) throw new Error('expected SUBSCRIBED');
    }
    return new Settler(clients, topic);
  }

  /**
   * Resolves when what each node has written before is known to all, and what each has sent before has come. A node answers REGISTER
   * when the others have seen all of its registrations that have come or gone, and what one publishes comes behind what it sent before.
   */
  async settle(): Promise<void> {
    const round = ++lastRound;
    await Promise.all(
      this.#clients.map(async (client, index) => {
        const [registered, , registration] = await client.ask([64, round, {}, `com.settled.p${round}.${index}`]);
        if (registered !== 65) throw new Error('expected REGISTERED');
        const [unregistered] = await client.ask([66, round, registration]);
        if (unregistered !== 67) throw new Error('expected UNREGISTERED');
      }),
    );
    for (const [index, client] of this.#clients.entries())
      client.send([16, round, { exclude_me: false }, this.#topic, [round, index]]);
    await Promise.all(this.#clients.map((client) => this.#heard(client, round)));
  }

  async leave(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.leave()));
  }

  /** Reads until the word of every node has come. */
  async #heard(client: JoinedClient, round: number): Promise<void> {
    const missing = new Set(this.#clients.keys());
    while (missing.size > 0) {
      const [type, , , , args] = await client.next();
      if (type === 36 && Array.isArray(args) && args[0] === round) missing.delete(Number(args[1]));
    }
  }
}
