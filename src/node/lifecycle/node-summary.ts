/** What a node tells of itself as data: at its start, to those who embed it, and for `status`. */
import { cookieStoreSummaries } from '../cookie-stores.js';
import type { NodeSource } from '../directory.js';
import { packageVersion } from '../package.js';
import type { NodeStatus } from '../process-control.js';
import { enabledWorkers } from '../reload/enabled-workers.js';
import type { ServedRealm } from '../session-control.js';
import type { ReloadFacts } from '../reload/report.js';
import type { ClusterSummary, NodeSummary } from '../summary.js';
import type { RouterProcesses } from '../../worker/apart/processes.js';
import type { Logger } from '../../log/logger.js';
import type { Families } from '../../worker/registry.js';
import type { Worker } from '../../worker/worker.js';

/** A node, as far as it is told. */
export interface SummedNode {
  readonly loaded: NodeSource;
  readonly cbdir: string;
  readonly families: Families;
  /** Those that were told to start. */
  readonly running: readonly Worker[];
  readonly told: { readonly cluster: ClusterSummary } | undefined;
}

/** @returns what listens where, which realms there are and which cookie stores. */
export function nodeSummaryOf({ loaded, cbdir, families, running, told }: SummedNode): NodeSummary {
  const workers = enabledWorkers(loaded).map(({ worker }) => worker);
  const summaries = running.map(({ summary }) => summary);
  return {
    pid: process.pid,
    title: loaded.config.controller.options.title ?? 'crossbar-ts',
    cbdir,
    ...(loaded.file === undefined ? {} : { config: loaded.file }),
    workers: workers.map(({ id: worker, type }) => ({ worker, type })),
    listening: summaries.flatMap(({ listening }) => listening),
    realms: summaries.flatMap(({ realms }) => realms),
    components: summaries.flatMap(({ components }) => components),
    cookieStores: cookieStoreSummaries(workers, families),
    ...told,
  };
}

/** A node that runs, as `status` tells it. */
export interface RunningFacts {
  readonly startedMs: number;
  readonly isReady: boolean;
  readonly told: { readonly cluster: ClusterSummary } | undefined;
  readonly served: readonly ServedRealm[];
  readonly reload: ReloadFacts;
  readonly processes: RouterProcesses;
}

/** @returns what `status` tells. */
export function nodeStatusOf(node: RunningFacts): NodeStatus {
  const { startedMs, isReady, told, served, reload, processes } = node;
  const sessions = served.reduce((sum, { inventory }) => sum + inventory.sessionCount, 0);
  const realms = served.map(({ inventory }) => inventory.realm);
  return {
    pid: process.pid,
    version: packageVersion(),
    started: new Date(startedMs).toISOString(),
    ready: isReady,
    ...told,
    realms: [...realms, ...processes.all.flatMap((each) => each.realms)],
    sessions: sessions + processes.sessionsBeside(),
    ...(processes.all.length > 0 && { processes: processes.summaries }),
    config_loaded: reload.loadedAt,
    last_reload_successful: reload.lastReloadSuccessful,
    pending_restart: reload.pending,
  };
}

/** Tells the log that a node has started. @param isHosted it is the process of a worker, whose node says so itself. */
export function sayStarted({ pid, cbdir, config, cookieStores }: NodeSummary, log: Logger, isHosted: boolean): void {
  if (isHosted) return;
  for (const store of cookieStores) log.info(store, 'cookie store opened');
  log.info({ pid, cbdir, config }, 'node started');
}
