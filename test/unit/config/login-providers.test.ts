/** What the check of the config says of the providers of a login. */
import { describe, expect, it } from 'vitest';

import { check, node, problemsOf } from './configs.js';

const ID = {
  type: 'oidc',
  issuer: 'https://id.example.com',
  client_id: 'crossbar',
  client_secret: 'a secret',
  role: 'anonymous',
};
const GITHUB = {
  type: 'oauth2',
  authorization_endpoint: 'https://github.example/authorize',
  token_endpoint: 'https://github.example/token',
  userinfo: 'https://api.github.example/user',
  client_id: 'crossbar',
  client_secret: 'a secret',
  authid: 'id',
  role: 'anonymous',
};
const AT = '/workers/0/transports/0/paths/login/providers';
const COOKIE = { secrets: ['a secret of the cookies'] };

function config(
  providers: object,
  cookie: object = COOKIE,
  login: object = { public_url: 'https://example.com' },
): object {
  const paths = {
    ws: { type: 'websocket', auth: { cookie: {} } },
    login: { type: 'login', realm: 'realm1', providers, ...login },
  };
  return node({ web: { cookie, paths } });
}

describe('providers of a login', () => {
  it('have defaults', () => {
    const { config: checked, warnings, notes } = check(config({ id: ID, github: GITHUB }));
    expect([warnings, notes]).toEqual([[], []]);
    expect(checked).toHaveProperty(['workers', 0, 'transports', 0, 'paths', 'login', 'providers'], {
      id: {
        ...ID,
        authid: 'sub',
        scope: ['openid'],
        userinfo: false,
        client_authentication: 'client_secret_basic',
        leeway: 30,
        timeout: 5000,
        end_session: false,
        backchannel_logout: true,
        extra: {},
        require: {},
      },
      github: {
        ...GITHUB,
        client_authentication: 'client_secret_basic',
        timeout: 5000,
        scope: [],
        extra: {},
        require: {},
      },
    });
  });

  const without = (key: string, from: object = ID): object =>
    Object.fromEntries(Object.entries(from).filter(([name]) => name !== key));

  it.each<[string, object, string]>([
    ['a name that is another path of the login', { logout: ID }, `${AT}/logout: `],
    ['a name with a slash', { 'a/b': ID }, `${AT}/a~1b: `],
    [
      'an issuer without TLS',
      { id: { ...ID, issuer: 'http://id.example.com' } },
      `${AT}/id/issuer: found http, which anybody on the way can read and change (allowed: an https URL without user and fragment; http only for localhost)`,
    ],
    [
      'an issuer with a password',
      { id: { ...ID, issuer: 'https://joe:secret@id.example.com' } },
      `${AT}/id/issuer: found a URL with a user`,
    ],
    [
      'a URL with a fragment',
      { id: { ...GITHUB, userinfo: 'https://x.example/#a' } },
      `${AT}/id/userinfo: found a URL with a fragment`,
    ],
    ['text that is no URL', { id: { ...ID, issuer: 'https://[' } }, `${AT}/id/issuer: found text that is no URL`],
    [
      'no secret',
      { id: without('client_secret') },
      `${AT}/id: missing key "client_secret" (allowed: one, or "client_authentication": "none")`,
    ],
    [
      'a secret that nobody sends',
      { id: { ...ID, client_authentication: 'none' } },
      `${AT}/id/client_secret: found a secret beside "client_authentication": "none" (allowed: no secret)`,
    ],
    [
      'no ID token',
      { id: { ...ID, scope: ['email'] } },
      `${AT}/id/scope: found no "openid" (allowed: scopes with "openid")`,
    ],
    ['a name that is given to others', { id: without('authid', GITHUB) }, `${AT}/id: missing key "authid"`],
    [
      'users that two of them share',
      { a: ID, b: { ...GITHUB, authid_prefix: 'a:x' } },
      `${AT}/b: found users who begin with "a:x", as those of "a" may (allowed: an "authid_prefix" of its own)`,
    ],
    [
      'users that all of them share',
      { a: ID, b: { ...GITHUB, authid_prefix: '' } },
      `${AT}/b: found users who begin with ""`,
    ],
    [
      'a role that the realm does not have',
      { id: { ...ID, role: 'nobody' } },
      `${AT}/id/role: the realm "realm1" does not have a role "nobody" (allowed: "anonymous")`,
    ],
    [
      'a role of a map that the realm does not have',
      { id: { ...ID, role: { path: 'groups', map: { staff: 'nobody' }, default: 'anonymous' } } },
      `${AT}/id/role/map/staff: the realm "realm1" does not have a role "nobody"`,
    ],
    [
      'too much for WELCOME',
      { id: { ...ID, extra: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`name${at}`, 'a'])) } },
      `${AT}/id/extra: found 33 names (allowed: 32 at most)`,
    ],
  ])('with %s are refused', (_what, providers, expected) => {
    const problems = problemsOf(config(providers));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
    expect(problems[0]).not.toContain('secret@');
  });

  it('may be two of one issuer, for this machine without TLS, and without a secret', () => {
    const { warnings } = check(
      config({
        a: { ...ID, issuer: 'http://localhost:3000' },
        b: { ...ID, issuer: 'http://localhost:3000', authid_prefix: 'a:' },
      }),
    );
    expect(warnings).toEqual([]);
    check(config({ a: { ...without('client_secret'), client_authentication: 'none' } }));
  });

  it('need to know where they send browsers back to', () => {
    expect(problemsOf(config({ id: ID }, COOKIE, {}))).toEqual([expect.stringContaining('"public_url"')]);
  });

  it('warn of logins that are lost', () => {
    const texts = check(config({ id: ID }, { same_site: 'Strict' })).warnings.map(({ text }) => text);
    expect(texts).toEqual([expect.stringContaining('"secrets"'), expect.stringContaining('"Strict"')]);
  });
});
