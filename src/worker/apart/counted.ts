/**
 * What the process of a router worker has counted, on its way to the metrics of its node. Counters do not fall when it ends: what the dead
 * one had counted is kept, and the next one's is added.
 */
import { METRICS, NODE, PROCESS } from '../../metrics/catalogue.js';
import { added } from '../../metrics/histogram.js';
import type { HistogramState } from '../../metrics/histogram.js';
import { sample } from '../../metrics/metric.js';
import type { Metric, Sample } from '../../metrics/metric.js';

/** A sample as a line has it: name, labels, and the value; of a histogram its counts, its sum and its bounds. */
export type WrittenSample = readonly [
  name: string,
  labels: readonly string[],
  value: number | { readonly counts: readonly number[]; readonly sum: number; readonly bounds: readonly number[] },
];

/** Of the process that is asked: the node has its own. */
const OWN: ReadonlySet<Metric> = new Set<Metric>([...Object.values(NODE), ...Object.values(PROCESS)]);
const BY_NAME: ReadonlyMap<string, Metric> = new Map(METRICS.map((metric) => [metric.name, metric]));

/** @returns what of the samples the node shows. */
export function written(samples: readonly Sample[]): WrittenSample[] {
  return samples
    .filter(({ metric }) => !OWN.has(metric))
    .map(({ metric, labels, value }) => {
      if (typeof value === 'number') return [metric.name, labels, value];
      return [metric.name, labels, { counts: [...value.counts], sum: value.sum, bounds: value.bounds }];
    });
}

function read([name, labels, value]: WrittenSample): Sample[] {
  const metric = BY_NAME.get(name);
  if (metric === undefined) return [];
  if (typeof value === 'number') return [sample(metric, value, ...labels)];
  return [sample(metric, { ...value, counts: Float64Array.from(value.counts) }, ...labels)];
}

/** The samples of one worker, over all processes that it has had. */
export class CountedElsewhere {
  #now: readonly Sample[] = [];
  // metric and labels -> the sum of what processes had counted that are gone
  readonly #past = new Map<string, Sample>();

  /** The process says what it has counted. */
  take(samples: readonly WrittenSample[]): void {
    this.#now = samples.flatMap(read);
  }

  /** The process is gone: its gauges say nothing any more. */
  ended(): void {
    for (const one of this.#now) {
      if (one.metric.type === 'gauge') continue;
      const key = JSON.stringify([one.metric.name, one.labels]);
      const before = this.#past.get(key);
      this.#past.set(key, before === undefined ? one : { ...one, value: sumOf(before.value, one.value) });
    }
    this.#now = [];
  }

  *all(): Generator<Sample> {
    yield* this.#past.values();
    yield* this.#now;
  }
}

function sumOf(a: number | HistogramState, b: number | HistogramState): number | HistogramState {
  if (typeof a === 'number') return typeof b === 'number' ? a + b : b;
  return typeof b === 'number' ? a : added(a, b);
}
