/**
 * Where the clients of a suite connect: all to one node, or in turn to each of three nodes of a cluster. A test file in
 * `test/integration/cluster` says {@link spreadOverThreeNodes} and then loads the suite of a single node, so that the same is asked of
 * both.
 */
import type { Daemon } from './daemon.js';
import { startDaemon } from './daemon.js';
import { Settler, ThreeNodes } from './three-nodes.js';

export interface Place {
  readonly nodes: readonly Daemon[];
  /** The node that the next client connects to. @param realm which it will join */
  next(realm?: string): Daemon;
  /** Resolves when nothing is on its way between nodes. */
  readonly settle: () => Promise<void>;
  dispose(): Promise<void>;
}

let isSpread = false;

/** Whether the suite runs over three nodes. */
export function isSpreadOverThree(): boolean {
  return isSpread;
}

/** The suite that is loaded next runs over three nodes. */
export function spreadOverThreeNodes(): void {
  isSpread = true;
}

/** Starts what the suite runs on, with a config of one node. */
export async function startPlace(config: object): Promise<Place> {
  if (!isSpread) {
    const daemon = await startDaemon({ config });
    return {
      nodes: [daemon],
      next: () => daemon,
      settle: () => Promise.resolve(),
      dispose: () => daemon.dispose(),
    };
  }
  const cluster = await ThreeNodes.start(config);
  const settler = await Settler.join(cluster.nodes);
  const alone = realmsAlone(config);
  let turn = 0;
  return {
    nodes: cluster.nodes,
    // A realm that is not in the cluster is another one on each node.
    next: (realm = 'realm1') => cluster.node(alone.has(realm) ? 0 : turn++ % cluster.nodes.length),
    settle: () => settler.settle(),
    dispose: () => cluster.dispose(),
  };
}

function realmsAlone(config: object): ReadonlySet<string> {
  const { workers } = config as { readonly workers: readonly { readonly realms: readonly object[] }[] };
  const realms = workers.flatMap((worker) => worker.realms) as { readonly name: string; readonly store?: unknown }[];
  return new Set(realms.filter(({ store }) => store !== undefined).map(({ name }) => name));
}
