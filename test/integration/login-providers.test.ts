/** A login at a provider of OpenID Connect: a real one, and what a broken or hostile one may answer. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { generateKeyPair } from 'jose';
import type { JWTPayload } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openExchange } from '../support/exchange.js';
import { LoginSite, oidcConfig } from '../support/login-site.js';
import { CLIENT_ID, CLIENT_SECRET, OpenIdProvider } from '../support/openid-provider.js';
import type { Answer } from '../support/openid-provider.js';
import { Visitor } from '../support/visitor.js';
import type { OidcProviderConfig, ProvidersConfig } from '../../src/webservice/login/providers/schema.js';

const SECRETS = ['a secret of the cookies'];
const LOGOUT_EVENT = { 'http://schemas.openid.net/event/backchannel-logout': {} };

/** name of the provider -> what is special there */
const PROVIDERS: Readonly<Record<string, Partial<OidcProviderConfig>>> = {
  id: {},
  silent: { prompt: 'none' },
  recent: { max_age: 60 },
  told: {
    userinfo: true,
    scope: ['openid', 'email', 'profile'],
    require: { email_verified: true },
    extra: { name: 'name' },
  },
  mapped: { scope: ['openid', 'email'], userinfo: true, role: { path: 'email', map: { 'root@example.com': 'admin' } } },
  deaf: { backchannel_logout: false },
};

let provider: OpenIdProvider;
let site: LoginSite;
let visitor: Visitor;
const clock = { offsetMs: 0 };
const more: LoginSite[] = [];

beforeAll(async () => {
  provider = await OpenIdProvider.start();
  provider.serve({
    redirect_uris: ['http://localhost/none'],
    backchannel_logout_session_required: true,
    backchannel_logout_uri: 'http://localhost:1/',
  });
  site = await startSite(() =>
    Object.fromEntries(names(PROVIDERS).map((name) => [name, oidcConfig(provider.issuer, PROVIDERS[name])])),
  );
});
afterAll(async () => {
  await site.stop();
  await provider.close();
});

beforeEach(() => {
  visitor = new Visitor();
  provider.user = { sub: 'joe' };
  provider.cancels = false;
  provider.answers.clear();
  provider.requests.length = 0;
  clock.offsetMs = 0;
  site.audited();
});
afterEach(async () => {
  for (const each of more.splice(0)) await each.stop();
});

function names(object: object): string[] {
  return Object.keys(object);
}

async function startSite(providers: () => ProvidersConfig): Promise<LoginSite> {
  const made = await LoginSite.start({ providers, clock: () => Date.now() + clock.offsetMs, secrets: SECRETS });
  provider.allow(names(providers()).map((name) => made.url(`${name}/callback`)));
  return made;
}

/** A site of the test, whose only provider is `id`. */
async function siteWith(parts: Partial<OidcProviderConfig>): Promise<LoginSite> {
  const made = await startSite(() => ({ id: oidcConfig(provider.issuer, parts) }));
  more.push(made);
  return made;
}

/** To the provider and back. @returns the URL with the code, which nobody has asked for yet. */
async function comeBack(at = site, name = 'id', query = ''): Promise<string> {
  return visitor.followUntil(at.url(`${name}/start${query}`), at.url(`${name}/callback`));
}

/** The whole way. */
async function logIn(at = site, name = 'id', query = ''): Promise<Response> {
  return visitor.get(await comeBack(at, name, query));
}

async function expectPage(response: Response, status: number, text: string): Promise<string> {
  const body = await response.text();
  expect([response.status, body]).toEqual([status, expect.stringContaining(text)]);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'cache-control': expect.stringContaining('no-store'),
    'referrer-policy': 'no-referrer',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
  });
  expect(response.headers.get('set-cookie') ?? '').not.toContain('cbtid');
  expect(await whoIs()).toBeUndefined();
  return body;
}

/** What every entry of a login at `id` has. */
const AUDITED = {
  ...{ event: 'login', realm: 'realm1', method: 'oidc', provider: 'id', transport: 'http', path: '/login/id/callback' },
  ...{ time: expect.stringMatching(/Z$/) as string, peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string },
};
const JOE = { authid: 'id:joe', role: 'member' };
const DIGEST = expect.stringMatching(/^[\w-]{16}$/) as string;

const STALE = 'expired, was finished already, or was begun in another browser';
const NOT_GOOD = 'could not be verified';
const AWAY = 'does not answer at the moment';

async function whoIs(at = site) {
  return at.whoIs(visitor.header(at.origin));
}

describe('a login at a provider', () => {
  it('ends in a new cookie, and on the page that was asked for', async () => {
    const response = await logIn(site, 'id', '?return_to=/page%3Fa');
    expect([response.status, response.headers.get('location')]).toEqual([303, `${site.origin}/page?a`]);
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(response.headers.get('cache-control')).toBe('no-store, private');
    expect(await whoIs()).toMatchObject({
      authid: 'id:joe',
      authrole: 'member',
      authmethod: 'oidc',
      authrealm: 'realm1',
    });
    expect(visitor.cookies('127.0.0.1', 'cblogin_')).toEqual([]);
    expect(site.audited()).toEqual([{ ...AUDITED, outcome: 'ok', ...JOE, cookie: DIGEST }]);
  });

  it('asks with PKCE, state and nonce, and the way back of the config', async () => {
    const response = await visitor.get(site.url('id/start'), {
      'X-Forwarded-Host': 'evil.example',
      Forwarded: 'host=evil.example',
    });
    const asked = new URL(response.headers.get('location') ?? '');
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      client_id: CLIENT_ID,
      response_type: 'code',
      response_mode: 'query',
      scope: 'openid',
      redirect_uri: site.url('id/callback'),
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
    const [cookie] = visitor.cookies('127.0.0.1', 'cblogin_');
    expect(cookie?.line).toMatch(/; Max-Age=600; Path=\/login\/id; HttpOnly; SameSite=Lax$/);
    expect([response.headers.get('cache-control'), response.headers.get('referrer-policy')]).toEqual([
      'no-store, private',
      'no-referrer',
    ]);
  });

  it('sends max_age and prompt as they are, and wants to know when the user logged in', async () => {
    const asked = new URL((await visitor.get(site.url('recent/start'))).headers.get('location') ?? '');
    expect(asked.searchParams.get('max_age')).toBe('60');
    provider.forge((nonce) => provider.claims({ nonce }));
    await expectPage(await logIn(site, 'recent'), 400, NOT_GOOD);
    provider.answers.clear();
    expect((await logIn(site, 'recent')).status).toBe(303);
  });

  it('keeps who vouched, and no token', async () => {
    await logIn();
    const [record] = (await site.logins()).slice(-1);
    const { source } = record?.auth ?? {};
    expect(source).toEqual({
      provider: 'id',
      issuer: provider.issuer,
      subject: 'joe',
      sid: expect.stringMatching(/./),
    });
    expect(JSON.stringify(record)).not.toMatch(/eyJ/);
  });

  it('takes claims of the userinfo endpoint, and shows some of them', async () => {
    provider.user = { sub: 'joe', name: 'Joe', email: 'joe@example.com', email_verified: true };
    expect((await logIn(site, 'told')).status).toBe(303);
    expect(await whoIs()).toMatchObject({ authid: 'told:joe', authextra: { name: 'Joe' } });
  });

  it('gives the role of the map, and none to those who are not in it', async () => {
    provider.user = { sub: 'root', email: 'root@example.com' };
    await logIn(site, 'mapped');
    expect(await whoIs()).toMatchObject({ authid: 'mapped:root', authrole: 'admin' });
    visitor = new Visitor();
    provider.user = { sub: 'joe', email: 'admin' };
    await expectPage(await logIn(site, 'mapped'), 403, 'may not log in here');
  });

  it('is refused without what the config requires', async () => {
    provider.user = { sub: 'joe', email: 'joe@example.com', email_verified: false };
    await expectPage(await logIn(site, 'told'), 403, 'may not log in here');
    const place = { provider: 'told', path: '/login/told/callback' };
    expect(site.audited()).toMatchObject([
      { event: 'login', outcome: 'denied', method: 'oidc', reason: expect.stringMatching(/./), ...place },
    ]);
  });

  it('is refused to a user with more to remember than a cookie should', async () => {
    provider.user = { sub: 'joe', name: 'x'.repeat(16_384), email: 'joe@example.com', email_verified: true };
    await expectPage(await logIn(site, 'told'), 403, 'may not log in here');
    provider.user = { ...provider.user, name: 'x'.repeat(16_000) };
    expect((await logIn(site, 'told')).status).toBe(303);
  });

  it('at two providers with one sub is the login of two users', async () => {
    await logIn(site, 'id');
    const one = await whoIs();
    visitor = new Visitor();
    await logIn(site, 'deaf');
    expect([one?.authid, (await whoIs())?.authid]).toEqual(['id:joe', 'deaf:joe']);
  });
});

describe('the browser comes back', () => {
  it('a second time: the login is over', async () => {
    const callback = await comeBack();
    expect((await visitor.get(callback)).status).toBe(303);
    visitor = new Visitor();
    await expectPage(await visitor.get(callback), 400, STALE);
  });

  it('a second time with the transaction still there: the code is spent', async () => {
    const callback = await comeBack();
    const cookie = visitor.header(callback);
    expect((await visitor.get(callback)).status).toBe(303);
    visitor = new Visitor();
    await expectPage(await visitor.get(callback, { Cookie: cookie }), 400, NOT_GOOD);
  });

  it('with the state of somebody else, of another browser, or none', async () => {
    const callback = new URL(await comeBack());
    const own = visitor;
    visitor = new Visitor();
    await expectPage(await visitor.get(callback.href), 400, STALE);
    await comeBack();
    await expectPage(await visitor.get(callback.href), 400, STALE);
    visitor = own;
    callback.searchParams.set('state', 'x');
    await expectPage(await visitor.get(callback.href), 400, STALE);
    callback.searchParams.delete('state');
    await expectPage(await visitor.get(callback.href), 400, STALE);
    expect(provider.requests).not.toContain('POST /token');
  });

  it('with a transaction that somebody changed', async () => {
    const callback = await comeBack();
    const header = visitor.header(callback);
    const changed = header.replace(/.$/, header.endsWith('A') ? 'Q' : 'A');
    await expectPage(await visitor.get(callback, { Cookie: changed }), 400, STALE);
  });

  it('too late', async () => {
    const callback = await comeBack();
    clock.offsetMs = 600_000;
    await expectPage(await visitor.get(callback), 400, STALE);
  });

  it('at another provider', async () => {
    const callback = await comeBack();
    const elsewhere = callback.replace('/login/id/', '/login/deaf/');
    await expectPage(await visitor.get(elsewhere, { Cookie: visitor.header(callback) }), 400, STALE);
  });

  it('the page has a link with which it works', async () => {
    const callback = await comeBack(site, 'id', '?return_to=/page');
    provider.answers.set('/token', () => ({ status: 400, body: { error: 'invalid_grant' } }));
    const body = await expectPage(await visitor.get(callback), 400, NOT_GOOD);
    const [, link = ''] = /href="([^"]+)"/.exec(body) ?? [];
    expect(link).toBe('/login/id/start?return_to=%2Fpage');
    provider.answers.clear();
    const again = await visitor.followUntil(`${site.origin}${link}`, site.url('id/callback'));
    expect((await visitor.get(again)).headers.get('location')).toBe(`${site.origin}/page`);
  });

  it('in seven tabs: the five newest work', async () => {
    const callbacks: string[] = [];
    for (let tab = 0; tab < 7; tab++) callbacks.push(await comeBack());
    const statuses: number[] = [];
    for (const callback of callbacks) statuses.push((await visitor.get(callback)).status);
    expect(statuses).toEqual([400, 400, 303, 303, 303, 303, 303]);
  });

  it('as an image, a frame or a page that is only looked at ahead: nothing happens', async () => {
    const callback = await comeBack();
    for (const headers of [
      { 'Sec-Fetch-Dest': 'image' },
      { 'Sec-Fetch-Dest': 'iframe' },
      { 'Sec-Fetch-Dest': 'empty' },
      { 'Sec-Purpose': 'prefetch' },
    ]) {
      expect((await visitor.get(callback, headers)).status).toBe(403);
      expect((await visitor.get(site.url('id/start'), headers)).status).toBe(403);
    }
    expect((await visitor.send(callback, { method: 'HEAD' })).status).toBe(405);
    expect((await visitor.send(callback, { method: 'POST' })).headers.get('allow')).toBe('GET');
    expect(provider.requests).not.toContain('POST /token');
    expect((await visitor.get(callback, { 'Sec-Fetch-Dest': 'document' })).status).toBe(303);
  });
});

describe('the provider says no', () => {
  it('the user cancels: the page learns a word, and nothing else', async () => {
    provider.cancels = true;
    const callback = await comeBack(site, 'id', '?return_to=/page');
    expect(callback).toContain('error_description');
    const response = await visitor.get(callback);
    expect([response.status, response.headers.get('location')]).toEqual([
      303,
      `${site.origin}/page?login_error=access_denied`,
    ]);
    expect(await whoIs()).toBeUndefined();
    expect(visitor.cookies('127.0.0.1', 'cblogin_')).toEqual([]);
    expect(site.audited()).toEqual([
      { ...AUDITED, outcome: 'denied', reason: expect.stringContaining('access_denied') },
    ]);
  });

  it('nobody is logged in there, and nobody may be asked', async () => {
    const response = await logIn(site, 'silent');
    expect(response.headers.get('location')).toBe(`${site.origin}/?login_error=login_required`);
  });

  it('without a state, or with one that is not of this browser, the page learns nothing', async () => {
    await expectPage(await visitor.get(site.url('id/callback?error=access_denied')), 400, STALE);
    await expectPage(await visitor.get(site.url('id/callback?error=access_denied&state=x')), 400, STALE);
  });
});

describe('an ID token', () => {
  const now = (): number => Math.floor(Date.now() / 1000);

  it.each<[string, (nonce: string | undefined) => JWTPayload]>([
    ['of another client', (nonce) => provider.claims({ nonce, aud: 'somebody' })],
    [
      'of two clients, for the other one',
      (nonce) => provider.claims({ nonce, aud: [CLIENT_ID, 'somebody'], azp: 'somebody' }),
    ],
    ['of another issuer', (nonce) => provider.claims({ nonce, iss: 'https://evil.example' })],
    ['of another login', () => provider.claims({ nonce: 'x' })],
    ['without a nonce', () => provider.claims()],
    ['that has expired', (nonce) => provider.claims({ nonce, iat: now() - 600, exp: now() - 60 })],
    ['without an end', (nonce) => ({ ...provider.claims({ nonce }), exp: undefined as never })],
    ['of nobody', (nonce) => ({ ...provider.claims({ nonce }), sub: undefined as never })],
    ['with a number for a name', (nonce) => provider.claims({ nonce, sub: 1 as never })],
    ['that is a logout token', () => provider.claims({ jti: 'x', events: LOGOUT_EVENT })],
  ])('%s is refused', async (_what, claims) => {
    provider.forge(claims);
    await expectPage(await logIn(), 400, NOT_GOOD);
  });

  it('with an empty name is of nobody', async () => {
    provider.forge((nonce) => provider.claims({ nonce, sub: '' }));
    const { status } = await logIn();
    expect([400, 403]).toContain(status);
    expect(await whoIs()).toBeUndefined();
  });

  it('signed by a stranger is refused', async () => {
    provider.forge((nonce) => provider.claims({ nonce }), (await generateKeyPair('RS256')).privateKey);
    await expectPage(await logIn(), 400, NOT_GOOD);
  });

  it.each(['none', 'HS256'])('with the algorithm %s is refused', async (alg) => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    provider.answers.set('/token', () => {
      const claims = provider.claims({ nonce: provider.lastQuery.get('nonce') ?? '' });
      return {
        body: {
          access_token: 'x',
          token_type: 'Bearer',
          id_token: `${part({ alg })}.${part(claims)}.${alg === 'none' ? '' : 'eA'}`,
        },
      };
    });
    await expectPage(await logIn(), 400, NOT_GOOD);
  });

  it('that is missing is refused', async () => {
    provider.answers.set('/token', () => ({ body: { access_token: 'x', token_type: 'Bearer' } }));
    await expectPage(await logIn(), 400, NOT_GOOD);
  });

  it('of the same provider is taken, so the others were refused for what they are', async () => {
    provider.forge((nonce) => provider.claims({ nonce }));
    expect((await logIn()).status).toBe(303);
  });
});

describe('a mix-up of providers', () => {
  it.each([
    ['the callback names another provider', (url: URL) => url.searchParams.set('iss', 'https://evil.example')],
    ['the callback names none, although it should', (url: URL) => url.searchParams.delete('iss')],
  ])('%s', async (_what, change) => {
    const callback = new URL(await comeBack());
    change(callback);
    await expectPage(await visitor.get(callback.href), 400, NOT_GOOD);
    expect(provider.requests).not.toContain('POST /token');
  });
});

describe('a provider in trouble', () => {
  const METADATA = '/.well-known/openid-configuration';

  it.each<[string, Answer]>([
    ['that is down', 'cut'],
    ['that hangs', 'hang'],
    ['that fails', { status: 500, body: 'oops' }],
    ['that calls itself something else', { body: { issuer: 'https://evil.example' } }],
    ['that answers with a page', { headers: { 'Content-Type': 'text/html' }, body: '<html>' }],
    ['that redirects', { status: 302, headers: { Location: 'https://evil.example/' } }],
    ['that never ends', { body: 'x'.repeat(300_000) }],
  ])('%s: a page says so, and it works when the provider does', async (_what, answer) => {
    const one = await siteWith({ timeout: 300 });
    provider.answers.set(METADATA, () => answer);
    const response = await visitor.get(one.url('id/start?return_to=/page'));
    expect(response.headers.get('retry-after')).toBe('10');
    const body = await expectPage(response, 503, AWAY);
    expect(body).toContain('/login/id/start?return_to=%2Fpage');
    provider.answers.clear();
    clock.offsetMs = 5000;
    expect((await logIn(one)).status).toBe(303);
  });

  it('is not asked again and again', async () => {
    const one = await siteWith({});
    provider.answers.set(METADATA, () => ({ status: 500 }));
    await Promise.all(Array.from({ length: 20 }, () => visitor.get(one.url('id/start'))));
    expect(provider.requests).toEqual([`GET ${METADATA}`]);
  });

  it.each<[string, string, Answer]>([
    ['when the code is exchanged', '/token', { status: 500 }],
    ['when the code is exchanged, and hangs', '/token', 'hang'],
    ['when its keys are asked for', '/jwks', { status: 503 }],
    ['when its keys are asked for, and they never end', '/jwks', { body: { keys: 'x'.repeat(300_000) } }],
  ])('fails %s', async (_what, path, answer) => {
    const one = await siteWith({ timeout: 300 });
    const callback = await comeBack(one);
    provider.answers.set(path, () => answer);
    await expectPage(await visitor.get(callback), 503, AWAY);
  });

  it('has new keys: one login fails, with a page on which to try again, and no stranger gets in', async () => {
    const other = await OpenIdProvider.start();
    const one = await LoginSite.start({ providers: () => ({ id: oidcConfig(other.issuer) }) });
    more.push(one);
    other.serve({ redirect_uris: [one.url('id/callback')] });
    expect((await logIn(one)).status).toBe(303);
    visitor = new Visitor();
    await other.rotateKeys();
    await expectPage(await logIn(one), 400, 'Try again');
    await other.close();
  });
});

describe('the way back to the site', () => {
  it.each([
    ['/page', '/page'],
    ['/.//evil.example', '/evil.example'],
    ['/x/..//evil.example', '/evil.example'],
    ['/%2e/%2e//evil.example', '/evil.example'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example/', '/'],
    ['javascript:alert(1)', '/'],
    [`/${'x'.repeat(2048)}`, '/'],
  ])('%s', async (asked, expected) => {
    const response = await logIn(site, 'id', `?return_to=${encodeURIComponent(asked)}`);
    expect(response.headers.get('location')).toBe(`${site.origin}${expected}`);
  });
});

describe('a logout at the provider', () => {
  const claims = (more: JWTPayload): JWTPayload => {
    const iat = Math.floor(Date.now() / 1000);
    return {
      iss: provider.issuer,
      aud: CLIENT_ID,
      iat,
      exp: iat + 60,
      jti: `${Math.random()}`,
      events: LOGOUT_EVENT,
      ...more,
    };
  };
  const post = (token: string, name = 'id'): Promise<Response> =>
    new Visitor().send(site.url(`${name}/backchannel`), {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
    });
  const tell = async (more: JWTPayload, name = 'id'): Promise<number> =>
    (await post(await provider.sign(claims(more), { typ: 'logout+jwt' }), name)).status;
  const loggedIn = async (): Promise<string> => (await whoIs())?.source?.sid ?? '';

  it('ends the login of that session, and no other', async () => {
    await logIn();
    const sid = await loggedIn();
    const [login] = site.audited();
    expect(await tell({ sid: 'of nobody', sub: 'joe' })).toBe(200);
    expect(await loggedIn()).toBe(sid);
    // Logins without a session, from other tests, are of that user, too.
    expect(site.audited().filter(({ cookie }) => cookie === login?.['cookie'])).toEqual([]);
    expect(await tell({ sid })).toBe(200);
    expect(await whoIs()).toBeUndefined();
    const place = { event: 'logout', path: '/login/id/backchannel', actor: 'provider id' };
    expect(site.audited()).toEqual([{ ...AUDITED, ...JOE, ...place, cookie: login?.['cookie'] }]);
    expect(await tell({ sid })).toBe(200);
    expect(site.audited()).toEqual([]);
  });

  it('ends all logins of the user where it names no session', async () => {
    await logIn();
    expect(await tell({ sub: 'somebody' })).toBe(200);
    expect(await whoIs()).toBeDefined();
    expect(await tell({ sub: 'joe' })).toBe(200);
    expect(await whoIs()).toBeUndefined();
  });

  it('does not end logins of another provider with the same issuer', async () => {
    await logIn(site, 'told').catch(() => undefined);
    await logIn(site, 'id');
    expect(await tell({ sub: 'joe' }, 'recent')).toBe(200);
    expect(await whoIs()).toBeDefined();
  });

  it.each<[string, (good: JWTPayload) => JWTPayload, string?]>([
    ['the wrong typ', (good) => good, 'JWT'],
    ['a nonce', (good) => ({ ...good, nonce: 'x' })],
    ['no event', (good) => ({ ...good, events: {} })],
    ['an old iat', (good) => ({ ...good, iat: (good.iat ?? 0) - 200 })],
    ['another audience', (good) => ({ ...good, aud: 'somebody' })],
    ['another issuer', (good) => ({ ...good, iss: 'https://evil.example' })],
  ])('with %s is refused, and nothing ends', async (_what, change, typ = 'logout+jwt') => {
    await logIn();
    const token = await provider.sign(change(claims({ sub: 'joe' })), { typ });
    const response = await post(token);
    expect([response.status, response.headers.get('cache-control')]).toEqual([400, 'no-store']);
    expect(await response.json()).toMatchObject({ error: 'invalid_request' });
    expect(await whoIs()).toBeDefined();
    expect(site.audited()).toMatchObject([{ event: 'login', outcome: 'ok' }]);
  });

  it('is taken once', async () => {
    const token = await provider.sign(claims({ sub: 'joe' }), { typ: 'logout+jwt' });
    expect([(await post(token)).status, (await post(token)).status]).toEqual([200, 400]);
  });

  it('comes as a form with one token', async () => {
    const url = site.url('id/backchannel');
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const send = async (init: RequestInit): Promise<number> =>
      (await visitor.send(url, { method: 'POST', ...init })).status;
    expect(await send({ body: 'x=y', headers: form })).toBe(400);
    expect(await send({ body: 'logout_token=a&logout_token=b', headers: form })).toBe(400);
    expect(await send({ body: '{}', headers: { 'Content-Type': 'application/json' } })).toBe(415);
    expect(await send({ body: `logout_token=${'x'.repeat(9000)}`, headers: form })).toBe(413);
    expect((await visitor.get(url)).status).toBe(405);
    expect(
      (await visitor.send(site.url('deaf/backchannel'), { method: 'POST', body: 'x', headers: form })).status,
    ).toBe(404);
  });

  it('cannot be checked while the keys cannot be had', async () => {
    const one = await siteWith({});
    provider.answers.set('/jwks', () => ({ status: 500 }));
    const body = new URLSearchParams({
      logout_token: await provider.sign(claims({ sub: 'joe' }), { typ: 'logout+jwt' }),
    });
    const response = await visitor.send(one.url('id/backchannel'), { method: 'POST', body });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '30']);
  });
});

describe('a login that was made', () => {
  it('counts as long as the provider would make it', async () => {
    await logIn();
    const login = await whoIs();
    if (login === undefined) throw new Error('nobody is logged in');
    expect(site.providers.faultOf(login)).toBeUndefined();
    const faultWith = async (providers: ProvidersConfig): Promise<string | undefined> => {
      const other = await LoginSite.start({ providers: () => providers });
      more.push(other);
      return other.providers.faultOf(login);
    };
    const same = oidcConfig(provider.issuer);
    expect(await faultWith({ id: same })).toBeUndefined();
    expect(await faultWith({ id: { ...same, client_secret: 'a new one' } })).toBeUndefined();
    expect(await faultWith({ other: same })).toBe('no such method');
    expect(await faultWith({ id: oidcConfig('https://id.example.com') })).toBe('another credential');
    expect(await faultWith({ id: { ...same, client_id: 'another' } })).toBe('another credential');
    expect(await faultWith({ id: { ...same, role: 'guest' } })).toBe('no such principal');
    expect(await faultWith({ id: { ...same, authid_prefix: 'x:' } })).toBe('no such principal');
  });

  it('leads to a logout there, too, where the config says so', async () => {
    await logIn();
    const login = await whoIs();
    if (login === undefined) throw new Error('nobody is logged in');
    expect(await site.providers.logoutUrl?.(login)).toBeUndefined();
    const one = await siteWith({ end_session: true });
    const url = new URL((await one.providers.logoutUrl?.(login)) ?? '');
    expect(`${url.origin}${url.pathname}`).toBe(`${provider.issuer}/session/end`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: CLIENT_ID,
      post_logout_redirect_uri: `${one.origin}/`,
    });
    const other = await siteWith({ end_session: true, timeout: 300 });
    provider.answers.set('/.well-known/openid-configuration', () => 'cut');
    expect(await other.providers.logoutUrl?.(login)).toBeUndefined();
  });
});

describe('strangers', () => {
  it('who begin 10,000 logins leave nothing behind', async () => {
    await visitor.get(site.url('id/start'));
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const start = async (): Promise<void> => {
      const { request, res } = openExchange({ mount: '/login', rest: '/id/start' });
      await site.providers.handle(request, res);
      expect(res.statusCode).toBe(303);
    };
    const kept = async (count: number): Promise<number> => {
      for (let each = 0; each < count; each++) await start();
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = await kept(1000);
    const after = await kept(10_000);
    // Less than 100 bytes for each: a transaction has more than 300.
    expect(after - before).toBeLessThan(1_000_000);
    expect(provider.requests.filter((each) => each.includes('well-known'))).toEqual([]);
  });

  it('find nothing at other paths', async () => {
    for (const path of ['id', 'id/', 'id/start/', 'id/other', 'nobody/start', 'constructor/start', '__proto__/start']) {
      expect((await visitor.get(site.url(path))).status).toBe(404);
    }
  });

  it('see no secret in what is answered', async () => {
    const callback = await comeBack();
    provider.answers.set('/token', () => ({ status: 400, body: { error: 'x', error_description: CLIENT_SECRET } }));
    const body = await expectPage(await visitor.get(callback), 400, NOT_GOOD);
    for (const secret of [CLIENT_SECRET, new URL(callback).searchParams.get('code') ?? 'no code', ...SECRETS]) {
      expect(body).not.toContain(secret);
    }
  });
});
