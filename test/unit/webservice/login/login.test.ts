/** The resources of the service: what they take, what they answer, and in which words they refuse. */
import { SignJWT } from 'jose';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { SharedLogins } from '../../../../src/auth/shared-logins.js';
import { AUTH_URIS } from '../../../../src/auth/verdict.js';
import { CookieStoreError } from '../../../../src/cookie/error.js';
import { MemoryCookieStore } from '../../../../src/cookie/memory.js';
import { cookieDigest } from '../../../../src/cookie/digest.js';
import { CookieStores } from '../../../../src/cookie/stores.js';
import { silentLogger } from '../../../../src/log/logger.js';
import { Router } from '../../../../src/router/router.js';
import { CookieSection } from '../../../../src/webservice/cookies.js';
import { createWebService } from '../../../../src/webservice/registry.js';
import type { WebService } from '../../../../src/http/service.js';
import type { LoginConfig } from '../../../../src/webservice/login/schema.js';
import { webServiceContract } from '../../../contract/web-service.js';
import { recordingLog } from '../../../support/cookie-store.js';
import { exchange } from '../../../support/exchange.js';
import type { Exchange } from '../../../support/exchange.js';
import { FakeClock } from '../../../support/realm.js';
import { cookieConfig, serviceDeps } from '../../../support/web.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const FORM_TYPE = { 'Content-Type': 'application/x-www-form-urlencoded' };
const APP = 'https://app.example.com';
const TICKET = 'the ticket of joe';
const CREDENTIALS = JSON.stringify({ authid: 'joe', ticket: TICKET });
const DENIED = AUTH_URIS.crossbar.denied;

const OPTIONS: LoginConfig['options'] = {
  allowed_origins: [],
  forms: false,
  return_to: '/',
  whoami: true,
  ticket: false,
  max_body: 4096,
  auth_error_uris: 'crossbar',
  max_auth_failures: 10,
  max_auth_failures_per_address: 100,
};

interface Parts {
  readonly options?: Partial<LoginConfig['options']>;
  readonly auth?: LoginConfig['auth'];
  readonly deps?: Partial<Parameters<typeof createWebService>[1]>;
}

const PRINCIPALS = {
  joe: { ticket: TICKET, role: 'member' },
  lost: { ticket: TICKET, role: 'nowhere' },
  trusted: { ticket: TICKET, role: 'trusted' },
};

function create({ options, auth, deps }: Parts = {}): WebService {
  const realms = [{ id: 'realm1', name: 'realm1', roles: [{ name: 'member', permissions: [] }] }] as const;
  const router = new Router(realms, {
    randomId: () => 7,
    clock: deps?.clock ?? Date.now,
    scheduler: new FakeClock(),
  });
  const all = serviceDeps({ router, ...deps });
  return createWebService(
    {
      type: 'login',
      realm: 'realm1',
      auth: auth ?? { ticket: { type: 'static', principals: PRINCIPALS } },
      providers: {},
      options: { ...OPTIONS, ...options },
    },
    { ...all, cookies: new CookieSection(cookieConfig({ rotate: true }), all) },
  );
}

const started: WebService[] = [];
afterEach(async () => {
  for (const service of started.splice(0)) await service.stop?.();
});

async function start(parts?: Parts): Promise<WebService> {
  const service = create(parts);
  started.push(service);
  await service.start?.();
  return service;
}

interface Post {
  readonly rest?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function post(
  service: WebService,
  { rest = '', body = CREDENTIALS, headers = JSON_TYPE }: Post = {},
): Promise<Exchange> {
  return exchange(service, { method: 'POST', mount: '/login', rest, body, headers });
}

const cookieOf = ({ headers }: Exchange): string => headers['set-cookie']?.split(';')[0] ?? '';
const whoami = (service: WebService, cookie: string): Promise<Exchange> =>
  exchange(service, { mount: '/login', rest: '/whoami', headers: { cookie } });

webServiceContract('login', {
  create,
  methods: ['POST'],
  validators: false,
  upgrades: false,
  tracksItself: true,
  body: { type: 'application/json', text: CREDENTIALS },
});
webServiceContract('whoami of a login', {
  create,
  path: '/whoami',
  methods: ['GET', 'HEAD'],
  validators: false,
  upgrades: false,
  tracksItself: true,
});
webServiceContract('logout of a login', {
  create,
  path: '/logout',
  methods: ['POST'],
  validators: false,
  upgrades: false,
  tracksItself: true,
  body: { type: 'application/json', text: '{}' },
});

describe('a login', () => {
  it('answers with who the browser is now, and one cookie', async () => {
    const service = await start();
    const answer = await post(service);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({
      authid: 'joe',
      authrole: 'member',
      authmethod: 'ticket',
      expires: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    });
    expect(answer.headers['cache-control']).toBe('no-store, private');
    expect(answer.headers['set-cookie']).toMatch(
      /^cbtid=[A-Za-z0-9+/]{24}; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    const known = await whoami(service, cookieOf(answer));
    expect(known.body).toBe(answer.body);
    expect(known.headers).toMatchObject({ 'cache-control': 'no-store', vary: 'Cookie' });
    expect(known.headers).not.toHaveProperty('set-cookie');
  });

  it.each([
    ['a wrong ticket', { authid: 'joe', ticket: 'wrong' }, DENIED],
    ['an unknown user', { authid: 'jim', ticket: TICKET }, DENIED],
    ['another realm', { authid: 'joe', ticket: TICKET, realm: 'realm2' }, 'wamp.error.no_such_realm'],
    ['a role that is not there', { authid: 'lost', ticket: TICKET }, 'wamp.error.no_such_role'],
    ['a role that no cookie remembers', { authid: 'trusted', ticket: TICKET }, 'wamp.error.no_such_role'],
    ['a token, which nobody takes here', { token: 'a.b.c' }, AUTH_URIS.crossbar.noMethod],
  ])('is refused for %s, as ABORT would say', async (_what, credentials, error) => {
    const answer = await post(await start(), { body: JSON.stringify(credentials) });
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.body)).toEqual({ error, message: expect.any(String) as string });
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(answer.body).not.toContain(TICKET);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['a list', '[]'],
    ['text that is no UTF-8', '{"authid":"\u{d800}","ticket":1}'],
    ['no ticket', '{"authid":"joe"}'],
    ['an empty ticket', '{"authid":"joe","ticket":""}'],
    ['a number as authid', '{"authid":7,"ticket":"x"}'],
    ['a number as realm', '{"authid":"joe","ticket":"x","realm":7}'],
    ['both forms', '{"authid":"joe","ticket":"x","token":"y"}'],
    ['deep JSON', `{"authid":${'['.repeat(1000)}`],
    ['a prototype', '{"__proto__":{"authid":"joe","ticket":"x"}}'],
  ])('is refused for %s', async (_what, body) => {
    const answer = await post(await start(), { body });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'wamp.error.invalid_argument' });
  });

  it('takes no larger body than the config says', async () => {
    const body = JSON.stringify({ authid: 'joe', ticket: 'x'.repeat(4096) });
    const answer = await post(await start(), { body });
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([
      413,
      { error: 'wamp.error.payload_size_exceeded' },
    ]);
  });

  it.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data'],
    ['application/jsonp'],
    [''],
  ])('takes no %j', async (type) => {
    for (const rest of ['', '/logout']) {
      const answer = await post(await start(), { rest, headers: type === '' ? {} : { 'Content-Type': type } });
      expect([answer.status, answer.headers['accept']]).toEqual([415, 'application/json']);
    }
  });

  it('does not mind a charset', async () => {
    expect((await post(await start(), { headers: { 'Content-Type': 'Application/JSON; charset=utf-8' } })).status).toBe(
      200,
    );
  });

  it('is refused for a while after too many wrong tickets, with the right one, too', async () => {
    const service = await start({ options: { max_auth_failures: 1 } });
    const body = JSON.stringify({ authid: 'joe', ticket: 'wrong' });
    expect((await post(service, { body })).status).toBe(401);
    // One attempt beyond the limit is let through: the peer may be a proxy.
    await post(service, { body });
    const answer = await post(service);
    expect([answer.status, answer.headers['retry-after']]).toEqual([429, '60']);
  });

  it('says that it cannot be made when the authenticator is away', async () => {
    const { log } = recordingLog();
    const load = () =>
      Promise.resolve(() => Promise.reject(Object.assign(new Error(), { error: 'wamp.error.unavailable', args: [] })));
    const service = await start({
      auth: { ticket: { type: 'function', module: './m.js', name: 'f' } },
      deps: { load, log },
    });
    const answer = await post(service);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5']);
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'wamp.error.unavailable' });
  });
});

describe('a logout', () => {
  it('makes a stranger of the browser', async () => {
    const service = await start();
    const cookie = cookieOf(await post(service));
    const answer = await post(service, { rest: '/logout', body: '{}', headers: { ...JSON_TYPE, cookie } });
    expect([answer.status, JSON.parse(answer.body)]).toEqual([200, { authid: null }]);
    expect(answer.headers['set-cookie']).toMatch(/^cbtid=; Max-Age=0; Path=\//);
    expect(JSON.parse((await whoami(service, cookie)).body)).toEqual({ authid: null });
  });
});

describe('a store that fails', () => {
  it.each([
    ['create', ''],
    ['delete', '/logout'],
  ] as const)('makes no login and no logout seem to work: %s', async (step, rest) => {
    const { log, warnings } = recordingLog();
    const service = await start({ deps: { log } });
    const cookie = cookieOf(await post(service));
    const failing = vi.spyOn(MemoryCookieStore.prototype, step);
    failing.mockRejectedValue(new CookieStoreError('no space', { cause: new Error('ENOSPC') }));
    const answer = await post(service, { rest, headers: { ...JSON_TYPE, cookie } });
    failing.mockRestore();
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5']);
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'wamp.error.unavailable' });
    expect(warnings().map(({ msg }) => msg)).toContain('cookie store failed, login or logout refused');
    // A logout holds all the same, and a login that failed has changed nothing.
    expect(JSON.parse((await whoami(service, cookie)).body)).toMatchObject({
      authid: step === 'create' ? 'joe' : null,
    });
  });
});

describe('pages of other origins', () => {
  it('that ask before they post are told to the operator, too', async () => {
    const { log, warnings } = recordingLog();
    const service = await start({ deps: { log } });
    await exchange(service, { method: 'OPTIONS', mount: '/login', headers: { origin: 'https://evil.example' } });
    expect(warnings()[0]).toMatchObject({ msg: 'HTTP request refused', status: 403, origin: 'https://evil.example' });
  });

  it('neither log in nor out, and the operator learns of it', async () => {
    const { log, warnings } = recordingLog();
    const service = await start({ deps: { log } });
    for (const rest of ['', '/logout']) {
      const headers = { ...JSON_TYPE, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
      const answer = await post(service, { rest, headers });
      expect(answer.status).toBe(403);
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
      expect(answer.headers).not.toHaveProperty('set-cookie');
    }
    expect(warnings()[0]).toMatchObject({ msg: 'HTTP request refused', status: 403, origin: 'https://evil.example' });
    expect(JSON.stringify(warnings())).not.toContain(TICKET);
  });

  it('do if the config names them, with cookies, after they have asked', async () => {
    const service = await start({ options: { allowed_origins: [APP] } });
    const asked = {
      origin: APP,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    };
    const preflight = await exchange(service, { method: 'OPTIONS', rest: '', headers: asked });
    expect([preflight.status, preflight.headers]).toMatchObject([
      204,
      {
        'access-control-allow-origin': APP,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'Content-Type',
        vary: 'Origin',
      },
    ]);
    const headers = { ...JSON_TYPE, origin: APP, 'sec-fetch-site': 'cross-site' };
    const answer = await post(service, { headers });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, APP]);
    const denied = await post(service, { headers, body: '{"authid":"joe","ticket":"x"}' });
    expect([denied.status, denied.headers['access-control-allow-origin']]).toEqual([401, APP]);
  });

  it('are told nothing by whoami, and nothing by OPTIONS where they are not named', async () => {
    const service = await start({ options: { allowed_origins: [APP] } });
    for (const [rest, origin] of [
      ['/whoami', APP],
      ['', 'https://evil.example'],
    ] as const) {
      const headers = { origin, 'access-control-request-method': 'POST' };
      const answer = await exchange(service, { method: 'OPTIONS', rest, headers });
      expect(answer.status).toBe(204);
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    }
    const read = await exchange(service, { rest: '/whoami', headers: { origin: APP } });
    expect(read.headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('forms', () => {
  const body = `authid=joe&ticket=${encodeURIComponent(TICKET)}&go=Log+in`;

  it('are taken where the config says so, and lead to another page', async () => {
    const service = await start({ options: { forms: true, return_to: '/welcome' } });
    const answer = await post(service, { body, headers: FORM_TYPE });
    expect([answer.status, answer.headers['location']]).toEqual([303, '/welcome']);
    const cookie = cookieOf(answer);
    expect(JSON.parse((await whoami(service, cookie)).body)).toMatchObject({ authid: 'joe' });
    const out = await post(service, { rest: '/logout', body: '', headers: { ...FORM_TYPE, cookie } });
    expect([out.status, out.headers['location']]).toEqual([303, '/welcome']);
    expect(JSON.parse((await whoami(service, cookie)).body)).toEqual({ authid: null });
  });

  it.each([
    ['authid=joe&ticket=wrong', '/a?b=1&login_error=access_denied#c'],
    ['authid=joe', '/a?b=1&login_error=access_denied#c'],
  ])('lead there with an error: %s', async (wrong, location) => {
    const service = await start({ options: { forms: true, return_to: '/a?b=1#c' } });
    const answer = await post(service, { body: wrong, headers: FORM_TYPE });
    expect([answer.status, answer.headers['location']]).toEqual([303, location]);
    expect(answer.headers).not.toHaveProperty('set-cookie');
  });

  it('go through the same checks', async () => {
    const service = await start({ options: { forms: true } });
    expect((await post(service, { body, headers: { ...FORM_TYPE, origin: 'https://evil.example' } })).status).toBe(403);
    expect((await post(service, { body: `${body}&authid=mary`, headers: FORM_TYPE })).status).toBe(400);
  });
});

describe('a login by a token', () => {
  const ISSUER = 'https://id.example.com';
  const SECRET = 'a shared secret of 32 octets, or more';
  const NOW = Date.parse('2026-11-20T22:25:02Z');

  const jwt = (parts: object = {}): LoginConfig['auth'] => ({
    jwt: {
      issuers: [
        {
          ...{ issuer: ISSUER, audience: 'crossbar', secret: SECRET, algorithms: ['HS256'] },
          ...{ leeway: 0, max_age: 86_400, refresh: 600, cooldown: 30, timeout: 5000 },
          ...{ authid: 'sub', role: 'member', extra: {}, require: {}, ...parts },
        },
      ],
      expire: 'close',
      max_length: 8192,
    },
  });

  function token(claims: object = {}): Promise<string> {
    const iat = NOW / 1000;
    const all = { iss: ISSUER, aud: 'crossbar', sub: 'anna', iat, exp: iat + 60, ...claims };
    return new SignJWT(all).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(SECRET));
  }

  it('ends with the token, and remembers who vouched for it', async () => {
    let now = NOW;
    const clock = (): number => now;
    const deps = { clock, stores: new CookieStores({ clock, log: silentLogger() }) };
    const service = await start({ auth: jwt(), deps });
    const answer = await post(service, { body: JSON.stringify({ token: await token() }) });
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      200,
      { authid: 'anna', authrole: 'member', authmethod: 'jwt', expires: '2026-11-20T22:26:02.000Z' },
    ]);
    const cookie = cookieOf(answer);
    now += 59_999;
    expect((await whoami(service, cookie)).body).toBe(answer.body);
    now += 1;
    expect(JSON.parse((await whoami(service, cookie)).body)).toEqual({ authid: null });
  });

  it('is refused for a token that does not count', async () => {
    const service = await start({ auth: jwt(), deps: { clock: () => NOW } });
    for (const wrong of [await token({ exp: NOW / 1000 }), await token({ aud: 'other' }), `${await token()}x`, 'x']) {
      const answer = await post(service, { body: JSON.stringify({ token: wrong }) });
      expect([answer.status, JSON.parse(answer.body)]).toMatchObject([401, { error: DENIED }]);
      expect(answer.body).not.toContain(wrong.length > 1 ? wrong.slice(0, -1) : 'nothing');
    }
  });
});

describe('one-time tickets', () => {
  it('are for those who have logged in here, bound to their page and their cookie', async () => {
    const logins = new SharedLogins(Date.now);
    logins.tickets.accept({ ttlMs: 30_000, max: 10 });
    const service = await start({ options: { ticket: true }, deps: { logins } });
    const cookie = cookieOf(await post(service));
    const headers = { ...JSON_TYPE, cookie, origin: 'http://example.com', host: 'example.com' };
    const answer = await post(service, { rest: '/ticket', body: '{}', headers });
    const { ticket, ...rest } = JSON.parse(answer.body) as { ticket: string };
    expect([answer.status, rest]).toEqual([200, { expires_in: 30 }]);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(logins.tickets.take(ticket)).toMatchObject({
      user: { realm: 'realm1', authid: 'joe', authrole: 'member' },
      origin: 'http://example.com',
      cookie: cookieDigest(cookie.replace('cbtid=', '')),
    });
    const refused = await post(service, { rest: '/ticket', body: '{}' });
    expect([refused.status, JSON.parse(refused.body)]).toMatchObject([401, { error: DENIED }]);
    const foreign = { ...headers, origin: 'https://evil.example' };
    expect((await post(service, { rest: '/ticket', body: '{}', headers: foreign })).status).toBe(403);
    expect(logins.tickets.size).toBe(0);
  });

  it('are not given where no WebSocket takes any', async () => {
    const service = await start({ options: { ticket: true }, deps: { logins: new SharedLogins(Date.now) } });
    const headers = { ...JSON_TYPE, cookie: cookieOf(await post(service)) };
    expect((await post(service, { rest: '/ticket', body: '{}', headers })).status).toBe(503);
  });
});

describe('other paths', () => {
  it('have nothing, and neither has what is switched off', async () => {
    const service = await start({ options: { whoami: false } });
    for (const rest of ['/whoami', '/ticket', '/logout/', '/google/start']) {
      expect((await exchange(service, { rest })).status).toBe(404);
    }
  });
});
