import { describe, expect, it } from 'vitest';

import { Kept } from '../../../../../src/webservice/login/providers/kept.js';

interface Question {
  resolve(value: string): void;
  reject(error: Error): void;
}

function world() {
  const clock = { now: 0 };
  const questions: Question[] = [];
  const load = (): Promise<string> => new Promise((resolve, reject) => void questions.push({ resolve, reject }));
  const kept = new Kept({ load, goodMs: 1000, badMs: 10, clock: () => clock.now });
  return { clock, questions, kept };
}

describe('what somebody has to be asked for', () => {
  it('is asked for once, and kept', async () => {
    const { questions, kept, clock } = world();
    const both = Promise.all([kept.get(), kept.get()]);
    questions[0]?.resolve('one');
    expect(await both).toEqual(['one', 'one']);
    clock.now = 999;
    expect(await kept.get()).toBe('one');
    expect(questions).toHaveLength(1);
  });

  it('is not asked for again for a while after a failure', async () => {
    const { questions, kept, clock } = world();
    const first = kept.get();
    questions[0]?.reject(new Error('away'));
    await expect(first).rejects.toThrow('away');
    clock.now = 9;
    await expect(kept.get()).rejects.toThrow('away');
    expect(questions).toHaveLength(1);
    clock.now = 10;
    const next = kept.get();
    questions[1]?.resolve('two');
    expect(await next).toBe('two');
  });

  it('is asked for again when it is old, and kept if that fails', async () => {
    const { questions, kept, clock } = world();
    const first = kept.get();
    questions[0]?.resolve('one');
    await first;
    clock.now = 1000;
    const second = kept.get();
    questions[1]?.reject(new Error('away'));
    expect(await second).toBe('one');
    expect(await kept.get()).toBe('one');
    expect(questions).toHaveLength(2);
    clock.now = 1010;
    const third = kept.get();
    questions[2]?.resolve('two');
    expect(await third).toBe('two');
  });
});
