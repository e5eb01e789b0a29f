/** What the config says of issuers, and what is refused in it. */
import { describe, expect, it } from 'vitest';

import { check, node, problemsOf } from '../../config/configs.js';

const ISSUER = { issuer: 'https://id.example.com', audience: 'crossbar', role: 'anonymous' };
const SECRET = 'a secret of two that has 32 octets, or more';
const PLACE = '/workers/0/transports/0/paths/ws/auth/jwt';

const config = (...issuers: readonly object[]): object => node({ websocket: { auth: { jwt: { issuers } } } });
const issuer = (more: object): object => config({ ...ISSUER, ...more });
const problems = (value: object): string[] => problemsOf(value).map((text) => text.replace(PLACE, ''));

describe('an issuer', () => {
  it.each([
    [{ jwks: 'https://id.example.com/jwks' }],
    [{ jwks: 'http://localhost:3000/jwks' }],
    [{ jwks: 'http://id.localhost/jwks' }],
    [{ jwks: 'http://127.0.0.1/jwks' }],
    [{ jwks: 'http://[::1]:3000/jwks' }],
    [{ keys: 'keys.json', algorithms: ['ES512', 'Ed25519'] }],
    [{ secret: SECRET }],
    [{ secret: SECRET, algorithms: ['HS256'] }],
    [{ secret: '€'.repeat(11) }],
    [{ secret: 'x'.repeat(64), algorithms: ['HS256', 'HS512'], audience: ['a', 'b'] }],
  ])('%j is one', (more) => {
    expect(problems(issuer(more))).toEqual([]);
    expect(check(issuer(more)).warnings).toEqual([]);
  });

  const ONE = '(allowed: one of "jwks", "keys" and "secret")';
  const URLS = '(allowed: a URL that begins with "https://", or with "http://" and leads to this machine)';
  it.each<readonly [object, string]>([
    [{}, `/issuers/0: found no keys of the issuer ${ONE}`],
    [{ jwks: 'https://x/', keys: 'k' }, `/issuers/0/keys: found beside "jwks" ${ONE}`],
    [{ keys: 'k', secret: SECRET }, `/issuers/0/secret: found beside "keys" ${ONE}`],
    [{ jwks: 'id.example.com/jwks' }, `/issuers/0/jwks: found no URL ${URLS}`],
    [{ jwks: 'https://joe:secret@x/' }, `/issuers/0/jwks: found a URL with a password ${URLS}`],
    ...['http://id.example.com/', 'http://localhost.example.com/', 'http://127.0.0.1.example.com/'].map(
      (jwks) =>
        [
          { jwks },
          `/issuers/0/jwks: found a URL with "http:" to another machine, so anybody on the way could give other keys ${URLS}`,
        ] as const,
    ),
    [
      { jwks: 'file:///etc/keys' },
      `/issuers/0/jwks: found a URL with "file:" to another machine, so anybody on the way could give other keys ${URLS}`,
    ],
    [{ secret: 'x'.repeat(31) }, '/issuers/0/secret: found 31 octets (allowed: 32 or more, for HS256)'],
    [
      { secret: SECRET, algorithms: ['HS256', 'HS512'] },
      '/issuers/0/secret: found 43 octets (allowed: 64 or more, for HS512)',
    ],
    [
      { secret: SECRET, algorithms: ['HS256', 'RS256'] },
      '/issuers/0/algorithms/1: found "RS256" beside "secret" (allowed: HS256, HS384, HS512)',
    ],
    [
      { keys: 'k', algorithms: ['ES256', 'HS256'] },
      '/issuers/0/algorithms/1: found "HS256" without "secret" (allowed: one with public keys, such as RS256, ES256, EdDSA)',
    ],
    [{ keys: 'k', algorithms: ['none'] }, '/issuers/0/algorithms/0: found "none" (allowed:'],
    [{ keys: 'k', audience: [] }, '/issuers/0/audience: found '],
    [{ keys: 'k', audience: '' }, '/issuers/0/audience: found ""'],
  ])('%j is none', (more, text) => {
    const found = problems(issuer(more));
    expect(found).toHaveLength(1);
    expect(found[0]?.slice(0, text.length)).toBe(text);
  });

  it.each([...['email', 'preferred_username', 'name'], 'upn'])('by %s is doubtful', (authid) => {
    const { warnings } = check(issuer({ secret: SECRET, authid }));
    const text = `found "${authid}", which can change, and be given to somebody else (what stays: "sub")`;
    expect(warnings.map((warning) => warning.text)).toEqual([text]);
  });

  it('by an email that was verified is one', () => {
    const { warnings } = check(issuer({ secret: SECRET, authid: 'email', require: { email_verified: true } }));
    expect(warnings).toEqual([]);
  });
});

describe('several issuers', () => {
  const other = { ...ISSUER, issuer: 'https://other.example.com', keys: 'k' };
  const first = { ...ISSUER, keys: 'k' };
  const APART = '(allowed: one that no other issuer has, and no other one begins with)';

  it('with prefixes that differ are accepted', () => {
    expect(problems(config({ ...first, authid_prefix: 'a:' }, { ...other, authid_prefix: 'b:' }))).toEqual([]);
  });

  it('without prefixes could give one authid to two users', () => {
    const text = `found no "authid_prefix" beside another issuer, so their users could share an authid ${APART}`;
    expect(problems(config(first, { ...other, authid_prefix: '' }))).toEqual([
      `/issuers/0: ${text}`,
      `/issuers/1/authid_prefix: ${text}`,
    ]);
  });

  it.each([
    ['a:', 'a:'],
    ['a', 'ab'],
    ['ab', 'a'],
  ])('with %j and %j could, too', (one, two) => {
    expect(problems(config({ ...first, authid_prefix: one }, { ...other, authid_prefix: two }))).toEqual([
      `/issuers/1/authid_prefix: found ${JSON.stringify(two)}, which does not keep the users of two issuers apart ${APART}`,
    ]);
  });

  it('must not be the same', () => {
    expect(problems(config({ ...first, authid_prefix: 'a:' }, { ...first, authid_prefix: 'b:' }))).toEqual([
      '/issuers/1/issuer: stands at /workers/0/transports/0/paths/ws/auth/jwt/issuers/0/issuer already (allowed: each issuer once)',
    ]);
  });
});
