/** The monitor of a node, and what the node says of itself to those who look by it. */
import { Monitor } from '../../monitor/monitor.js';
import { packageVersion } from '../package.js';
import type { Logger } from '../../log/logger.js';
import type { MonitoredConfig, MonitoredNode } from '../../monitor/source.js';
import type { NodeSummary } from '../summary.js';

/** The node, as far as it is told. */
export interface NodeInView {
  readonly summary: NodeSummary;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  /** What is known of the config beside its file; by default it is that of the start. */
  readonly configFacts?: Partial<Pick<MonitoredConfig, 'loaded' | 'pending'>>;
}

/** @param node asked anew for each look. */
export function monitorOf(node: () => NodeInView, log: Logger): Monitor {
  return new Monitor({ node: () => factsOf(node()), clock: Date.now, log });
}

function factsOf({ summary, startedMs, configFacts = {} }: NodeInView): MonitoredNode {
  const { pid, title, listening, config } = summary;
  const { user, system } = process.cpuUsage();
  const started = new Date(startedMs).toISOString();
  return {
    ...{ version: packageVersion(), pid, title, started },
    memory_bytes: process.memoryUsage.rss(),
    cpu_seconds: (user + system) / 1e6,
    transports: listening.map(({ transport, worker, type, url, paths }) => ({
      ...{ transport, worker, type, url },
      paths: paths.map((service) => ({ path: service.path, type: service.type })),
    })),
    config: { file: config ?? null, loaded: started, pending: [], ...configFacts },
  };
}
