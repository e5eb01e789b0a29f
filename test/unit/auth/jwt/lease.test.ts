/** How long a session lasts that was opened with a token. */
import { describe, expect, it } from 'vitest';

import type { LeasedSession } from '../../../../src/auth/lease.js';
import type { Accept } from '../../../../src/auth/method.js';
import { WampError } from '../../../../src/wamp/error.js';
import { testAuth } from '../../../support/auth.js';
import { jwtSection, ownTime, SECRET, secretKey, signed } from '../../../support/tokens.js';

const EXPIRED = ['crossbar.close.token_expired', 'the token has expired'];

/** A session that was let in, and what ended it. */
class FakeSession implements LeasedSession {
  readonly id: number;
  readonly ends: (readonly string[])[] = [];

  constructor(id: number) {
    this.id = id;
  }

  dismiss(reason: string, message: string): void {
    this.ends.push([reason, message]);
  }
}

async function world(more: object = {}, issuer: object = {}) {
  const own = ownTime();
  const { time, logins } = own;
  const auth = await testAuth(jwtSection([{ secret: SECRET, max_age: 31_536_000, ...issuer }], more), own);
  const token = (claims = {}, key = secretKey()) => signed(key, time.now, claims);
  const after = (seconds: number): number => time.now / 1000 + seconds;
  const enter = async (claims: object, id = 1) => {
    const verdict = await auth.start({ authmethod: 'jwt', authextra: { token: await token(claims) } });
    const { lease, proof } = verdict as Accept;
    const session = new FakeSession(id);
    const end = lease?.begin(session);
    return { session, end, lease, expires: proof?.['expires'] };
  };
  const refresh = async (text: string | Promise<string>, id = 1): Promise<unknown> => {
    try {
      return await logins.renewals.get(id)?.(await text);
    } catch (error) {
      if (!(error instanceof WampError)) throw error;
      return [error.uri, error.message];
    }
  };
  return { auth, time, logins, token, after, enter, refresh };
}

const UNFIT = [
  'wamp.error.invalid_argument',
  'this token does not prolong the session: issuer, subject, authid, role and realm must stay the same',
];

describe('expire: close', () => {
  it('ends the session when the token expires, and the leeway is over', async () => {
    const { time, enter, after } = await world();
    const { session, expires } = await enter({ exp: after(60) });
    expect(expires).toBe('2026-01-01T00:01:00.000Z');
    time.advance(64_999);
    expect(session.ends).toEqual([]);
    time.advance(1);
    expect(session.ends).toEqual([EXPIRED]);
  });

  it('ends it at once when the token expired on the way', async () => {
    const { time, enter, after } = await world();
    const { session, lease } = await enter({ exp: after(60) });
    const late = new FakeSession(2);
    time.advance(100_000);
    session.ends.length = 0;
    lease?.begin(late);
    time.advance(0);
    expect(late.ends).toEqual([EXPIRED]);
  });

  it('waits longer than a timer can, which is 24.8 days', async () => {
    const { time, enter, after } = await world();
    const { session } = await enter({ exp: after(90 * 86_400) });
    time.advance(90 * 86_400_000);
    expect(session.ends).toEqual([]);
    time.advance(5000);
    expect(session.ends).toEqual([EXPIRED]);
  });

  it('ends it by `max_age` where the token would last longer', async () => {
    const { time, enter, after } = await world({}, { max_age: 3600 });
    const { session, expires } = await enter({ exp: after(1e9) });
    expect(expires).toBe('2026-01-01T01:00:00.000Z');
    time.advance(3_605_000);
    expect(session.ends).toEqual([EXPIRED]);
  });

  it('leaves nothing of a session that is over', async () => {
    const { time, logins, enter } = await world();
    const { session, end } = await enter({});
    expect([logins.renewals.size, time.waiting]).toEqual([1, 1]);
    end?.();
    end?.();
    expect([logins.renewals.size, time.waiting]).toEqual([0, 0]);
    time.advance(1e9);
    expect(session.ends).toEqual([]);
  });
});

describe('expire: keep', () => {
  it('lets the session go on, and tells of no end', async () => {
    const { time, enter, refresh, token } = await world({ expire: 'keep' });
    const { session, lease, expires } = await enter({});
    expect([lease?.untilMs, expires, time.waiting]).toEqual([undefined, undefined, 0]);
    time.advance(1e9);
    expect(session.ends).toEqual([]);
    expect(await refresh(token())).toEqual({ expires: null });
  });
});

describe('crossbar.session.refresh', () => {
  it('prolongs the session with a new token of the same user, more than once', async () => {
    const { time, enter, refresh, token, after } = await world();
    const { session } = await enter({ exp: after(60) });
    time.advance(50_000);
    expect(await refresh(token({ exp: after(60) }))).toEqual({ expires: '2026-01-01T00:01:50.000Z' });
    time.advance(50_000);
    expect(session.ends).toEqual([]);
    expect(await refresh(token({ exp: after(60) }))).toEqual({ expires: '2026-01-01T00:02:40.000Z' });
    expect(time.waiting).toBe(1);
    time.advance(64_999);
    expect(session.ends).toEqual([]);
    time.advance(1);
    expect(session.ends).toEqual([EXPIRED]);
  });

  it('never makes it shorter', async () => {
    const { time, enter, refresh, token, after } = await world();
    const { session } = await enter({ exp: after(600) });
    expect(await refresh(token({ exp: after(60) }))).toEqual({ expires: '2026-01-01T00:10:00.000Z' });
    time.advance(600_000);
    expect(session.ends).toEqual([]);
  });

  it('refuses what is no token, an expired one, and one of a stranger', async () => {
    const { time, enter, refresh, token, after } = await world();
    const { session } = await enter({ exp: after(60) });
    const bad = ['wamp.error.invalid_argument', expect.stringContaining('authentication failed')];
    const expired = token({ iat: after(-100), exp: after(-50) });
    const ofStranger = token({}, secretKey(`${SECRET}!`));
    for (const text of ['', 'x.y.z', expired, ofStranger]) expect(await refresh(text)).toEqual(bad);
    time.advance(65_000);
    expect(session.ends).toEqual([EXPIRED]);
  });

  it.each([
    ['subject', { sub: 'jim', uid: 'joe' }],
    ['authid', { uid: 'jim' }],
    ['role', { uid: 'joe', groups: ['admins'] }],
  ])('refuses a token with another %s', async (_what, claims) => {
    const role = { path: 'groups', map: { admins: 'admin' }, default: 'user' };
    const { enter, refresh, token } = await world({}, { authid: 'uid', role });
    await enter({ uid: 'joe' });
    expect(await refresh(token(claims))).toEqual(UNFIT);
    expect(await refresh(token({ uid: 'joe' }))).toEqual({ expires: expect.any(String) as string });
  });

  it('refuses a token of another issuer, for whatever user', async () => {
    const own = ownTime();
    const other = { issuer: 'https://other.example.com', secret: SECRET };
    const auth = await testAuth(jwtSection([{ secret: SECRET }, other]), own);
    const token = await signed(secretKey(), own.time.now);
    const { lease } = (await auth.start({ authmethod: 'jwt', authextra: { token } })) as Accept;
    lease?.begin(new FakeSession(1));
    const another = await signed(secretKey(), own.time.now, { iss: other.issuer });
    await expect(own.logins.renewals.get(1)?.(another)).rejects.toThrow(UNFIT[1]);
  });

  it('takes the latest end when several come at once', async () => {
    const { enter, refresh, token, after } = await world();
    await enter({ exp: after(60) });
    const answers = await Promise.all([600, 1200, 300].map((seconds) => refresh(token({ exp: after(seconds) }))));
    expect(answers.at(-1)).toBeDefined();
    expect(await refresh(token())).toEqual({ expires: '2026-01-01T00:20:00.000Z' });
  });

  it('comes too late for a session that ends meanwhile', async () => {
    const { enter, token, logins } = await world();
    const { end } = await enter({});
    const text = await token();
    const answer = logins.renewals.get(1)?.(text);
    end?.();
    await expect(answer).rejects.toMatchObject({ uri: 'wamp.error.canceled' });
  });

  it('prolongs nothing by the rules of a config that is replaced', async () => {
    const { auth, enter, refresh, token } = await world();
    const { session } = await enter({});
    await auth.method('jwt').stop?.();
    expect(await refresh(token())).toEqual([
      'wamp.error.invalid_argument',
      'the config has changed since this session began, please connect again',
    ]);
    expect(session.ends).toEqual([]);
  });
});
