/** A hundred thousand sessions of another node are learned and told of in pieces. */
import { expect, it } from 'vitest';

import { Attendance } from '../../../src/cluster/meta/attendance.js';
import { Roll } from '../../../src/cluster/meta/roll.js';
import { encodeFrame } from '../../../src/cluster/frame.js';
import { NO_PAYLOAD } from '../../../src/wamp/payload.js';
import { FakeClock } from '../../support/realm.js';

const COUNT = 100_000;

it('no page of the list is long, and no turn tells of many', async () => {
  const [self, other] = [
    { name: 'a', epoch: 1 },
    { name: 'b', epoch: 1 },
  ];
  const sessions = new Map<number, { authid: string; authrole: string }>();
  for (let index = 1; index <= COUNT; index++) {
    sessions.set(2 ** 52 + index, { authid: `"${index}" ${'ü'.repeat(index % 50)}`, authrole: 'anonymous' });
  }
  sessions.set(17, { authid: 'x'.repeat(600_000), authrole: 'too long for any node to hear of it' });
  const clock = new FakeClock();
  const roll = new Roll({ sessions: () => sessions, scheduler: clock });
  const pages: number[] = [];
  const turns: (() => void)[] = [];
  const told: number[] = [];
  let others = [other];
  const attendance = new Attendance({
    ...{ engine: { subscribe: () => () => undefined }, prefix: 'w.test.e.realm1.', self, heartbeatMs: 1000 },
    membership: {
      get others() {
        return others;
      },
    },
    nodeOf: () => other,
    ask: (_to, _kind, head, heard) => {
      const answer = roll.asked(self, head);
      pages.push(encodeFrame(answer).length);
      const frame = { head: answer, payload: NO_PAYLOAD };
      heard?.(frame);
      return Promise.resolve(frame);
    },
    scheduler: {
      elapsed: () => 0,
      after: (_ms, callback) => {
        turns.push(callback);
        return () => undefined;
      },
    },
    mayServe: () => true,
    tell: ({ id }) => void told.push(id),
  });
  attendance.begin();
  while (attendance.size < COUNT) await new Promise((resolve) => setImmediate(resolve));
  expect(Math.max(...pages)).toBeLessThan(70_000);
  expect(roll.size).toBe(0);
  turns.splice(0);
  others = [];
  attendance.forget(other);
  const counts: number[] = [];
  for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
    const before = told.length;
    turn();
    counts.push(told.length - before);
  }
  expect(Math.max(...counts)).toBe(1000);
  expect(new Set(told)).toEqual(new Set([...sessions.keys()].filter((id) => id !== 17)));
  expect([told.length, attendance.size]).toEqual([COUNT, 0]);
});
