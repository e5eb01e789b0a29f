/** The rates that lists are put in order by: what they are the difference of, and that nothing is kept for nobody. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Rates } from '../../../src/monitor/rates.js';

const SUBJECT = { what: 'sessions', worker: 'worker1', realm: 'realm1' };

let nowMs: number;
let rates: Rates;

beforeEach(() => {
  vi.useFakeTimers();
  nowMs = 1_000_000;
  rates = new Rates(() => nowMs);
});
afterEach(() => {
  vi.useRealTimers();
});

/** A look at some counts. @returns the rates. */
function look(counts: Readonly<Record<number, number>>, ageMs = 100_000, subject = SUBJECT): readonly number[] {
  const rateOf = rates.look(subject);
  return Object.entries(counts).map(([id, count]) => rateOf({ id: Number(id), count, ageMs }));
}

describe('a rate', () => {
  it('is that of the whole life at the first look, and of what is new', () => {
    expect(look({ 1: 500, 2: 0 })).toEqual([5, 0]);
    nowMs += 2000;
    expect(look({ 1: 500, 3: 40 }, 4000)).toEqual([0, 10]);
  });

  it('of something that has just come is not that of a moment', () => {
    expect(look({ 1: 3 }, 1)).toEqual([3]);
  });

  it('is the difference to the look before', () => {
    look({ 1: 100 });
    nowMs += 2000;
    expect(look({ 1: 110 })).toEqual([5]);
    nowMs += 4000;
    expect(look({ 1: 130 })).toEqual([5]);
  });

  it('is never that of less than a second, however many look', () => {
    look({ 1: 0 });
    nowMs += 1000;
    expect(look({ 1: 10 })).toEqual([10]);
    nowMs += 10;
    // Compared with the first look, and not with the one ten milliseconds ago.
    expect(look({ 1: 20 })).toEqual([20_000 / 1010]);
    nowMs += 990;
    expect(look({ 1: 20 })).toEqual([10]);
  });

  it('does not fall below nothing', () => {
    look({ 1: 10 });
    nowMs += 1000;
    expect(look({ 1: 4 })).toEqual([0]);
  });

  it('of one realm has nothing to do with another', () => {
    look({ 1: 100 });
    nowMs += 1000;
    expect(look({ 1: 100 }, 10_000, { ...SUBJECT, realm: 'realm2' })).toEqual([10]);
  });
});

describe('counts', () => {
  it('are kept of the last two looks, and forgotten ten seconds after the last one', () => {
    for (let n = 0; n < 20; n++) {
      look({ 1: n, 2: n, [3 + n]: n });
      nowMs += 1000;
      vi.advanceTimersByTime(1000);
    }
    expect(rates.size).toBe(6);
    vi.advanceTimersByTime(8999);
    expect(rates.size).toBe(6);
    vi.advanceTimersByTime(1);
    expect(rates.size).toBe(0);
    expect(look({ 1: 500 })).toEqual([5]);
  });
});
