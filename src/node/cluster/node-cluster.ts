/**
 * The node in its cluster, from the config to the end: connects the engine, joins, tells the log what becomes of it, and leaves. Loaded by
 * nodes only that have a section `cluster`.
 */
import { hostname } from 'node:os';
import { connectEngine, patienceMsOf } from '../../engine/registry.js';
import { EngineError } from '../../engine/engine.js';
import { whenAvailable } from '../../engine/patience.js';
import { ClusterLives } from '../../cluster/lives.js';
import { messageOf } from '../../system/error.js';
import { OptionalPackageError } from '../../system/optional-package.js';
import { systemScheduler } from '../../worker/scheduler.js';
import { NodeError } from '../error.js';
import type { ClusterCounts } from '../../cluster/member.js';
import type { ClusterConfig } from '../../cluster/schema.js';
import type { NodeConfig } from '../../config/schema.js';
import type { Engine } from '../../engine/engine.js';
import type { Logger } from '../../log/logger.js';
import { CLUSTER } from '../../metrics/catalogue.js';
import { sample } from '../../metrics/metric.js';
import type { Sample } from '../../metrics/metric.js';
import type { NodeMetrics } from '../../metrics/node-metrics.js';
import { nodeSchemaTree } from '../../config/schema.js';
import { Cursor } from '../../config/cursor.js';
import { tooLargeFor } from '../../config/rules/message-sizes.js';
import type { RouterUplinks } from '../../router/router.js';
import type { ClusterSummary } from '../summary.js';

/** What it is started with. */
export interface NodeClusterDeps {
  readonly log: Logger;
  readonly metrics: Pick<NodeMetrics, 'add'>;
  /** Gives the start up. */
  readonly signal: AbortSignal | undefined;
}

interface NodeCounts extends ClusterCounts {
  /** How often the node lost the cluster. */
  fenced: number;
}

/** This node as one of a cluster. */
export class NodeCluster {
  readonly #name: string;
  readonly #node: string;
  readonly #engine: Engine;
  readonly #lives: ClusterLives;
  readonly #counts: NodeCounts;

  private constructor(parts: { name: string; node: string; engine: Engine; lives: ClusterLives; counts: NodeCounts }) {
    this.#name = parts.name;
    this.#node = parts.node;
    this.#engine = parts.engine;
    this.#lives = parts.lives;
    this.#counts = parts.counts;
  }

  /** @throws NodeError (rejects) when the node cannot join; the reason of `signal`. */
  static async start(config: ClusterConfig, node: NodeConfig, deps: NodeClusterDeps): Promise<NodeCluster> {
    const { log, signal, metrics } = deps;
    const name = config.node ?? node.controller.id ?? hostname();
    const counts: NodeCounts = { fenced: 0, lost: 0, undelivered: 0 };
    let engine: Engine | undefined;
    try {
      engine = await connectEngine(config, { log, signal, neededBy: 'the cluster', name: `crossbar-ts ${name}` });
      checkSizes(node, engine);
      const lives = await joined(config, { engine, name, log, signal, counts });
      const { self, others } = lives;
      log.info(
        { cluster: config.name, node: name, epoch: self?.epoch, nodes: namesOf(others), server: engine.description },
        'joined the cluster',
      );
      const cluster = new NodeCluster({ name: config.name, node: name, engine, lives, counts });
      metrics.add(() => cluster.#samples());
      return cluster;
    } catch (cause) {
      await engine?.close();
      signal?.throwIfAborted();
      if (!(cause instanceof EngineError || cause instanceof OptionalPackageError)) throw cause;
      throw new NodeError('ERR_NODE_START', `the node cannot join the cluster: ${cause.message}`, { cause });
    }
  }

  /** For the routers of the node. */
  readonly uplinks: RouterUplinks = {
    uplinkOf: (realm, { cluster }) => (cluster === true ? this.#lives.uplinkOf(realm) : undefined),
    realmAdded: (realm) => this.#lives.begin(realm),
    realmRemoved: ({ name }) => this.#lives.end(name),
    newSessionId: () => this.#lives.newSessionId(),
  };

  /** Why it cannot serve at present; undefined when it can. */
  get problem(): string | undefined {
    if (this.#lives.isServing) return undefined;
    return this.#engine.isUp ? 'the node is joining the cluster again' : 'the node has no connection to the cluster';
  }

  /** For those who ask whether clients can come. */
  get readiness(): string {
    return this.problem ?? 'ok';
  }

  /** For summaries and for `status`. */
  get told(): { readonly cluster: ClusterSummary } {
    return { cluster: this.#summary };
  }

  get #summary(): ClusterSummary {
    const { self, others } = this.#lives;
    return {
      name: this.#name,
      node: this.#node,
      state: this.problem === undefined ? 'member' : this.#engine.isUp ? 'joining' : 'fenced',
      ...(self !== undefined && { epoch: self.epoch }),
      nodes: namesOf(others),
      engine: this.#engine.description,
      ...this.#counts,
    };
  }

  *#samples(): Generator<Sample> {
    yield sample(CLUSTER.member, this.problem === undefined ? 1 : 0, this.#name);
    yield sample(CLUSTER.nodes, this.#lives.others.length, this.#name);
    yield sample(CLUSTER.fenced, this.#counts.fenced, this.#name);
    yield sample(CLUSTER.lost, this.#counts.lost, this.#name);
    yield sample(CLUSTER.undelivered, this.#counts.undelivered, this.#name);
  }

  /** Leaves it, when the sessions of the node have gone. Idempotent; never rejects. */
  async stop(): Promise<void> {
    await this.#lives.leave();
    await this.#engine.close();
  }
}

/** @throws NodeError when clients may send what does not go from node to node, because the config says so. */
function checkSizes(node: NodeConfig, { maxMessageBytes, description }: Engine): void {
  const [found] = tooLargeFor(new Cursor(node), nodeSchemaTree, maxMessageBytes);
  if (found === undefined) return;
  const { path, bytes } = found;
  const limit = `${maxMessageBytes}, the most that one message between nodes may have (${description})`;
  throw new NodeError('ERR_NODE_START', `/${path.join('/')}: ${bytes} bytes are more than ${limit}`);
}

interface Joining {
  readonly engine: Engine;
  readonly name: string;
  readonly log: Logger;
  readonly signal: AbortSignal | undefined;
  readonly counts: NodeCounts;
}

async function joined(config: ClusterConfig, { engine, name, log, signal, counts }: Joining): Promise<ClusterLives> {
  const { name: cluster, heartbeat, suspect_after, fence_after, remove_after } = config;
  const about = { cluster, node: name };
  const options: Parameters<typeof ClusterLives.join>[0] = {
    ...{ engine, cluster, node: name, clock: Date.now, scheduler: systemScheduler, log, counts },
    timings: { heartbeatMs: heartbeat, suspectMs: suspect_after, fenceMs: fence_after, removeMs: remove_after },
    listener: {
      fenced: (why) => {
        counts.fenced += 1;
        log.error({ ...about, why }, 'lost the cluster: its clients are sent elsewhere, and the node joins again');
      },
      stillAway: (error) =>
        log.warn({ ...about, problem: messageOf(error) }, 'could not join the cluster again, and goes on to try'),
      joinedAgain: ({ epoch }) => log.info({ ...about, epoch }, 'joined the cluster again'),
    },
  };
  const waiting = (problem: string): void => log.warn({ ...about, problem }, 'waits for the cluster');
  const joining = whenAvailable(() => ClusterLives.join(options), { ms: patienceMsOf(config), signal, waiting });
  if (signal === undefined) return joining;
  const aborted = new Promise<never>((_resolve, reject) => {
    const abort = (): void => reject(new EngineError('unavailable', 'the start was given up'));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  // Where nobody waits for it any more.
  joining.then(
    (lives) => (signal.aborted ? lives.leave() : undefined),
    () => undefined,
  );
  return Promise.race([joining, aborted]);
}

function namesOf(nodes: readonly { readonly name: string }[]): readonly string[] {
  return nodes.map(({ name }) => name).sort();
}
