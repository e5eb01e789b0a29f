/** Every check of a logout token, with a clock of the test. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { JWTHeaderParameters, JWTPayload } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';

import { LogoutTokenError, LogoutTokens } from '../../../../../src/webservice/login/providers/logout-token.js';

const NOW_S = 1_800_000_000;
const EVENTS = { 'http://schemas.openid.net/event/backchannel-logout': {} };
const GOOD: JWTPayload = {
  iss: 'https://id.example.com',
  aud: 'crossbar',
  iat: NOW_S,
  exp: NOW_S + 120,
  jti: 'one',
  sub: 'joe',
  sid: 'session',
  events: EVENTS,
};

let pair: Awaited<ReturnType<typeof generateKeyPair>>;
let stranger: typeof pair;
let keys: unknown;
beforeAll(async () => {
  pair = await generateKeyPair('RS256', { extractable: true });
  stranger = await generateKeyPair('RS256');
  keys = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k', alg: 'RS256', use: 'sig' }] };
});

const HEADER = { alg: 'RS256', kid: 'k', typ: 'logout+jwt' };
const sign = (claims: JWTPayload, header: Partial<JWTHeaderParameters> = {}, key = pair.privateKey): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ ...HEADER, ...header }).sign(key);

function world(answer = (): Response => Response.json(keys)) {
  const clock = { nowS: NOW_S };
  const asked: string[] = [];
  const fetch = (url: string): Promise<Response> => {
    asked.push(url);
    return Promise.resolve(answer());
  };
  const rules = {
    issuer: 'https://id.example.com',
    clientId: 'crossbar',
    keys: 'https://id.example.com/jwks',
    leeway: 30,
    timeout: 1000,
  };
  return { clock, asked, tokens: new LogoutTokens(rules, { fetch, clock: () => clock.nowS * 1000 }) };
}

const without = (...names: readonly string[]): JWTPayload =>
  Object.fromEntries(Object.entries(GOOD).filter(([name]) => !names.includes(name)));

describe('a logout token', () => {
  it('tells who has logged out', async () => {
    const { tokens } = world();
    expect(await tokens.verify(await sign(GOOD))).toEqual({ subject: 'joe', sid: 'session' });
    expect(await tokens.verify(await sign({ ...without('sid'), jti: 'two' }))).toEqual({
      subject: 'joe',
      sid: undefined,
    });
  });

  it.each<[string, JWTPayload, Partial<JWTHeaderParameters>?]>([
    ['of another issuer', { ...GOOD, iss: 'https://evil.example.com' }],
    ['for another client', { ...GOOD, aud: 'somebody' }],
    ['with the wrong typ', GOOD, { typ: 'JWT' }],
    ['with the typ of an access token', GOOD, { typ: 'at+jwt' }],
    ['with a nonce', { ...GOOD, nonce: 'x' }],
    ['without events', without('events')],
    ['with another event', { ...GOOD, events: { 'http://schemas.openid.net/event/other': {} } }],
    ['with events that are none', { ...GOOD, events: ['http://schemas.openid.net/event/backchannel-logout'] }],
    ['without iat', without('iat')],
    ['with an old iat', { ...GOOD, iat: NOW_S - 151 }],
    ['of the future', { ...GOOD, iat: NOW_S + 31 }],
    ['that has expired', { ...GOOD, exp: NOW_S - 31 }],
    ['without jti', without('jti')],
    ['with a jti that is no text', { ...GOOD, jti: 1 as never }],
    ['of nobody', without('sub', 'sid')],
    ['of an empty name', { ...GOOD, sub: '', sid: '' }],
    ['with a key that is not known', GOOD, { kid: 'other' }],
  ])('%s is refused', async (_what, claims, header) => {
    const { tokens } = world();
    await expect(tokens.verify(await sign(claims, header))).rejects.toThrow(LogoutTokenError);
  });

  it('of a stranger, unsigned, cut or changed is refused', async () => {
    const { tokens } = world();
    const good = await sign(GOOD);
    const [, payload = ''] = good.split('.');
    const none = `${Buffer.from('{"alg":"none","typ":"logout+jwt"}').toString('base64url')}.${payload}.`;
    for (const bad of [await sign(GOOD, {}, stranger.privateKey), none, good.slice(0, -8), `${good}x`, 'x', '', '..']) {
      await expect(tokens.verify(bad)).rejects.toThrow(LogoutTokenError);
    }
    expect(await tokens.verify(good)).toEqual({ subject: 'joe', sid: 'session' });
  });

  it('is taken once', async () => {
    const { tokens, clock } = world();
    const token = await sign(GOOD);
    await tokens.verify(token);
    await expect(tokens.verify(token)).rejects.toThrow('taken already');
    clock.nowS += 140;
    await expect(tokens.verify(token)).rejects.toThrow(LogoutTokenError);
  });
});

describe('made-up keys', () => {
  it('make the node ask the provider once in a while', async () => {
    const { tokens, asked } = world();
    await tokens.verify(await sign(GOOD));
    for (let each = 0; each < 20; each++) {
      await expect(tokens.verify(await sign(GOOD, { kid: `made up ${each}` }))).rejects.toThrow(LogoutTokenError);
    }
    expect(asked).toHaveLength(1);
  });

  it('also where it fails, and the token is not called bad', async () => {
    const { tokens, asked, clock } = world(() => new Response('', { status: 500 }));
    for (let each = 0; each < 20; each++) {
      const verdict = tokens.verify(await sign(GOOD, { kid: `made up ${each}` }));
      await expect(verdict).rejects.toThrow();
      await expect(verdict).rejects.not.toThrow(LogoutTokenError);
    }
    expect(asked).toHaveLength(1);
    clock.nowS += 31;
    await expect(tokens.verify(await sign({ ...GOOD, iat: clock.nowS, exp: clock.nowS + 60 }))).rejects.toThrow();
    expect(asked).toHaveLength(2);
  });
});
