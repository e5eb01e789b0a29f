/** Tokens that are good, and that somebody says do not count any more. */
import type { JWTPayload } from 'jose';
import { describe, expect, it } from 'vitest';

import { createDeniedQuestion, MAX_ANSWERS } from '../../../../src/auth/jwt/denied.js';
import type { TokenUser } from '../../../../src/auth/jwt/issuer.js';
import type { Accept, AuthDeps, Pass, Verdict } from '../../../../src/auth/method.js';
import { CallFault } from '../../../../src/wamp/error.js';
import { payloadOf } from '../../../../src/wamp/payload.js';
import { testAuth } from '../../../support/auth.js';
import { recordingLog } from '../../../support/cookie-store.js';
import { ISSUER, jwtSection, ownTime, SECRET, secretKey, signed } from '../../../support/tokens.js';

type Question = readonly unknown[];

/** A node whose function knows. */
async function world(answer: (...question: Question) => unknown, issuer: object = {}) {
  const own = ownTime();
  const { log, entries } = recordingLog();
  const questions: Question[] = [];
  const load = () =>
    Promise.resolve((...question: Question) => {
      questions.push(question);
      return answer(...question);
    });
  const denied = { type: 'function', module: './tokens.js', name: 'isDenied', cache: 10 };
  const auth = await testAuth(jwtSection([{ secret: SECRET, ...issuer }], { denied }), { ...own, log, load });
  const token = (claims: object = {}) => signed(secretKey(), own.time.now, { ...claims });
  const login = async (claims: object = {}): Promise<Verdict | Pass> =>
    auth.start({ authmethod: 'jwt', authextra: { token: await token(claims) } });
  return { ...own, login, token, questions, entries };
}

const DENIED = { type: 'deny', reason: 'wamp.error.not_authorized' };
const FAILED = { type: 'deny', reason: 'wamp.error.authentication_failed', message: 'the authenticator failed' };

describe('whoever is asked', () => {
  it('gets the realm, the user, and what names the token', async () => {
    const { login, questions, time } = await world(() => false, { authid_prefix: 'id:' });
    expect(await login({ jti: 'token 1' })).toMatchObject({ type: 'accept' });
    const iat = time.now / 1000;
    const named: JWTPayload = { sub: 'joe', jti: 'token 1', iat, exp: iat + 300 };
    expect(questions).toEqual([['realm1', 'id:joe', { issuer: ISSUER, ...named }]]);
  });

  it('denies by `true`, and the client hears what it would hear of any bad token', async () => {
    const { login, entries } = await world((_realm, _authid, token) => (token as { jti: string }).jti === 'stolen');
    expect(await login({ jti: 'mine' })).toMatchObject({ type: 'accept' });
    expect(await login({ jti: 'stolen' })).toMatchObject({
      ...DENIED,
      message: 'authentication failed: the authid is unknown, or what proves it is wrong',
    });
    expect(entries.find(({ msg }) => msg === 'token refused')).toMatchObject({ fault: 'it is denied' });
  });

  it('is asked about good tokens only', async () => {
    const { login, questions } = await world(() => true);
    await login({ aud: 'other' });
    expect(questions).toEqual([]);
  });

  it('is asked once within ten seconds, also by many at once', async () => {
    const { login, questions, time } = await world(() => false);
    const claims = { iat: time.now / 1000, exp: time.now / 1000 + 300 };
    await Promise.all(Array.from({ length: 20 }, () => login(claims)));
    time.advance(9999);
    await login(claims);
    expect(questions).toHaveLength(1);
    time.advance(1);
    await login(claims);
    expect(questions).toHaveLength(2);
    await login({ ...claims, sub: 'jim' });
    await login({ ...claims, jti: '2' });
    expect(questions).toHaveLength(4);
  });

  it.each([['true'], [undefined], [null], [1], [{}]])('lets nobody in by %j, and is asked again', async (answer) => {
    const { login, questions, entries } = await world(() => answer);
    for (let times = 0; times < 2; times++) expect(await login()).toMatchObject(FAILED);
    expect(questions).toHaveLength(2);
    expect(entries.find(({ level }) => level === 'warn')).toMatchObject({ fault: 'the answer must be true or false' });
  });

  it('lets nobody in when it fails', async () => {
    const { login } = await world(() => {
      throw new Error('no database');
    });
    expect(await login()).toMatchObject(FAILED);
  });

  it('is asked about a new token for a session, too', async () => {
    let isDenied = false;
    const { login, token, logins } = await world(() => isDenied);
    const { lease } = (await login({ jti: '1' })) as Accept;
    lease?.begin({ id: 1, dismiss: () => undefined });
    isDenied = true;
    await expect(logins.renewals.get(1)?.(await token({ jti: '2' }))).rejects.toMatchObject({
      uri: 'wamp.error.invalid_argument',
    });
  });
});

describe('a procedure', () => {
  const denied = { type: 'dynamic', authenticator: 'com.app.is_denied', 'authenticator-realm': 'home', cache: 10 };

  async function asking(call: AuthDeps['call']): Promise<Verdict | Pass> {
    const own = ownTime();
    const auth = await testAuth(jwtSection([{ secret: SECRET }], { denied }), { ...own, call });
    const token = await signed(secretKey(), own.time.now);
    return auth.start({ authmethod: 'jwt', authextra: { token } });
  }

  it('answers on its realm', async () => {
    const calls: unknown[] = [];
    const verdict = await asking((realm, _role, procedure) => {
      calls.push([realm, procedure]);
      return Promise.resolve(payloadOf([true]));
    });
    expect([verdict, calls]).toMatchObject([DENIED, [['home', 'com.app.is_denied']]]);
  });

  it('that is not there has clients come back', async () => {
    const fault = new CallFault('nobody', { uri: 'wamp.error.no_such_procedure' });
    expect(await asking(() => Promise.reject(fault))).toMatchObject({ type: 'unavailable' });
  });
});

it('answers are kept up to a number, the latest ones', async () => {
  let asked = 0;
  const answer = (): boolean => (asked++, false);
  const own = ownTime();
  const load = () => Promise.resolve(answer);
  const config = { type: 'function', module: './x.js', name: 'x', cache: 10 } as const;
  const question = await createDeniedQuestion(config, { ...own, load } as unknown as AuthDeps);
  const token = (n: number) =>
    ({ issuer: ISSUER, subject: `user ${n}`, user: { authid: 'x' }, claims: {} }) as unknown as TokenUser;
  for (let n = 0; n <= MAX_ANSWERS; n++) await question('realm1', token(n));
  expect(asked).toBe(MAX_ANSWERS + 1);
  await question('realm1', token(MAX_ANSWERS));
  await question('realm1', token(1));
  expect(asked).toBe(MAX_ANSWERS + 1);
  await question('realm1', token(0));
  expect(asked).toBe(MAX_ANSWERS + 2);
});
