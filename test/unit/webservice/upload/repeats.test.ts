/** Pieces that come again because their answer was lost: what is remembered, how long, and how much of it. */
import { expect, it } from 'vitest';

import { RepeatedPieces } from '../../../../src/webservice/upload/repeats.js';

const MARKS = new Map([[3, 'three']]);

it('knows a piece by its content, for a minute', () => {
  let nowMs = 0;
  const repeats = new RepeatedPieces(() => nowMs);
  repeats.add('a', MARKS);
  expect([repeats.mayHave('a', 3), repeats.mayHave('a', 2), repeats.mayHave('b', 3)]).toEqual([true, false, false]);
  expect([repeats.has('a', 3, 'three'), repeats.has('a', 3, 'other')]).toEqual([true, false]);
  nowMs = 59_999;
  expect(repeats.has('a', 3, 'three')).toBe(true);
  nowMs = 60_000;
  expect(repeats.has('a', 3, 'three')).toBe(false);
});

it('knows nothing more of an upload that begins anew', () => {
  const repeats = new RepeatedPieces(() => 0);
  repeats.add('a', MARKS);
  repeats.forget('a');
  expect(repeats.mayHave('a', 3)).toBe(false);
});

it('forgets the oldest when there are a thousand', () => {
  const repeats = new RepeatedPieces(() => 0);
  for (let index = 0; index <= 1000; index += 1) repeats.add(String(index), MARKS);
  expect(['0', '1', '1000'].map((key) => repeats.mayHave(key, 3))).toEqual([false, true, true]);
});
