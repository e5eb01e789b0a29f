import { beforeEach, describe, expect, it } from 'vitest';

import type { AuthMethod, Verdict } from '../../../src/auth/method.js';
import { AUTH_URIS, denied } from '../../../src/auth/verdict.js';
import { limitedMethod, methodWithRightAnswer, REFUSED, times } from '../../support/failure-limit.js';

const MINUTE = 60_000;

let now = 0;
let pauses: number[] = [];
let asked = 0;
beforeEach(() => {
  now = 1_000_000;
  pauses = [];
  asked = 0;
});

const method = methodWithRightAnswer(() => {
  asked += 1;
});

function limited(perPrincipal: number, perAddress: number, inner = method) {
  const pause = (ms: number): Promise<void> => {
    pauses.push(ms);
    return Promise.resolve();
  };
  return limitedMethod(inner, [perPrincipal, perAddress], { clock: () => now, pause });
}

describe('too many failures as one authid', () => {
  it('refuse the right secret too, after a pause, until a minute has passed since the first', async () => {
    const { login } = limited(3, 0);
    await times(3, () => login('joe', 'wrong'));
    expect(pauses).toEqual([]);
    expect(await login('joe', 'right')).toEqual(REFUSED);
    expect(pauses).toEqual([1000]);
    expect(asked).toBe(3);
    now += MINUTE - 1;
    expect(await login('joe', 'right')).toEqual(REFUSED);
    now += 1;
    expect(await login('joe', 'right')).toMatchObject({ type: 'accept' });
  });

  it('concern nobody else, and nobody at another address', async () => {
    const { login } = limited(3, 0);
    await times(3, () => login('joe', 'wrong'));
    expect(await login('ann', 'right')).toMatchObject({ type: 'accept' });
    expect(await login('joe', 'right', '192.0.2.2')).toMatchObject({ type: 'accept' });
  });

  it('are forgiven by the right secret', async () => {
    const { login } = limited(3, 0);
    await times(2, () => login('joe', 'wrong'));
    await login('joe', 'right');
    await times(2, () => login('joe', 'wrong'));
    expect(await login('joe', 'right')).toMatchObject({ type: 'accept' });
  });

  it('cannot be got round by asking for many challenges first', async () => {
    const { start } = limited(3, 0);
    const challenges = await times(10, () => start('joe'));
    for (const challenge of challenges) if (challenge.type === 'challenge') await challenge.resume('wrong', {});
    expect(asked).toBe(3);
    expect(pauses).toHaveLength(7);
  });

  it('slow guesses down where the transport knows no address, and lock nobody out: it may be a proxy', async () => {
    const { login } = limited(3, 1);
    await times(3, () => login('joe', 'wrong', ''));
    // One in two seconds is looked at, whoever makes it.
    expect(await login('joe', 'wrong', '')).not.toEqual(REFUSED);
    expect(await login('joe', 'right', '')).toEqual(REFUSED);
    expect(await login('ann', 'right', '')).toMatchObject({ type: 'accept' });
    now += 2000;
    expect(await login('joe', 'right', '')).toMatchObject({ type: 'accept' });
    // A minute of guesses.
    await times(600, async () => {
      now += 100;
      await login('joe', 'wrong', '');
    });
    expect(asked).toBeLessThan(50);
  });

  it('are not more when all guesses are made at the same time, the right one among them', async () => {
    const verdicts: ((verdict: Verdict) => void)[] = [];
    const slow: AuthMethod = { start: () => new Promise<Verdict>((resolve) => verdicts.push(resolve)) };
    const { start } = limited(3, 0, slow);
    const guesses = Array.from({ length: 200 }, () => start('joe'));
    await Promise.resolve();
    expect(verdicts).toHaveLength(3);
    for (const decide of verdicts) decide(denied(AUTH_URIS.crossbar));
    const given = await Promise.all(guesses);
    expect(given.filter(({ type }) => type === 'deny')).toHaveLength(3);
    // Nothing is known against them yet: a crowd that comes back after a restart must not be told that it is refused.
    expect(given.filter(({ type }) => type === 'unavailable')).toHaveLength(197);
    expect(pauses).toHaveLength(197);
  });

  it('are not counted as long as they have no verdict, once they have a good one', async () => {
    const { login, limit } = limited(3, 5);
    await times(50, () => login('joe', 'right'));
    expect(limit.size).toBe(0);
  });

  it('are those of one name, however it is written', async () => {
    const { login } = limited(3, 0);
    for (const name of ['joe', 'jo\u00ADe', '\uFF4Aoe']) await login(name, 'wrong');
    expect(await login('j\u00ADoe', 'right')).toEqual(REFUSED);
  });

  it('of a method that throws leave nothing behind', async () => {
    const broken: AuthMethod = {
      start: () => {
        throw new Error('broken');
      },
    };
    const { limit, start } = limited(3, 3, broken);
    await expect(start('joe')).rejects.toThrow('broken');
    expect(limit.size).toBe(0);
  });
});

describe('too many failures from one address', () => {
  it('refuse everybody there, whoever it was', async () => {
    const { login } = limited(0, 5);
    await times(5, (i) => login(`user${i}`, 'wrong'));
    expect(await login('joe', 'right')).toEqual(REFUSED);
    expect(await login('joe', 'right', '192.0.2.2')).toMatchObject({ type: 'accept' });
  });

  it('are not forgiven by one right secret: an attacker may have an account', async () => {
    const { login } = limited(0, 5);
    await times(4, (i) => login(`user${i}`, 'wrong'));
    await login('joe', 'right');
    await login('ann', 'wrong');
    expect(await login('joe', 'right')).toEqual(REFUSED);
  });
});

describe('the counts', () => {
  it('are off with 0', async () => {
    const { login, limit } = limited(0, 0);
    await times(1000, () => login('joe', 'wrong'));
    expect(await login('joe', 'right')).toMatchObject({ type: 'accept' });
    expect(limit.size).toBe(0);
  });

  it('are forgotten when they are old', async () => {
    const { login, limit } = limited(3, 0);
    await times(10, (i) => login(`user${i}`, 'wrong'));
    expect(limit.size).toBe(10);
    now += MINUTE;
    await login('joe', 'wrong');
    expect(limit.size).toBe(1);
  });

  it('have a challenge answered once', async () => {
    const { start } = limited(0, 0);
    const challenge = await start('joe');
    if (challenge.type !== 'challenge') throw new Error('expected a challenge');
    expect(await challenge.resume('wrong', {})).toMatchObject({ type: 'deny' });
    expect(await challenge.resume('right', {})).toMatchObject({ type: 'deny' });
    expect(asked).toBe(1);
  });

  it('are by address alone for those who name nobody', async () => {
    const { login, limit } = limited(3, 5);
    await times(4, () => login(undefined, 'wrong'));
    expect(limit.size).toBe(1);
    expect(await login(undefined, 'right')).toMatchObject({ type: 'accept' });
    await login(undefined, 'wrong');
    expect(await login(undefined, 'right')).toEqual(REFUSED);
  });

  it('count nothing when it was an authenticator that failed', async () => {
    const failed = {
      type: 'deny',
      reason: 'wamp.error.authentication_failed',
      message: 'the authenticator failed',
    } as const;
    const { login, limit } = limited(1, 1, { start: () => failed });
    expect(await login('joe', '')).toEqual(failed);
    expect(await login('joe', '')).toEqual(failed);
    expect(limit.size).toBe(0);
  });

  it('count nothing for a method that has nothing to say', async () => {
    const { start, limit } = limited(1, 1, { start: () => ({ type: 'pass' }) });
    expect(await start('joe')).toEqual({ type: 'pass' });
    expect(limit.size).toBe(0);
  });
});
