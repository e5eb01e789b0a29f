/** The processes of router workers, as their node sees them: for commands, metrics and those who ask whether clients can come. */
import type { Sample } from '../../metrics/metric.js';
import type { MonitoredElsewhere } from '../../monitor/source.js';
import type { Question } from './channel.js';
import type { VisitOrder } from './visit-order.js';

/** The process of one router worker, whether it runs at present or not. */
export interface ProcessOfRouter extends MonitoredElsewhere {
  /** Undefined while there is none. */
  readonly pid: number | undefined;
  /** What is wrong with it: it does not run, or its own checks have found something. */
  readonly problem: string | undefined;
  /** Those that it had when it was heard last. */
  readonly realms: readonly string[];
  /** How many sessions it had when it was heard last. */
  readonly sessions: number;
  /** As {@link MonitoredElsewhere.ask}, with items, and however long it takes: one that hangs is ended, and then this rejects. */
  askFor(name: string, request: object, question: Question): Promise<unknown>;
  /** Clients of fronts come to it, now and whenever it is started. @throws WorkerError (rejects) when it cannot take them. */
  takeVisits(order: VisitOrder): Promise<void>;
  /** What it has counted, as far as it was told: {@link refresh} asks. */
  samples(): Iterable<Sample>;
  /** Resolves within a second or so, also where it does not answer. */
  refresh(): Promise<void>;
}

/** What of a process `status` tells. */
export interface ProcessSummary {
  readonly worker: string;
  /** None while it is started again. */
  readonly pid?: number;
}

/** All of a node, in the order of their start. */
export class RouterProcesses {
  readonly #all: ProcessOfRouter[] = [];

  /** A worker has a process. */
  add(one: ProcessOfRouter): void {
    this.#all.push(one);
  }

  /** @returns the process of a worker; undefined where it has none. */
  of(worker: string): ProcessOfRouter | undefined {
    return this.#all.find((each) => each.worker === worker);
  }

  get all(): readonly ProcessOfRouter[] {
    return this.#all;
  }

  /** Sessions in all of them but one. */
  sessionsBeside(worker?: string): number {
    return this.#all.reduce((sum, each) => sum + (each.worker === worker ? 0 : each.sessions), 0);
  }

  /** @returns what is wrong with all but one, in a line; undefined when nothing is. */
  problemBeside(worker?: string): string | undefined {
    const found = this.#all.flatMap(({ worker: id, problem }) =>
      id === worker || problem === undefined ? [] : [`${id}: ${problem}`],
    );
    return found.length === 0 ? undefined : found.join('; ');
  }

  /** What they have counted. One that hangs keeps nobody waiting: what it told before counts. */
  async *counted(): AsyncGenerator<Sample> {
    await Promise.all(this.#all.map((each) => each.refresh()));
    for (const each of this.#all) yield* each.samples();
  }

  get summaries(): readonly ProcessSummary[] {
    return this.#all.map(({ worker, pid }) => ({ worker, ...(pid !== undefined && { pid }) }));
  }
}
