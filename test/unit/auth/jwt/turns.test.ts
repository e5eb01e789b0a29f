/** Many tokens at the same time are checked a few at a time. */
import { describe, expect, it } from 'vitest';

import { Turns } from '../../../../src/system/turns.js';
import { testAuth } from '../../../support/auth.js';
import { jwtSection, KeyServer, ownTime, SECRET, secretKey, signed, signingKey } from '../../../support/tokens.js';

describe('turns', () => {
  it('are taken in order, and never more than there are', async () => {
    const turns = new Turns(3);
    let [out, most] = [0, 0];
    const order: number[] = [];
    const work = async (n: number): Promise<void> => {
      const giveBack = await turns.take();
      order.push(n);
      most = Math.max(most, ++out);
      await Promise.resolve();
      out--;
      giveBack();
    };
    await Promise.all(Array.from({ length: 20 }, (_, n) => work(n)));
    expect([most, order]).toEqual([3, Array.from({ length: 20 }, (_, n) => n)]);
    await work(20);
    expect(order).toHaveLength(21);
  });
});

describe('a flood of tokens', () => {
  it('is answered, and something else has its turn meanwhile, again and again', async () => {
    const own = ownTime();
    const auth = await testAuth(jwtSection([{ secret: SECRET }]), own);
    const [good, bad] = [await signed(secretKey(), own.time.now), await signed(secretKey(`${SECRET}!`), own.time.now)];
    let [turns, isOver] = [0, false];
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const verdicts = await Promise.all(
      Array.from({ length: 400 }, (_, n) =>
        auth.start({ authmethod: 'jwt', authextra: { token: n % 2 === 0 ? good : bad } }),
      ),
    );
    isOver = true;
    expect(verdicts.filter(({ type }) => type === 'accept')).toHaveLength(200);
    // At least one turn of the event loop for each batch of eight.
    expect(turns).toBeGreaterThan(40);
  });

  it('with an unknown key, while its issuer hangs, keeps nobody with a known key waiting', async () => {
    const [known, unknown] = [await signingKey('ES256', 'known'), await signingKey('ES256', 'unknown')];
    const server = await KeyServer.start(known);
    const own = ownTime();
    const auth = await testAuth(jwtSection([{ jwks: server.url }]), own);
    const login = async (key: typeof known) =>
      auth.start({ authmethod: 'jwt', authextra: { token: await signed(key, own.time.now) } });
    expect((await login(known)).type).toBe('accept');
    own.time.advance(30_000);
    server.mode = 'hung';
    const strangers = Array.from({ length: 20 }, () => login(unknown));
    expect((await login(known)).type).toBe('accept');
    await auth.method('jwt').stop?.();
    for (const verdict of await Promise.all(strangers)) expect(verdict.type).toBe('deny');
    await server.stop();
  });
});
