/** What the check of the config says of a `login` service. */
import { describe, expect, it } from 'vitest';

import { check, node, problemsOf } from './configs.js';

const TICKET = { type: 'static', principals: { joe: { ticket: 'a ticket', role: 'anonymous' } } };
const LOGIN = { type: 'login', realm: 'realm1', auth: { ticket: TICKET } };
const AT = '/workers/0/transports/0/paths/login';

function config(login: object, web: object = { cookie: {} }, auth: object = { cookie: {} }): object {
  const paths = { ws: { type: 'websocket', auth }, login: { ...LOGIN, ...login } };
  return node({ web: { paths, ...web } });
}

const warningsOf = (value: object): string[] => check(value).warnings.map(({ pointer, text }) => `${pointer}: ${text}`);

describe('a login', () => {
  it('has defaults for everything but its realm', () => {
    const { config: checked, warnings, notes } = check(config({}));
    expect([warnings, notes]).toEqual([[], []]);
    expect(checked).toHaveProperty(['workers', 0, 'transports', 0, 'paths', 'login', 'options'], {
      allowed_origins: [],
      forms: false,
      return_to: '/',
      whoami: true,
      ticket: false,
      max_body: 4096,
      auth_error_uris: 'crossbar',
      max_auth_failures: 10,
      max_auth_failures_per_address: 100,
    });
  });

  it.each<[string, object, string]>([
    [
      'without a cookie section',
      config({}, {}),
      `${AT}: found without a "cookie" section for this path (allowed: one, here or at the transport)`,
    ],
    [
      'by which nobody can log in',
      config({ auth: {} }),
      `${AT}: nobody can log in here (allowed: at least one method in "auth", or one of the "providers")`,
    ],
    [
      'for a realm that is not there',
      config({ realm: 'realm2' }),
      `${AT}/realm: the worker has no realm "realm2" (allowed: "realm1")`,
    ],
    [
      'in a role that the realm does not have',
      config({ auth: { ticket: { type: 'static', principals: { joe: { ticket: 'x', role: 'member' } } } } }),
      `${AT}/auth/ticket/principals/joe/role: the realm "realm1" does not have a role "member" (allowed: "anonymous")`,
    ],
    [
      'in a role of a token that the realm does not have',
      config({
        auth: {
          jwt: {
            issuers: [
              {
                ...{ issuer: 'https://id.example.com', audience: 'a', jwks: 'https://id.example.com/jwks' },
                role: { path: 'groups', map: { a: 'anonymous', b: 'member' } },
              },
            ],
          },
        },
      }),
      `${AT}/auth/jwt/issuers/0/role/map/b: the realm "realm1" does not have a role "member" (allowed: "anonymous")`,
    ],
    [
      'with a public URL that is no origin',
      config({ public_url: 'https://example.com/app' }),
      `${AT}/public_url: found a URL that is no origin as browsers write it (allowed: "https://example.com")`,
    ],
    [
      'with an origin that no browser writes so',
      config({ options: { allowed_origins: ['https://Example.com:443'] } }),
      `${AT}/options/allowed_origins/0: found a URL that is no origin as browsers write it (allowed: "https://example.com")`,
    ],
    [
      'with a pattern of origins',
      config({ options: { allowed_origins: ['https://*.example.com'] } }),
      `${AT}/options/allowed_origins/0: found "https://*.example.com" (allowed: an origin such as "https://example.com", without "*")`,
    ],
    [
      'with tickets that nobody takes',
      config({ options: { ticket: true } }),
      `${AT}/options/ticket: found true, but no WebSocket of the worker takes one-time tickets (allowed: true beside an "auth.one_time")`,
    ],
    [
      'with a method of WebSockets only',
      config({ auth: { anonymous: { type: 'static' } } }),
      `${AT}/auth/anonymous: unknown key "anonymous" (allowed: ticket, jwt)`,
    ],
  ])('%s is refused', (_what, value, problem) => {
    expect(problemsOf(value)).toEqual([problem]);
  });

  it('may give tickets that a WebSocket takes', () => {
    expect(problemsOf(config({ options: { ticket: true } }, { cookie: {} }, { cookie: {}, one_time: {} }))).toEqual([]);
  });

  it.each(['//evil.example', '/\\evil.example', 'https://evil.example', 'welcome', '', '/a b'])(
    'does not lead to %j',
    (return_to) => {
      expect(problemsOf(config({ options: { return_to } }))).toHaveLength(1);
    },
  );

  const NOWHERE = `${AT}: no WebSocket of the worker has "auth.cookie" and the cookies of this login, so no browser that logged in here is let in`;
  const file = (filename: string) => ({ cookie: { store: { type: 'file', filename } } });

  it('that leads nowhere is a warning', () => {
    expect(warningsOf(config({}, { cookie: {} }, {}))).toContain(NOWHERE);
    // Two stores in memory are two stores.
    expect(warningsOf(config({ cookie: {} }))).toContain(NOWHERE);
    expect(warningsOf(config(file('one.dat'), file('other.dat')))).toContain(NOWHERE);
  });

  it('may have a cookie section of its own, on the store of a WebSocket', () => {
    expect(warningsOf(config(file('one.dat'), file('one.dat')))).toEqual([]);
  });
});
