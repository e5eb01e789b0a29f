import { describe, expect, it } from 'vitest';

import { limitedMethod, methodWithRightAnswer, REFUSED, times } from '../../support/failure-limit.js';

describe('the counts', () => {
  it('are bounded: the oldest go first', async () => {
    const { login, limit } = limitedMethod(methodWithRightAnswer(), [1, 0], {
      clock: () => 1_000_000,
      pause: () => Promise.resolve(),
    });
    await login('first', 'wrong');
    await times(100_000, (i) => login(`user${i}`, 'wrong'));
    expect(limit.size).toBe(100_000);
    expect(await login('first', 'right')).toMatchObject({ type: 'accept' });
    expect(await login('user99999', 'right')).toEqual(REFUSED);
  });
});
