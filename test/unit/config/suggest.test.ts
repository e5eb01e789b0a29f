import { describe, expect, it } from 'vitest';

import { nearest, slipsBetween } from '../../../src/config/suggest.js';

describe('slips between two words', () => {
  it.each([
    ['', '', 0],
    ['abc', 'abc', 0],
    ['abc', '', 3],
    ['', 'abc', 3],
    ['max_agee', 'max_age', 1],
    ['max_ge', 'max_age', 1],
    ['max_ags', 'max_age', 1],
    ['amx_age', 'max_age', 1],
    ['prot', 'port', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ])('%j and %j: %i', (a, b, slips) => {
    expect(slipsBetween(a, b)).toBe(slips);
    expect(slipsBetween(b, a)).toBe(slips);
  });
});

describe('the nearest word', () => {
  const words = ['name', 'length', 'max_age', 'store', 'allow-by-default'];

  it.each([
    ['max_agee', 'max_age'],
    ['lenght', 'length'],
    ['nmae', 'name'],
    ['Name', 'name'],
    ['allow_by_default', 'allow-by-default'],
    ['max-age', 'max_age'],
  ])('to %j is %j', (word, expected) => {
    expect(nearest(word, words)).toBe(expected);
  });

  it.each(['', 'x', 'comment', 'ttl', 'n'.repeat(100_000)])('to %.10j is none', (word) => {
    expect(nearest(word, words)).toBeUndefined();
  });

  it('is the first of equals', () => {
    expect(nearest('ab', ['ax', 'ay'])).toBe('ax');
  });
});
