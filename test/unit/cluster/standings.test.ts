/** Turns of nodes that ask about the same pattern at the same time. */
import { expect, it } from 'vitest';

import { Standings } from '../../../src/cluster/meta/standings.js';
import type { Dict } from '../../../src/wamp/payload.js';

const PATTERN = 7;

function standingsOf(selfKey: string, since?: number) {
  const standings = new Standings({ selfKey, sinceOf: () => since });
  const answers: Dict[] = [];
  const ask = (key: string, stamp: number): void =>
    standings.asked(key, { t: stamp, w: [PATTERN] }, (answer) => answers.push(answer));
  return { standings, answers, ask };
}

it('answers whoever has an earlier turn at once, and others behind its own', () => {
  const { standings, answers, ask } = standingsOf('b.1');
  ask('a.1', 4);
  const round = standings.begin([PATTERN]);
  expect(round.head).toEqual({ t: 5, w: [PATTERN] });
  ask('a.1', 5);
  ask('c.1', 4);
  expect(answers).toEqual([{ h: [] }, { h: [] }, { h: [] }]);
  ask('c.1', 5);
  ask('a.1', 6);
  expect(answers).toHaveLength(3);
  round.end(() => undefined);
  expect(answers).toHaveLength(5);
});

it('still has what it is about to end, until it is over', () => {
  const { standings, answers, ask } = standingsOf('b.1');
  const ends: string[] = [];
  standings.leave(PATTERN, () => ends.push('ended'));
  ask('a.1', 1);
  const round = standings.end();
  ask('a.1', 3);
  round?.end(() => undefined);
  expect(ends).toEqual(['ended']);
  expect(answers).toEqual([{ h: [[0, 'has', 0]] }, { h: [] }]);
});

it('lets nobody wait for its turn when it leaves', () => {
  const { standings, answers, ask } = standingsOf('b.1', 1000);
  standings.begin([PATTERN]);
  ask('c.1', 1);
  expect(answers).toEqual([]);
  standings.release();
  expect(answers).toEqual([{ h: [[0, 'has', 1000]] }]);
  expect(standings.size).toBe(0);
});
