/** The monitor of a node, and what the node says of itself to those who look by it. */
import { Monitor } from '../../monitor/monitor.js';
import { packageVersion } from '../package.js';
import { auditOf } from '../../log/audit.js';
import type { Logger } from '../../log/logger.js';
import type { MonitorAction, MonitoredNode } from '../../monitor/source.js';
import type { RouterProcesses } from '../../worker/apart/processes.js';
import type { ReloadFacts } from '../reload/report.js';
import type { NodeSummary } from '../summary.js';

/** The node, as far as it is told. */
export interface NodeInView {
  readonly summary: NodeSummary;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  /** What is known of the config beside its file. */
  readonly config: Pick<ReloadFacts, 'loadedAt' | 'pending'>;
}

/** @param node asked anew for each look. @param elsewhere router workers in other processes. */
export function monitorOf(node: () => NodeInView, log: Logger, elsewhere: RouterProcesses): Monitor {
  const onAction = (action: MonitorAction): void => record(action, log);
  return new Monitor({ node: () => factsOf(node()), clock: Date.now, log, onAction, elsewhere });
}

function record({ action, by, target, sessions, cookies }: MonitorAction, log: Logger): void {
  const { authid, realm } = by;
  const actor = authid ?? 'operator';
  const about = { request: `monitor.${action}`, ...target, sessions, cookies };
  auditOf(log)?.record({ event: 'control', actor, ...(realm !== null && { realm }), about });
}

function factsOf({ summary, startedMs, config: facts }: NodeInView): MonitoredNode {
  const { pid, title, listening, config, cluster } = summary;
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
    config: { file: config ?? null, loaded: facts.loadedAt, pending: facts.pending },
    ...(cluster && { cluster: { ...cluster } }),
  };
}
