import { describe, expect, it } from 'vitest';

import { EngineError } from '../../../src/engine/engine.js';
import { whenAvailable } from '../../../src/engine/patience.js';

const AWAY = new EngineError('unavailable', 'jetstream is not enabled');

/** Joins after so many failures. @returns what became of it, and what was told when. */
async function joining(failures: number, { ms = 10_000, error = AWAY }: { ms?: number; error?: Error } = {}) {
  let [now, attempts] = [0, 0];
  const told: (readonly [number, string])[] = [];
  const join = (): Promise<string> => (++attempts > failures ? Promise.resolve('joined') : Promise.reject(error));
  const outcome = await whenAvailable(join, {
    ms,
    waiting: (problem) => void told.push([now, problem]),
    elapsed: () => now,
    wait: (pauseMs) => Promise.resolve((now += pauseMs)),
  }).catch(String);
  return { outcome, attempts, told };
}

describe('a node waits for its engine', () => {
  it('for a moment without a word', async () => {
    expect(await joining(3)).toEqual({ outcome: 'joined', attempts: 4, told: [] });
  });

  it('for longer, and tells it once', async () => {
    expect(await joining(9)).toEqual({ outcome: 'joined', attempts: 10, told: [[2000, 'jetstream is not enabled']] });
  });

  it('until there is no more time', async () => {
    const { outcome, told } = await joining(99);
    expect([outcome, told.length]).toEqual([String(AWAY), 1]);
    expect((await joining(99, { ms: 1000 })).attempts).toBe(3);
  });

  it('and not where it is refused', async () => {
    const error = new EngineError('refused', 'there is a node of that name');
    expect(await joining(9, { error })).toEqual({ outcome: String(error), attempts: 1, told: [] });
  });
});
