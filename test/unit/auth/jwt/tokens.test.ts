/**
 * Which tokens count: the cases of RFC 7519 and RFC 8725, and those in which a library for tokens says yes and a router should
 * not. Every token is signed by a real key, unless that is the point.
 */
import { createHmac } from 'node:crypto';

import { beforeAll, describe, expect, it } from 'vitest';

import type { Accept, Pass, Verdict } from '../../../../src/auth/method.js';
import { recordingLog } from '../../../support/cookie-store.js';
import { NOW, testAuth } from '../../../support/auth.js';
import type { TestAuth } from '../../../support/auth.js';
import {
  handmade,
  ISSUER,
  jwtSection,
  KeyServer,
  SECRET,
  secretKey,
  signed,
  signingKey,
} from '../../../support/tokens.js';
import type { SigningKey } from '../../../support/tokens.js';

const SECONDS = NOW / 1000;
const DENIED = {
  type: 'deny',
  reason: 'wamp.error.not_authorized',
  message: 'authentication failed: the authid is unknown, or what proves it is wrong',
};
const EXPIRED = { ...DENIED, message: 'authentication failed: the token has expired' };

let es: SigningKey;
let rs: SigningKey;
let ed: SigningKey;
let stranger: SigningKey;
let server: KeyServer;
let auth: TestAuth;
const { log, entries } = recordingLog();
beforeAll(async () => {
  [es, rs, ed, stranger] = (await Promise.all(
    (['ES256', 'RS256', 'EdDSA', 'ES256'] as const).map((alg, index) => signingKey(alg, `key ${index}`)),
  )) as [SigningKey, SigningKey, SigningKey, SigningKey];
  server = await KeyServer.start(es, rs, ed);
  auth = await testAuth(jwtSection([{ jwks: server.url }]), { log });
  return async () => {
    await auth.method('jwt').stop?.();
    await server.stop();
  };
});

function read(token: string, by = auth, authid?: string): Promise<Verdict | Pass> {
  return by.start({ authmethod: 'jwt', authextra: { token }, authid });
}

async function with256(more: object, ...issuers: readonly object[]): Promise<TestAuth> {
  return testAuth(jwtSection([{ secret: SECRET, ...more }, ...issuers]));
}

const good = (claims = {}, header = {}) => signed(es, NOW, claims, header);

describe('a good token', () => {
  it.each(['ES256', 'RS256', 'EdDSA'])('by %s lets in, as whom it says', async (alg) => {
    const key = { ES256: es, RS256: rs, EdDSA: ed }[alg] ?? es;
    const verdict = (await read(await signed(key, NOW))) as Accept;
    expect(verdict).toMatchObject({
      type: 'accept',
      principal: { realm: 'realm1', authid: 'joe', authrole: 'user', authmethod: 'jwt', authprovider: ISSUER },
      proof: { expires: new Date(Math.floor(SECONDS + 300) * 1000).toISOString() },
      source: { issuer: ISSUER, subject: 'joe' },
      lease: { untilMs: Math.floor(SECONDS + 305) * 1000 },
    });
  });

  it('may name several audiences, with ours among them', async () => {
    expect(await read(await good({ aud: ['other', 'crossbar'] }))).toMatchObject({ type: 'accept' });
  });

  it('may have been signed a few seconds ahead of our clock, or have ended a few seconds ago', async () => {
    expect(await read(await good({ iat: SECONDS + 4 }))).toMatchObject({ type: 'accept' });
    expect(await read(await good({ nbf: SECONDS + 4 }))).toMatchObject({ type: 'accept' });
    expect(await read(await good({ iat: SECONDS - 10, exp: SECONDS - 4 }))).toMatchObject({ type: 'accept' });
  });

  it('needs no `kid` where one key fits', async () => {
    expect(await read(await good({}, { kid: undefined }))).toMatchObject({ type: 'accept' });
  });

  it('of whom HELLO names is that one, and no other', async () => {
    expect(await read(await good(), auth, 'joe')).toMatchObject({ type: 'accept' });
    expect(await read(await good(), auth, 'jim')).toEqual(DENIED);
    expect(await read(await good(), auth, '')).toEqual(DENIED);
  });

  it('counts no longer than `max_age` after it was issued, whatever its `exp` says', async () => {
    const { lease } = (await read(await good({ exp: 4_102_444_800 }))) as Accept;
    expect(lease?.untilMs).toBe((Math.floor(SECONDS) + 86_400 + 5) * 1000);
  });
});

type Case = readonly [name: string, fault: string, token: () => string | Promise<string>];

describe('a signature', () => {
  it.each<Case>([
    ['of a stranger', 'no applicable key found in the JSON Web Key Set', () => signed(stranger, NOW)],
    [
      'of a stranger with the name of a known key',
      'signature verification failed',
      () => signed({ ...stranger, kid: es.kid }, NOW),
    ],
    [
      'that is missing, with `alg` none',
      '"alg" (Algorithm) Header Parameter value not allowed',
      () => handmade({ alg: 'none' }, claims()),
    ],
    [
      'that is missing, with `alg` None',
      '"alg" (Algorithm) Header Parameter value not allowed',
      () => handmade({ alg: 'None' }, claims()),
    ],
    [
      'that is missing, with an algorithm that is allowed',
      'signature verification failed',
      () => handmade({ alg: 'ES256', kid: es.kid }, claims()),
    ],
    [
      'by HS256 with the public key as the secret',
      '"alg" (Algorithm) Header Parameter value not allowed',
      () => hmac(rs.pem, { alg: 'HS256', kid: rs.kid }),
    ],
    [
      'by HS256 with the public key as the secret, and called RS256',
      'signature verification failed',
      () => hmac(rs.pem, { alg: 'RS256', kid: rs.kid }),
    ],
    [
      'by an algorithm that is not in the list',
      '"alg" (Algorithm) Header Parameter value not allowed',
      () => signed({ ...rs, alg: 'RS512' }, NOW).catch(() => hmac(rs.pem, { alg: 'RS512', kid: rs.kid })),
    ],
    [
      'whose key stands in its header (`jwk`)',
      'signature verification failed',
      () => signed(stranger, NOW, {}, { jwk: stranger.jwk, kid: undefined }),
    ],
    [
      'whose key set its header names (`jku`)',
      'no applicable key found in the JSON Web Key Set',
      () => signed(stranger, NOW, {}, { jku: server.url }),
    ],
    [
      'with a header that must be understood (`crit`)',
      'Extension Header Parameter "exp" is not recognized',
      () => handmadeSigned({ crit: ['exp'], exp: 1 }),
    ],
    [
      'of a payload that is not encoded (`b64`)',
      'signature verification failed',
      () => hmac('x', { alg: 'ES256', b64: false, crit: ['b64'] }),
    ],
    [
      'by `Ed25519`, where the list has `EdDSA`',
      '"alg" (Algorithm) Header Parameter value not allowed',
      () => signed({ ...ed, alg: 'Ed25519' }, NOW),
    ],
    [
      'over other claims',
      'signature verification failed',
      async () => swapped(await good(), { ...claims(), sub: 'root' }),
    ],
    ['with a bit less', 'signature verification failed', async () => (await good()).slice(0, -2)],
    [
      'of all zeros, as Java once took it',
      'signature verification failed',
      () => handmade({ alg: 'ES256', kid: es.kid }, claims(), Buffer.alloc(64).toString('base64url')),
    ],
  ])('%s does not count', async (_name, fault, token) => {
    expect(await read(await token())).toEqual(DENIED);
    // So that it is not another fault of the token.
    expect(entries.findLast(({ msg }) => msg === 'token refused')).toMatchObject({ fault });
  });

  it('with two keys that fit, and no name, does not count', async () => {
    const two = await KeyServer.start(es, stranger);
    const by = await testAuth(jwtSection([{ jwks: two.url }]));
    expect(await read(await good(), by)).toMatchObject({ type: 'accept' });
    expect(await read(await good({}, { kid: undefined }), by)).toEqual(DENIED);
    await by.method('jwt').stop?.();
    await two.stop();
  });

  it('by HS256 does not count with a key set, also where the list has it', async () => {
    const by = await testAuth(jwtSection([{ jwks: server.url, algorithms: ['HS256', 'ES256'] }]));
    expect(await read(await signed(secretKey(), NOW), by)).toEqual(DENIED);
    expect(await read(await good(), by)).toMatchObject({ type: 'accept' });
    await by.method('jwt').stop?.();
  });

  it('by `Ed25519` counts where the list has it', async () => {
    const by = await testAuth(jwtSection([{ jwks: server.url, algorithms: ['Ed25519'] }]));
    expect(await read(await signed({ ...ed, alg: 'Ed25519' }, NOW), by)).toMatchObject({ type: 'accept' });
    await by.method('jwt').stop?.();
  });

  it('by a shared secret counts with that secret only', async () => {
    const by = await with256({});
    expect(await read(await signed(secretKey(), NOW), by)).toMatchObject({ type: 'accept' });
    expect(await read(await signed(secretKey(`${SECRET}!`), NOW), by)).toEqual(DENIED);
    expect(await read(await signed(secretKey(SECRET, 'HS512'), NOW), by)).toEqual(DENIED);
    expect(await read(await good(), by)).toEqual(DENIED);
  });
});

describe('claims', () => {
  it.each<Case>([
    ['an issuer with a slash more', 'its issuer is unknown', () => good({ iss: `${ISSUER}/` })],
    ['an issuer in other letters', 'its issuer is unknown', () => good({ iss: ISSUER.toUpperCase() })],
    ['no issuer', 'its issuer is unknown', () => good({ iss: undefined as never })],
    ['an issuer that is a list', 'its issuer is unknown', () => good({ iss: [ISSUER] as never })],
    ['the audience of somebody else', 'unexpected "aud" claim value', () => good({ aud: 'other' })],
    ['audiences without ours', 'unexpected "aud" claim value', () => good({ aud: ['other', 'crossbar2'] })],
    ['an audience that is an object', 'unexpected "aud" claim value', () => good({ aud: { crossbar: true } as never })],
    ['no audience', 'missing required "aud" claim', () => good({ aud: undefined as never })],
    ['a start in the future', '"nbf" claim timestamp check failed', () => good({ nbf: SECONDS + 10 })],
    [
      'an issue in the future',
      '"iat" claim timestamp check failed (it should be in the past)',
      () => good({ iat: SECONDS + 10 }),
    ],
    ['no issue', 'missing required "iat" claim', () => good({ iat: undefined as never })],
    ['an end that is text', '"exp" claim must be a number', () => good({ exp: String(SECONDS + 100) as never })],
    ['no end', 'missing required "exp" claim', () => good({ exp: undefined as never })],
    ['an end that is null', '"exp" claim must be a number', () => good({ exp: null as never })],
    ['a `sub` that is a number, as `sub` must be text', 'its "sub" is no name', () => good({ sub: 42 as never })],
    ['an empty `sub`', 'it names nobody, or not with what the config requires', () => good({ sub: '' })],
    ['no `sub`', 'it names nobody, or not with what the config requires', () => good({ sub: undefined as never })],
    [
      'a `sub` that is a list',
      'it names nobody, or not with what the config requires',
      () => good({ sub: ['joe'] as never }),
    ],
    [
      'a `sub` of 2000 characters',
      'it names nobody, or not with what the config requires',
      () => good({ sub: 'x'.repeat(2000) }),
    ],
    ['a logout, by the type', 'it is for something else than a login', () => good({}, { typ: 'logout+jwt' })],
    [
      'a logout, by the type in full',
      'it is for something else than a login',
      () => good({}, { typ: 'application/Logout+JWT' }),
    ],
    [
      'a logout, by its event',
      'it is for something else than a login',
      () => good({ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }),
    ],
  ])('%s: does not count', async (_name, fault, token) => {
    expect(await read(await token())).toEqual(DENIED);
    // So that it is not another fault of the token.
    expect(entries.findLast(({ msg }) => msg === 'token refused')).toMatchObject({ fault });
  });

  it('of yesterday: the client is told to get another token, because the issuer has signed this one', async () => {
    expect(await read(await good({ iat: SECONDS - 600, exp: SECONDS - 10 }))).toEqual(EXPIRED);
    expect(await read(await good({ iat: SECONDS - 86_410, exp: SECONDS + 100 }))).toEqual(EXPIRED);
    expect(await read(await signed({ ...stranger, kid: es.kid }, NOW, { exp: SECONDS - 10 }))).toEqual(DENIED);
  });

  it('of a type count where the config asks for it', async () => {
    const by = await with256({ typ: 'at+jwt' });
    const typed = (typ: unknown) => signed(secretKey(), NOW, {}, { typ });
    expect(await read(await typed('at+jwt'), by)).toMatchObject({ type: 'accept' });
    expect(await read(await typed('application/AT+JWT'), by)).toMatchObject({ type: 'accept' });
    for (const typ of ['JWT', undefined, 'logout+jwt']) expect(await read(await typed(typ), by)).toEqual(DENIED);
  });

  it('twice: the last ones count for the issuer, its keys, and who it is', async () => {
    const double = `{"iss":"https://evil.example","iss":"${ISSUER}","aud":"crossbar","sub":"joe","sub":"jim","iat":${Math.floor(SECONDS)},"exp":${Math.floor(SECONDS) + 60}}`;
    const by = await with256({});
    expect(await read(hmacOf(SECRET, { alg: 'HS256' }, double), by)).toMatchObject({ principal: { authid: 'jim' } });
  });

  it('that the config requires must have the value', async () => {
    const by = await with256({ require: { email_verified: true, 'tenant.id': 7 } });
    const verified = (claims: object) => signed(secretKey(), NOW, { ...claims });
    expect(await read(await verified({ email_verified: true, tenant: { id: 7 } }), by)).toMatchObject({
      type: 'accept',
    });
    expect(await read(await verified({ email_verified: 'true', tenant: { id: 7 } }), by)).toEqual(DENIED);
    expect(await read(await verified({ email_verified: true }), by)).toEqual(DENIED);
  });

  it('give the role by the order of the config, also under a URL as their name', async () => {
    const url = 'https://example.com/roles';
    const by = await with256({
      role: { path: url, map: { admins: 'admin', staff: 'user' } },
      extra: { mail: 'email' },
    });
    const roled = (roles: unknown) => signed(secretKey(), NOW, { [url]: roles, email: 'joe@example.com' });
    expect(await read(await roled(['staff', 'admins']), by)).toMatchObject({
      principal: { authrole: 'admin', authextra: { mail: 'joe@example.com' } },
    });
    expect(await read(await roled('staff'), by)).toMatchObject({ principal: { authrole: 'user' } });
    for (const roles of [['trusted'], [], undefined, 'user'])
      expect(await read(await roled(roles), by)).toEqual(DENIED);
  });

  it('name the user, the prefix and the realm by the config', async () => {
    const by = await with256({ authid: 'uid', authid_prefix: 'corp:', realm: 'realm2' });
    expect(await read(await signed(secretKey(), NOW, { uid: 42 }), by)).toMatchObject({
      principal: { authid: 'corp:42', realm: 'realm2' },
      source: { subject: 'joe' },
    });
    expect(await read(await signed(secretKey(), NOW, { uid: 42, sub: undefined as never }), by)).toMatchObject({
      source: { subject: 'corp:42' },
    });
    expect(await read(await signed(secretKey(), NOW, { uid: 42, sub: 7 as never }), by)).toEqual(DENIED);
  });
});

describe('two issuers', () => {
  const OTHER = 'https://other.example.com';

  it('with a key of one name: the keys of the other one never count', async () => {
    const [one, other] = [await signingKey('ES256', 'k1'), await signingKey('ES256', 'k1')];
    const servers = [await KeyServer.start(one), await KeyServer.start(other)] as const;
    const by = await testAuth(
      jwtSection([
        { jwks: servers[0].url, authid_prefix: 'a:' },
        { issuer: OTHER, jwks: servers[1].url, authid_prefix: 'b:' },
      ]),
    );
    expect(await read(await signed(one, NOW), by)).toMatchObject({ principal: { authid: 'a:joe' } });
    expect(await read(await signed(other, NOW, { iss: OTHER }), by)).toMatchObject({ principal: { authid: 'b:joe' } });
    expect(await read(await signed(other, NOW), by)).toEqual(DENIED);
    expect(await read(await signed(one, NOW, { iss: OTHER }), by)).toEqual(DENIED);
    await by.method('jwt').stop?.();
    for (const each of servers) await each.stop();
  });

  it('with one `sub` are two users', async () => {
    const by = await with256({ authid_prefix: 'a:' }, { issuer: OTHER, secret: `${SECRET} 2`, authid_prefix: 'b:' });
    const first = (await read(await signed(secretKey(), NOW), by)) as Accept;
    const second = (await read(await signed(secretKey(`${SECRET} 2`), NOW, { iss: OTHER }), by)) as Accept;
    expect([first.principal.authid, second.principal.authid]).toEqual(['a:joe', 'b:joe']);
    expect([first.source, second.source]).toEqual([
      { issuer: ISSUER, subject: 'joe' },
      { issuer: OTHER, subject: 'joe' },
    ]);
  });
});

describe('what is no token', () => {
  it.each<Case>([
    ['empty text', 'its issuer is unknown', () => ''],
    ['a word', 'its issuer is unknown', () => 'secret'],
    ['two dots', 'its issuer is unknown', () => '..'],
    ['a header that is no JSON', 'JWS Protected Header is invalid', () => handmade('x', claims(), 'AAAA')],
    ['a header that is a list', 'JWS Protected Header is invalid', () => handmade('[]', claims(), 'AAAA')],
    ['claims that are no JSON', 'its issuer is unknown', () => handmade({ alg: 'ES256' }, 'x', 'AAAA')],
    ['claims that are a list', 'its issuer is unknown', () => handmade({ alg: 'ES256' }, '[]', 'AAAA')],
    ['five parts', 'its issuer is unknown', () => `${handmade({ alg: 'dir', enc: 'A256GCM' }, '', '')}..`],
    [
      'a token in a token',
      'its issuer is unknown',
      async () => handmade({ alg: 'ES256', cty: 'JWT', kid: es.kid }, await good(), 'AAAA'),
    ],
    ['a token with a line end', 'its issuer is unknown', async () => `${await good()}\n`],
    ['a token with `Bearer` before it', 'its issuer is unknown', async () => `Bearer ${await good()}`],
    ['a token in JSON', 'its issuer is unknown', async () => JSON.stringify({ token: await good() })],
  ])('%s: the same refusal', async (_name, fault, token) => {
    expect(await read(await token())).toEqual(DENIED);
    // So that it is not another fault of the token.
    expect(entries.findLast(({ msg }) => msg === 'token refused')).toMatchObject({ fault });
  });

  it('is not taken apart when it is too long', async () => {
    const by = await with256({});
    const padded = (length: number) => signed(secretKey(), NOW, { pad: 'x'.repeat(length) });
    expect(await read(await padded(5000), by)).toMatchObject({ type: 'accept' });
    expect(await read(await padded(7000), by)).toEqual(DENIED);
  });
});

describe('under the shared name `ticket`', () => {
  it('a token is a token, and everything else a password', async () => {
    const ticket = { type: 'static', principals: { joe: { ticket: 'a.b.c', role: 'user' } } };
    const by = await testAuth({ ...jwtSection([{ secret: SECRET }]), ticket });
    const say = async (text: string, authid?: string) => {
      const verdict = await by.start({ authmethod: 'ticket', authid });
      if (verdict.type !== 'challenge') throw new Error(verdict.type);
      return verdict.resume(text, {});
    };
    expect(await say(await signed(secretKey(), NOW))).toMatchObject({
      principal: { authmethod: 'jwt', authid: 'joe' },
    });
    expect(await say('a.b.c', 'joe')).toMatchObject({ principal: { authmethod: 'ticket', authid: 'joe' } });
    expect(await say('a.b.c', 'jim')).toEqual(DENIED);
    expect(await say(await signed(secretKey(`${SECRET}!`), NOW), 'joe')).toEqual(DENIED);
    expect(await say(handmade({ alg: 'HS256' }, { pad: 'x'.repeat(9000) }, 'AAAA'), 'joe')).toEqual(DENIED);
  });

  it('is there without a section of that name', async () => {
    const by = await with256({});
    const token = await signed(secretKey(), NOW);
    for (const authextra of [{ token }, { ticket: token }]) {
      expect(await by.start({ authmethod: 'ticket', authextra })).toMatchObject({ type: 'accept' });
    }
    const verdict = await by.start({ authmethod: 'ticket', authextra: { ticket: 'secret' } });
    expect(verdict).toEqual(DENIED);
  });

  it('CHALLENGE says nothing', async () => {
    expect(await auth.start({ authmethod: 'jwt' })).toMatchObject({ type: 'challenge', authmethod: 'jwt', extra: {} });
    expect(await auth.start({ authmethod: 'jwt', authextra: { token: 7 } })).toMatchObject({ type: 'challenge' });
  });
});

function claims(): object {
  const iat = Math.floor(SECONDS);
  return { iss: ISSUER, aud: 'crossbar', sub: 'joe', iat, exp: iat + 60 };
}

function hmac(secret: string, header: object): string {
  return hmacOf(secret, header, JSON.stringify(claims()));
}

function hmacOf(secret: string, header: object, payload: string): string {
  const text = handmade(header, payload).slice(0, -1);
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** jose signs no header that it does not understand. */
function handmadeSigned(header: object): Promise<string> {
  return Promise.resolve(hmac(SECRET, { alg: 'ES256', kid: es.kid, ...header }));
}

function swapped(token: string, other: object): string {
  const [header, , signature] = token.split('.');
  return `${header}.${Buffer.from(JSON.stringify(other)).toString('base64url')}.${signature}`;
}
