import { describe, expect, it } from 'vitest';

import { KeyedQueue } from '../../../../src/cookie/live/keyed-queue.js';

describe('turns', () => {
  it('are taken one after the other for one key, and at once for different keys', async () => {
    const turns = new KeyedQueue();
    const told: string[] = [];
    let finish = (): void => undefined;
    const first = turns.take('a', async () => {
      told.push('first');
      await new Promise<void>((resolve) => (finish = resolve));
    });
    const second = turns.take('a', () => Promise.resolve(void told.push('second')));
    await turns.take('b', () => Promise.resolve(void told.push('other')));
    expect(told).toEqual(['first', 'other']);
    finish();
    await Promise.all([first, second]);
    expect(told).toEqual(['first', 'other', 'second']);
    expect(turns.size).toBe(0);
  });

  it('go on behind work that fails', async () => {
    const turns = new KeyedQueue();
    const failing = turns.take('a', () => Promise.reject(new Error('no')));
    const next = turns.take('a', () => Promise.resolve(2));
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe(2);
    expect(turns.size).toBe(0);
  });
});
