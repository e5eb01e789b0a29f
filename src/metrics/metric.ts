/** What a metric is, and a sample of one: the words that the parts of this folder share, and everybody who shows something. */
import type { HistogramState } from './histogram.js';

/** A metric: a name, what it means, and the names of its labels. */
export interface Metric {
  /** As Prometheus shows it; that of a counter ends in `_total`. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** One sentence. */
  readonly help: string;
  readonly labels: readonly string[];
  /** What becomes of two numbers with the same labels; by default they are added up. */
  readonly together?: 'least' | 'most';
}

/** A value of a metric. */
export interface Sample {
  readonly metric: Metric;
  /** The values of its labels, in their order. An empty one is as good as none. */
  readonly labels: readonly string[];
  readonly value: number | HistogramState;
}

/** Stands between samples: enough was done for this turn of the event loop. */
export const BREATH = 'breath';

/** Where samples come from. It is asked at each scrape, and is pulled from in several turns of the event loop. */
export type SampleSource = () => Iterable<Sample | typeof BREATH> | AsyncIterable<Sample | typeof BREATH>;

/** @returns a sample. */
export function sample(metric: Metric, value: number | HistogramState, ...labels: readonly string[]): Sample {
  return { metric, labels, value };
}

/** @returns a sample for each entry, with its key as the last label. */
export function* samplesOf(
  metric: Metric,
  values: Iterable<readonly [string, number]>,
  ...labels: readonly string[]
): Generator<Sample> {
  for (const [word, value] of values) yield sample(metric, value, ...labels, word);
}
