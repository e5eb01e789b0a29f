/**
 * What is shown of the process and of Node.js. The event loop and the collections of garbage are watched only while somebody wants to know, because
 * that costs a timer and an observer. Figures of the system come from /proc; where there is none they are left out.
 */
import { readFile, readdir } from 'node:fs/promises';
import { PerformanceObserver, constants, monitorEventLoopDelay } from 'node:perf_hooks';
import type { IntervalHistogram, PerformanceEntry } from 'node:perf_hooks';
import { PROCESS } from './catalogue.js';
import { Histogram } from './histogram.js';
import { sample } from './metric.js';
import type { Sample } from './metric.js';

/** As prom-client has them, in seconds. */
const GC_BOUNDS = [0.001, 0.01, 0.1, 1, 2, 5];
const GC_KINDS: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);
/** The timer that finds delays runs so often: a delay below that is none. */
const RESOLUTION_MS = 10;

/** What the process says of itself. */
export interface ProcessFacts {
  /** In microseconds, since the start. */
  cpuUsage(): { readonly user: number; readonly system: number };
  /** In bytes. */
  memoryUsage(): {
    readonly rss: number;
    readonly heapTotal: number;
    readonly heapUsed: number;
    readonly external: number;
  };
  /** In seconds, since the start. */
  uptime(): number;
  readonly versions: { readonly node: string };
}

/** Watches the process. {@link ProcessWatch.stop} ends that. */
export class ProcessWatch {
  readonly #program: ProcessFacts;
  readonly #startedSeconds: number;
  readonly #delays: IntervalHistogram;
  readonly #gc = new Map([...GC_KINDS.values()].map((kind) => [kind, new Histogram(GC_BOUNDS)]));
  readonly #observer: PerformanceObserver;

  constructor(facts: ProcessFacts) {
    this.#program = facts;
    this.#startedSeconds = Date.now() / 1000 - facts.uptime();
    this.#delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delays.enable();
    this.#observer = new PerformanceObserver((list) => list.getEntries().forEach((entry) => this.#collected(entry)));
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** Nothing is watched any more. Idempotent. */
  stop(): void {
    this.#observer.disconnect();
    this.#delays.disable();
  }

  /** @returns what is so now. */
  async *samples(): AsyncGenerator<Sample> {
    const { user, system } = this.#program.cpuUsage();
    yield sample(PROCESS.cpuUser, user / 1e6);
    yield sample(PROCESS.cpuSystem, system / 1e6);
    yield sample(PROCESS.cpu, (user + system) / 1e6);
    yield sample(PROCESS.started, this.#startedSeconds);
    const { rss, heapTotal, heapUsed, external } = this.#program.memoryUsage();
    yield sample(PROCESS.resident, rss);
    yield sample(PROCESS.heapTotal, heapTotal);
    yield sample(PROCESS.heapUsed, heapUsed);
    yield sample(PROCESS.external, external);
    yield* this.#lag();
    for (const [kind, durations] of this.#gc) yield sample(PROCESS.gc, durations, kind);
    const { node } = this.#program.versions;
    yield sample(PROCESS.version, 1, `v${node}`, ...node.split('.').slice(0, 3));
    yield* systemSamples();
  }

  *#lag(): Generator<Sample> {
    const delays = this.#delays;
    if (delays.count > 0) {
      yield sample(PROCESS.lag, lagOf(delays.mean));
      yield sample(PROCESS.lagMax, lagOf(delays.max));
      yield sample(PROCESS.lagP50, lagOf(delays.percentile(50)));
      yield sample(PROCESS.lagP99, lagOf(delays.percentile(99)));
    }
    delays.reset();
  }

  #collected(entry: PerformanceEntry): void {
    const { duration, detail }: { readonly duration: number; readonly detail?: unknown } = entry;
    const kind = typeof detail === 'object' && detail !== null && 'kind' in detail ? detail.kind : undefined;
    if (typeof kind === 'number') this.#gc.get(GC_KINDS.get(kind) ?? '')?.observe(duration / 1000);
  }
}

/** @param nanoseconds between two runs of the timer. @returns by how much it was late, in seconds. */
function lagOf(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000);
}

async function* systemSamples(): AsyncGenerator<Sample> {
  // One of them is that of the directory itself.
  const open = await readdir('/proc/self/fd').then(
    ({ length }) => length - 1,
    () => undefined,
  );
  if (open !== undefined) yield sample(PROCESS.openFds, open);
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const most = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (most !== undefined) yield sample(PROCESS.maxFds, most === 'unlimited' ? Infinity : Number(most));
}
