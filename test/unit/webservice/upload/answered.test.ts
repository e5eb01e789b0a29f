/** Uploads that were finished by a question: for how long, and how many of them are remembered. */
import { expect, it } from 'vitest';

import { AnsweredUploads } from '../../../../src/webservice/upload/answered.js';

it('remembers an upload for a minute', () => {
  let nowMs = 0;
  const answered = new AnsweredUploads(() => nowMs);
  answered.add('a');
  nowMs = 59_999;
  expect([answered.has('a'), answered.has('b')]).toEqual([true, false]);
  nowMs = 60_000;
  expect(answered.has('a')).toBe(false);
});

it('forgets the oldest when there are a thousand', () => {
  const answered = new AnsweredUploads(() => 0);
  for (let index = 0; index <= 1000; index += 1) answered.add(String(index));
  expect(['0', '1', '1000'].map((key) => answered.has(key))).toEqual([false, true, true]);
});
