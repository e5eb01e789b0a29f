/** What web services may tell of the node. */
import type { NodeDetails, NodeInfo, Readiness } from '../../transport/transport-type.js';
import { packageVersion } from '../package.js';
import type { ReloadFacts } from '../reload/report.js';
import type { NodeSummary } from '../summary.js';

/** The node; what changes is asked for anew. */
export interface ToldNode {
  /** `controller.id` of the config. */
  readonly id: string | undefined;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  readonly summary: () => NodeSummary;
  /** How many are open. */
  readonly sessions: () => number;
  readonly readiness: () => Readiness;
  readonly reload: () => ReloadFacts;
}

/** @returns what the services of all transports are given. */
export function nodeInfoOf({ id, startedMs, summary, sessions, readiness, reload }: ToldNode): NodeInfo {
  const details = (): NodeDetails => {
    const { title, pid, cbdir: directory, workers } = summary();
    const named = workers.map(({ worker, type }) => ({ id: worker, type }));
    return { title, pid, directory, node: process.versions.node, workers: named, sessions: sessions() };
  };
  return { version: packageVersion(), ...(id !== undefined && { id }), startedMs, details, readiness, reload };
}
