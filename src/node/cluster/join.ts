/** Joins a node to its cluster. Most nodes are alone: what they would need for it is not loaded. */
import type { NodeConfig } from '../../config/schema.js';
import type { NodeCluster, NodeClusterDeps } from './node-cluster.js';

/**
 * @returns undefined where the config has no section `cluster`.
 * @throws NodeError (rejects) when the node cannot join; the reason of `signal`.
 */
export async function joinCluster(config: NodeConfig, deps: NodeClusterDeps): Promise<NodeCluster | undefined> {
  if (config.cluster === undefined) return undefined;
  const { NodeCluster } = await import('./node-cluster.js');
  return NodeCluster.start(config.cluster, config, deps);
}
