/**
 * A running node reads its config again: the whole file is checked as at a start, compared with what runs, and what can change is changed.
 *
 *     read and check --wrong--> nothing changes, every problem is told
 *        | compare: what takes a restart keeps its old value, and is told as pending
 *        | prepare: each worker opens and builds what is new --fails--> all of it is taken back, nothing changes
 *        +--> commit: each worker changes in one step
 *
 * One after the other: who asks while one is under way waits for it.
 */
import { ConfigError, formatProblem } from '../../config/error.js';
import { compareConfigs } from '../../config/reload/comparison.js';
import type { NodeConfig } from '../../config/schema.js';
import type { SchemaTree } from '../../config/walk.js';
import { auditOf } from '../../log/audit.js';
import type { Logger } from '../../log/logger.js';
import { messageOf } from '../../system/error.js';
import { WorkerError } from '../../worker/worker.js';
import type { ComponentsChange, PreparedWorker, ReloadLoss, SettledWorker } from '../../worker/worker.js';
import type { NodeSource } from '../directory.js';
import type { OutdatedSessions, ReloadFacts, ReloadReport, ReloadWish } from './report.js';

/** The node, as its reload sees it. */
export interface ReloadedNode {
  /** What it runs with. */
  readonly running: NodeSource;
  /** The schema of its config. */
  readonly tree: SchemaTree;
  /** Reads and checks the config, as at the start. @throws ConfigError */
  read(): Promise<NodeSource>;
  /** @returns a change for each worker that can change. @throws (rejects) when one cannot: the others are as before. */
  prepare(next: NodeSource, wish: ReloadWish): Promise<readonly PreparedWorker[]>;
  /** Looks at the sessions that are open, by the config that is in force now. Never rejects. */
  outdated(): Promise<OutdatedSessions>;
  /** It runs with this from now on. */
  took(source: NodeSource): void;
  /** Told how things stand: at the start, and after each reload. */
  told(facts: ReloadFacts): void;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Reloads of one node, one after the other. */
export class Reloading {
  readonly #node: ReloadedNode;
  #facts: ReloadFacts;
  #last: Promise<unknown> = Promise.resolve();

  constructor(node: ReloadedNode) {
    this.#node = node;
    this.#facts = { loadedAt: isoTime(node.clock()), lastReloadSuccessful: true, pending: [] };
    node.told(this.#facts);
  }

  get facts(): ReloadFacts {
    return this.#facts;
  }

  /** Never rejects. */
  reload(wish: ReloadWish = {}): Promise<ReloadReport> {
    const report = this.#last.then(() => this.#reload(wish));
    this.#last = report;
    return report;
  }

  async #reload(wish: ReloadWish): Promise<ReloadReport> {
    const { log } = this.#node;
    try {
      return await this.#take(await this.#node.read(), wish);
    } catch (error) {
      const problems = error instanceof ConfigError ? error.problems.map(formatProblem) : [];
      const told = problems.length > 0 ? problems : [messageOf(error)];
      for (const problem of told) log.error({ problem }, 'reload refused: the config before stays in force');
      // Anything else is a fault of ours.
      if (!(error instanceof ConfigError || error instanceof WorkerError)) log.error({ err: error }, 'reload failed');
      this.#stands({ ...this.#facts, lastReloadSuccessful: false });
      auditOf(log)?.record({ event: 'config reloaded', outcome: 'failed', about: { problems: told.length } });
      return { ...NOTHING, ok: false, problems: told, pending: this.#facts.pending };
    }
  }

  #stands(facts: ReloadFacts): void {
    this.#facts = facts;
    this.#node.told(facts);
  }

  async #take(source: NodeSource, wish: ReloadWish): Promise<ReloadReport> {
    const { log, running, tree, clock } = this.#node;
    const compared = compareConfigs(running.config, source.config, tree, wish.restartComponents);
    const next = {
      ...source,
      config: compared.config,
      authenticators: authenticatorsFor(compared.config, [source, running]),
    };
    const workers = await this.#node.prepare(next, wish);
    const committed = workers.map((worker) => worker.commit());
    const config = withWorkers(compared.config, workers);
    this.#node.took({ ...next, config });
    const lost = await Promise.all(committed.map((loss) => Promise.resolve(loss)));
    const [revoked, removed] = [sumOf(lost, 'revoked'), sumOf(lost, 'removed')];
    const components = await this.#settle(workers, { ...next, config });
    const late = [...workers.flatMap(({ pending }) => pending), ...components.pending];
    const pending = [...new Set([...compared.pending.map(({ pointer }) => pointer), ...late])];
    const changes = compared.changes.filter(({ pointer }) => !late.some((place) => isAtOrBelow(pointer, place)));
    const { problems, started, stopped } = components;
    const ok = problems.length === 0;
    this.#stands({ loadedAt: isoTime(clock()), lastReloadSuccessful: ok, pending });
    const outdated = together([await this.#node.outdated(), ...lost.flatMap((each) => each.outdated ?? [])]);
    const warnings = source.warnings.map(formatProblem);
    for (const problem of warnings) log.warn({ problem }, 'config warning');
    for (const { pointer, how } of changes) log.info({ pointer, how }, 'config changed');
    for (const pointer of pending) log.warn({ pointer }, 'config changed: this takes a restart');
    for (const problem of problems) log.error({ problem }, 'a component cannot run: the components are as before');
    const losses = { revoked, removed, outdated: outdated.count, killed: outdated.killed };
    log.info({ changes: changes.length, pending: pending.length, ...losses }, 'config reloaded');
    const changed = changes.map(({ pointer }) => pointer);
    auditOf(log)?.record({
      event: 'config reloaded',
      outcome: ok ? 'ok' : 'failed',
      about: { changed, pending, ...losses, ...(!ok && { problems: problems.length }) },
    });
    const onDemand = compared.pending.filter(({ how }) => how === 'on demand').map(({ pointer }) => pointer);
    const facts = { warnings, changes, pending, onDemand, components: { started, stopped } };
    return { ok, problems, componentsFailed: !ok, ...facts, revoked, removed, outdated };
  }

  /** Components go and come: all of a worker, or none. */
  async #settle(workers: readonly PreparedWorker[], source: NodeSource): Promise<ComponentsChange> {
    const settled: SettledWorker[] = [];
    for (const worker of workers) {
      const change = await worker.settle?.();
      if (change !== undefined) settled.push(change);
    }
    if (settled.length > 0) this.#node.took({ ...source, config: withWorkers(source.config, settled) });
    return {
      started: settled.flatMap(({ started }) => started),
      stopped: settled.flatMap(({ stopped }) => stopped),
      problems: settled.flatMap(({ problems }) => problems),
      pending: settled.flatMap(({ pending }) => pending),
    };
  }
}

/** So many outdated sessions are named. */
const NAMED = 20;

const NOTHING: ReloadReport = {
  ...{ ok: true, problems: [], componentsFailed: false, warnings: [], changes: [], pending: [], onDemand: [] },
  components: { started: [], stopped: [] },
  ...{ revoked: 0, removed: 0, outdated: { count: 0, killed: 0, sessions: [] } },
};

function sumOf(losses: readonly ReloadLoss[], what: 'revoked' | 'removed'): number {
  return losses.reduce((sum, loss) => sum + loss[what], 0);
}

/** Those of this process and of others. */
function together(all: readonly OutdatedSessions[]): OutdatedSessions {
  return {
    count: all.reduce((sum, { count }) => sum + count, 0),
    killed: all.reduce((sum, { killed }) => sum + killed, 0),
    sessions: all.flatMap(({ sessions }) => sessions).slice(0, NAMED),
  };
}

/** What a worker keeps as it is, it runs with. */
function withWorkers(config: NodeConfig, workers: readonly Pick<PreparedWorker, 'config'>[]): NodeConfig {
  const byId = new Map(workers.map((worker) => [worker.config.id, worker.config]));
  const all = config.workers.map((worker) => (byId.get(worker.id) ?? worker) as typeof worker);
  return { ...config, workers: all };
}

/** Workers may stand at other places than in the file: some wait for a restart. */
function authenticatorsFor({ workers }: NodeConfig, sources: readonly NodeSource[]): NodeSource['authenticators'] {
  return workers.map(({ id }) => {
    for (const { config, authenticators } of sources) {
      const index = config.workers.findIndex((worker) => worker.id === id);
      if (index !== -1) return authenticators[index] ?? [];
    }
    return [];
  });
}

function isAtOrBelow(pointer: string, place: string): boolean {
  return pointer === place || pointer.startsWith(`${place}/`);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
