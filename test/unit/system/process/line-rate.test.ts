/** How many lines of a process the log gets. */
import { expect, it } from 'vitest';
import { LineRate } from '../../../../src/system/process/line-rate.js';

function limited(limit: { burst: number; perSecond: number }) {
  const clock = { now: 0 };
  const timers: { callback: () => void; ms: number }[] = [];
  const omitted: number[] = [];
  const rate = new LineRate(
    {
      clock: () => clock.now,
      after: (ms, callback) => {
        const timer = { callback, ms };
        timers.push(timer);
        return () => timers.splice(timers.indexOf(timer), 1);
      },
      onOmitted: (lines) => omitted.push(lines),
    },
    limit,
  );
  const take = (count: number) => Array.from({ length: count }, () => rate.take()).filter(Boolean).length;
  return { rate, clock, timers, omitted, take };
}

it('lets a burst through, then so many a second, and never more than a burst', () => {
  const { clock, take } = limited({ burst: 10, perSecond: 4 });
  expect(take(30)).toBe(10);
  clock.now += 500;
  expect(take(30)).toBe(2);
  clock.now += 60_000;
  expect(take(30)).toBe(10);
});

it('tells what was left out once a second, and the rest at the end', () => {
  const { rate, timers, omitted, take } = limited({ burst: 10, perSecond: 4 });
  take(30);
  expect([timers.map(({ ms }) => ms), omitted]).toEqual([[1000], []]);
  timers[0]?.callback();
  expect([timers, omitted]).toEqual([[], [20]]);
  take(5);
  rate.end();
  rate.end();
  expect([timers, omitted]).toEqual([[], [20, 5]]);
});
