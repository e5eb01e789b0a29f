import { describe, expect, it } from 'vitest';

import { DURATION_BOUNDS, Histogram, added, copied } from '../../../src/metrics/histogram.js';

describe('a histogram', () => {
  it('has the ranges for durations', () => {
    expect(DURATION_BOUNDS).toHaveLength(14);
    expect([...DURATION_BOUNDS].sort((a, b) => a - b)).toEqual(DURATION_BOUNDS);
  });

  it('counts a value in the first range that it fits in, a bound below itself', () => {
    const histogram = new Histogram([1, 2, 5]);
    for (const value of [0, 1, 1.1, 2, 4.9, 5, 5.1, 1000]) histogram.observe(value);
    expect([...histogram.counts]).toEqual([2, 2, 2, 2]);
    expect(histogram.sum).toBeCloseTo(1019.1);
  });

  it('can be added to another, and copied', () => {
    const [a, b] = [new Histogram([1]), new Histogram([1])];
    a.observe(0.5);
    b.observe(3);
    const copy = copied(a);
    a.observe(0.5);
    expect([...copy.counts]).toEqual([1, 0]);
    expect(added(a, b)).toMatchObject({ sum: 4, counts: Float64Array.of(2, 1) });
  });
});
