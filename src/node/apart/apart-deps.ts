/** What workers in processes of their own get of their node. */
import type { Readiness } from '../../transport/transport-type.js';
import type { ApartDeps } from '../../worker/apart/deps.js';
import type { RouterProcesses } from '../../worker/apart/processes.js';
import type { NodeSource } from '../directory.js';
import { longestEndMs } from '../lifecycle/drain.js';
import { enabledWorkers } from '../reload/enabled-workers.js';
import type { Lending } from './lending.js';

/** The node; what changes is asked for anew. */
export interface ToldOf {
  readonly loaded: NodeSource;
  readonly processes: RouterProcesses;
  readonly lending: Lending;
  readonly startedMs: number;
  readonly isStopping: () => boolean;
  /** Its own. */
  readonly sessions: () => number;
  /** @param worker whose process does not count. */
  readonly readinessBeside: (worker: string) => Readiness;
}

/** @returns what the node tells them, and where they are known. */
export function apartDepsOf(node: ToldOf): ApartDeps {
  const { loaded, processes, lending, startedMs, isStopping, sessions, readinessBeside } = node;
  const { config, needsCookies } = loaded;
  const workers = enabledWorkers(loaded).map(({ worker: { id, type } }) => ({ worker: id, type }));
  return {
    node: { controller: config.controller, needsCookies },
    processes,
    lend: (sections) => lending.lend(sections),
    longestEndMs: longestEndMs(config.controller.options),
    told: (worker) => ({
      readiness: readinessBeside(worker),
      isStopping: isStopping(),
      sessions: sessions() + processes.sessionsBeside(worker),
      ...{ pid: process.pid, startedMs, workers },
    }),
  };
}
