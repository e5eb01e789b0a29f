/** How long to wait before a restart. */
import { expect, it } from 'vitest';
import { BackOff } from '../../../../src/system/process/back-off.js';

it('a process that does not live waits twice as long each time, up to a limit', () => {
  const backOff = new BackOff(() => 0);
  const waits = Array.from({ length: 9 }, () => {
    backOff.started();
    return backOff.ended();
  });
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

it('one that has lived for a while begins anew, one that could not be started does not', () => {
  let now = 0;
  const backOff = new BackOff(() => now);
  backOff.started();
  backOff.ended();
  backOff.started();
  now += 9_999;
  expect(backOff.ended()).toBe(1000);
  now += 60_000;
  expect(backOff.ended()).toBe(2000);
  backOff.started();
  now += 10_000;
  expect(backOff.ended()).toBe(500);
  expect(backOff.ended()).toBe(1000);
});
