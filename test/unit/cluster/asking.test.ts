/** Questions to another node that are asked until it answers, or nothing is heard of it any more. */
import { expect, it } from 'vitest';

import { askWhileHeard } from '../../../src/cluster/asking.js';
import type { Frame } from '../../../src/cluster/frame.js';
import { EngineError } from '../../../src/engine/engine.js';
import { payloadOf } from '../../../src/wamp/payload.js';

const NODE = { name: 'b', epoch: 1 };
const ANSWER: Frame = { head: { v: 1 }, payload: payloadOf([]) };
const LOST = new EngineError('unavailable', 'node "b" does not answer');

/** A node that gives one answer after the other. @param suspectAfter so many questions; by default it is heard for ever. */
function askOf(answers: readonly (Frame | Error)[], suspectAfter = Infinity) {
  let asked = 0;
  const deps = {
    peers: {
      ask: () => {
        const answer = answers[asked] ?? ANSWER;
        asked += 1;
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
    },
    membership: { isSuspect: () => asked >= suspectAfter },
    scheduler: {
      after: (_ms: number, then: () => void) => {
        queueMicrotask(then);
        return () => undefined;
      },
    },
  };
  return { answer: askWhileHeard(deps, NODE, 'kind', {}), asked: () => asked };
}

it('asks again as long as the node is heard', async () => {
  const { answer, asked } = askOf([LOST, LOST]);
  expect(await answer).toBe(ANSWER);
  expect(asked()).toBe(3);
});

it('goes on without an answer when nothing is heard of the node', async () => {
  const { answer, asked } = askOf([LOST, LOST, LOST], 2);
  expect(await answer).toBeUndefined();
  expect(asked()).toBe(2);
});

it('takes a fault of the code for what it is, and not for a lost answer', async () => {
  const { answer, asked } = askOf([new TypeError('a fault of the code')]);
  await expect(answer).rejects.toThrow('a fault of the code');
  expect(asked()).toBe(1);
});
