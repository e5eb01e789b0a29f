/** Defaults and rules of `cookie` sections that depend on the WebSockets that they apply to. */
import { describe, expect, it } from 'vitest';

import { check, node, problemsOf } from './configs.js';
import { routerOf } from '../../support/checked.js';

const AUTH = { cookie: {} };
const FILE = { type: 'file', filename: 'cookies.dat' };

/** What stands under `keys` in the transport. */
function at(value: unknown, ...keys: string[]): unknown {
  return keys.reduce<unknown>(
    (place, key) => (place as Record<string, unknown> | undefined)?.[key],
    routerOf(check(value).config)?.transports[0],
  );
}

describe('a cookie that logs in', () => {
  it('is a password: it gets new ids, and anonymous sessions a derived authid', () => {
    const own = node({ websocket: { auth: AUTH, cookie: {} } });
    expect(at(own, 'paths', 'ws', 'cookie')).toMatchObject({ rotate: true, authid: 'derived' });
    const inherited = node({ websocket: { auth: AUTH }, web: { cookie: {} } });
    expect(at(inherited, 'cookie')).toMatchObject({ rotate: true, authid: 'derived' });
  });

  it.each([[FILE], [{ type: 'database', path: 'cookies' }]])('is one wherever its store is used: %j', (store) => {
    const shared = node({ websocket: { auth: AUTH, cookie: { store } }, web: { cookie: { store } } });
    expect(at(shared, 'cookie')).toMatchObject({ rotate: true, authid: 'derived' });
  });

  it('is none where another section is in force, or no WebSocket has the method', () => {
    const other = node({ websocket: { auth: AUTH, cookie: {} }, web: { cookie: {} } });
    expect(at(other, 'cookie')).toMatchObject({ rotate: false, authid: 'cookie' });
    expect(at(node({ websocket: { cookie: {} } }), 'paths', 'ws', 'cookie')).toMatchObject({ rotate: false });
  });

  it('may be told otherwise, with a warning where that shows it', () => {
    const value = node({ websocket: { auth: AUTH, cookie: { rotate: false, authid: 'cookie' } } });
    expect(at(value, 'paths', 'ws', 'cookie')).toMatchObject({ rotate: false, authid: 'cookie' });
    expect(check(value).warnings.map(({ pointer }) => pointer)).toEqual([
      '/workers/0/transports/0/paths/ws/cookie/authid',
    ]);
  });
});

describe('a name that browsers guard', () => {
  const problems = (cookie: object): string[] => problemsOf(node({ websocket: { cookie } }));

  it('may be had with what it promises', () => {
    expect(problems({ name: '__Host-cbtid', secure: true })).toEqual([]);
    expect(problems({ name: '__Host-cbtid', secure: true, path: '/' })).toEqual([]);
    expect(problems({ name: '__Secure-cbtid', secure: true, path: '/ws', domain: 'example.com' })).toEqual([]);
  });

  it.each([
    ['no "secure"', { name: '__Host-cbtid' }, '/cookie: found no "secure"'],
    ['"secure": false', { name: '__Secure-cbtid', secure: false }, '/cookie/secure: found false'],
    ['another path', { name: '__Host-cbtid', secure: true, path: '/ws' }, '/cookie/path: found "/ws"'],
    ['a domain', { name: '__Host-cbtid', secure: true, domain: 'example.com' }, '/cookie/domain: found "example.com"'],
  ])('is refused with %s, because browsers drop it', (_what, cookie, expected) => {
    const [problem, ...others] = problems(cookie);
    expect(others).toEqual([]);
    expect(problem).toContain(`${expected} beside a "name" with "__`);
  });
});

const SESSION = {
  type: 'express',
  secrets: ['s'.repeat(32)],
  store: { type: 'redis', url: 'redis://127.0.0.1' },
  authid: 'user',
  role: 'anonymous',
};

describe('the origins of a WebSocket', () => {
  it('are all without a cookie', () => {
    expect(at(node(), 'paths', 'ws', 'options')).toMatchObject({ allowed_origins: ['*'], allow_null_origin: true });
  });

  it.each([
    ['its own', node({ websocket: { cookie: {} } })],
    ['an inherited one', node({ web: { cookie: {} } })],
    ['the one of a web application', node({ websocket: { auth: { session: SESSION } } })],
  ])('are the host itself with %s', (_what, value) => {
    const expected = { allowed_origins: ['self'], allow_null_origin: false };
    expect(at(value, 'paths', 'ws', 'options')).toMatchObject(expected);
  });

  it('are the host itself on a universal transport, too, also with the cookie of its web part', () => {
    const web = { paths: { ws: { type: 'websocket' } }, cookie: {} };
    const websocket = { own: { cookie: {} }, inherited: {} };
    const endpoint = { type: 'tcp', port: 8081 };
    const transport = { type: 'universal', endpoint, websocket, web, rawsocket: {} };
    const value = node({ worker: { transports: [transport] } });
    const expected = { allowed_origins: ['self'], allow_null_origin: false };
    expect(at(value, 'websocket', 'own', 'options')).toMatchObject(expected);
    expect(at(value, 'websocket', 'inherited', 'options')).toMatchObject(expected);
    expect(at(value, 'web', 'paths', 'ws', 'options')).toMatchObject(expected);
    expect(at(value, 'rawsocket', 'options')).not.toHaveProperty('allowed_origins');
    const plain = { ...transport, web: undefined, websocket: { inherited: {} } };
    const options = at(node({ worker: { transports: [plain] } }), 'websocket', 'inherited', 'options');
    expect(options).toMatchObject({ allowed_origins: ['*'], allow_null_origin: true });
  });

  it.each(['*', 'https://*', '*://*:*'])('may be all with a cookie (%s), with a warning', (pattern) => {
    const realms = [{ name: 'realm1', roles: [{ name: 'anonymous' }] }];
    const websocket = { cookie: {}, options: { allowed_origins: [pattern] } };
    const { warnings } = check(node({ websocket, worker: { realms } }));
    expect(warnings.map(({ pointer }) => pointer)).toEqual([
      '/workers/0/transports/0/paths/ws/options/allowed_origins/0',
    ]);
    expect(check(node({ websocket: { options: { allowed_origins: [pattern] } } })).warnings).toEqual([]);
  });

  it('must be named for a cookie that every site may use', () => {
    const cookie = { same_site: 'None', secure: true };
    expect(problemsOf(node({ websocket: { cookie } }))).toHaveLength(1);
    const named = { cookie, options: { allowed_origins: ['https://app.example.com', 'self'] } };
    expect(problemsOf(node({ websocket: named }))).toEqual([]);
  });
});

describe('the secrets of a cookie', () => {
  const withSecrets = (...secrets: unknown[]) => node({ websocket: { cookie: { secrets } } });

  it('come from the environment, too', () => {
    const env = { SECRET: 'a secret of the environment' };
    const { config } = check(withSecrets('${SECRET}', 'a secret of the config'), env);
    expect(config).toHaveProperty(
      ['workers', 0, 'transports', 0, 'paths', 'ws', 'cookie', 'secrets'],
      ['a secret of the environment', 'a secret of the config'],
    );
  });

  it('must be there, and long enough, wherever they come from; they are not told', () => {
    const problems = problemsOf(withSecrets('${NOTHING}', '${SHORT}', 'tiny'), { SHORT: 'brief' });
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toMatch(/brief|tiny/);
  });
});

describe('a cookie id that is short', () => {
  const warnings = (cookie: object): string[] =>
    check(node({ websocket: { cookie } })).warnings.map(({ pointer, text }) => `${pointer}: ${text}`);

  it('is warned of, with how many guesses find one', () => {
    const [warning, ...more] = warnings({ length: 6, authid: 'derived' }).filter((line) => line.includes('/length'));
    expect(warning).toBe(
      '/workers/0/transports/0/paths/ws/cookie/length: found 6: an id has 36 random bits then, so 2^36 guesses find a given one, and fewer the more cookies there are (22 characters or more are safe)',
    );
    expect(more).toEqual([]);
    expect(warnings({ length: 21 }).join()).toContain('2^126');
  });

  it.each([22, 24, 64])('is none with %i characters', (length) => {
    expect(warnings({ length }).join()).not.toContain('/length');
  });
});

describe('a cookie domain that browsers take from nobody', () => {
  const problems = (domain: string): string[] => problemsOf(node({ websocket: { cookie: { domain } } }));

  it.each(['com', '.com', 'intranet', '127.0.0.1', '192.168.1.10'])('is refused: %s', (domain) => {
    const [problem, ...more] = problems(domain);
    expect(problem).toContain(`/cookie/domain: found "${domain}", which browsers`);
    expect(more).toEqual([]);
  });

  it.each(['localhost', 'example.com', '.example.com', 'a.b'])('is not %s', (domain) => {
    expect(problems(domain)).toEqual([]);
  });
});

describe('a redirect', () => {
  const problems = (url: string): string[] => {
    const { workers, ...rest } = node();
    const [worker] = workers;
    const [web] = worker?.transports ?? [];
    const paths = { ...web?.paths, old: { type: 'redirect', url } };
    return problemsOf({ ...rest, workers: [{ ...worker, transports: [{ ...web, paths }] }] });
  };

  it.each([
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'file:///etc/passwd',
    'mailto:joe@example.com',
    'https:example.com',
    'a b',
  ])('leads to no other kind of URL: %s', (url) => {
    expect(problems(url)).toHaveLength(1);
  });

  it.each([
    'http://example.com',
    'HTTPS://example.com/a?b=c:d#e',
    '//example.com/',
    '/files/',
    '../x',
    'x/y:z',
    '?a=b:c',
    '#top',
  ])('may lead to %s', (url) => {
    expect(problems(url)).toEqual([]);
  });
});

it('"same_site": "None" needs no "secure" on a transport with TLS, where that is the default', () => {
  const noted = (endpoint: object): string[] =>
    check(node({ websocket: { cookie: { same_site: 'None' } }, web: { endpoint } })).notes.map(
      ({ pointer }) => pointer,
    );
  const tls = { key: 'a.key', certificate: 'a.pem' };
  const options = { allowed_origins: ['https://example.com'] };
  const onTls = node({
    websocket: { cookie: { same_site: 'None' }, options },
    web: { endpoint: { type: 'tcp', port: 8443, tls } },
  });
  expect(check(onTls).notes).toEqual([]);
  expect(noted({ type: 'tcp', port: 8080 })).toEqual(['/workers/0/transports/0/paths/ws/cookie/same_site']);
});

describe('"secure": true without TLS', () => {
  const warned = (endpoint: object, secure = true): string[] =>
    check(node({ websocket: { cookie: { secure } }, web: { endpoint } }))
      .warnings.filter(({ pointer }) => pointer.endsWith('/secure'))
      .map(({ pointer, text }) => `${pointer}: ${text.slice(0, 41)}`);
  const tcp = { type: 'tcp', port: 8080 };
  const EXPECTED = ['/workers/0/transports/0/paths/ws/cookie/secure: found true on a transport without TLS: br'];

  it('is warned of where browsers can come without a proxy', () => {
    expect(warned(tcp)).toEqual(EXPECTED);
    expect(warned({ ...tcp, interface: '0.0.0.0' })).toEqual(EXPECTED);
    expect(warned(tcp, false)).toEqual([]);
  });

  it.each([
    ['over TLS', { ...tcp, tls: { key: 'a.key', certificate: 'a.pem' } }],
    ['on loopback', { ...tcp, interface: '127.0.0.1' }],
    ['on loopback of version 6', { ...tcp, interface: '::1' }],
    ['on a socket file', { type: 'unix', path: 'a.sock' }],
  ])('is right %s', (_where, endpoint) => {
    expect(warned(endpoint)).toEqual([]);
  });
});
