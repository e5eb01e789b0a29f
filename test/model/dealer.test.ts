/**
 * The dealer under random interleavings. `MODEL_RUNS` in the environment sets how many; a failure prints the seed and
 * the shortest sequence of steps that fails.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FEATURE_SETS, INVOKES, MODES, PATTERN_COUNT, URIS, World } from './dealer-world.js';
import type { Step } from './dealer-world.js';

const RUNS = Number(process.env['MODEL_RUNS'] ?? 500);

const who = fc.nat(7);
const which = fc.nat(20);
const flag = fc.boolean();
const is = <T extends string>(word: T) => fc.constant(word);

const join = fc.record({ do: is('join'), features: fc.nat(FEATURE_SETS - 1) });
const register = fc.record({
  do: is('register'),
  who,
  pattern: fc.nat(PATTERN_COUNT - 1),
  invoke: fc.constantFrom(...INVOKES),
  concurrency: fc.nat(2),
  force: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  forwardTimeout: flag,
});
const call = fc.record({
  do: is('call'),
  who,
  uri: fc.nat(URIS.length - 1),
  timeout: fc.constantFrom(0, 10, 50),
  receiveProgress: flag,
  progress: flag,
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: join },
  { weight: 3, arbitrary: register },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('unregister', 'answer again', 'leave'), who, which }) },
  { weight: 8, arbitrary: call },
  { weight: 3, arbitrary: fc.record({ do: is('call on'), who, which, last: flag }) },
  { weight: 5, arbitrary: fc.record({ do: is('yield'), who, which, progress: flag }) },
  { weight: 3, arbitrary: fc.record({ do: is('error'), who, which, unavailable: flag }) },
  { weight: 3, arbitrary: fc.record({ do: is('cancel'), who, which, mode: fc.constantFrom(...MODES) }) },
  { weight: 2, arbitrary: fc.record({ do: is('wait'), ms: fc.integer({ min: 1, max: 60 }) }) },
);

/** A few sessions and registrations to begin with, so that the steps have something to work on. */
const steps = fc
  .tuple(
    fc.array(join, { minLength: 2, maxLength: 5 }),
    fc.array(register, { minLength: 1, maxLength: 5 }),
    fc.array(step, { minLength: 1, maxLength: 80, size: 'max' }),
  )
  .map((parts): Step[] => parts.flat());

describe('the dealer', () => {
  it(
    `answers every call once and leaves nothing behind, in ${RUNS} random sequences`,
    () => {
      let answered = 0;
      fc.assert(
        fc.property(steps, flag, (sequence, cancelWithoutError) => {
          const world = new World(cancelWithoutError);
          for (const next of sequence) world.run(next);
          world.settle();
          world.end();
          answered += world.answered;
        }),
        { numRuns: RUNS },
      );
      expect(answered).toBeGreaterThan(RUNS);
    },
    20_000 + RUNS * 20,
  );
});
