/** A login at a provider of plain OAuth 2.0, which is no provider of OpenID Connect: GitHub. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LoginSite, oauth2Config } from '../support/login-site.js';
import { OAuth2Server } from '../support/oauth2-server.js';
import type { TokenAnswer } from '../support/oauth2-server.js';
import { Visitor } from '../support/visitor.js';

let server: OAuth2Server;
let site: LoginSite;
let visitor: Visitor;

beforeAll(async () => {
  server = await OAuth2Server.start();
  const providers = () => ({
    github: oauth2Config(server.origin, { timeout: 500, extra: { login: 'login' } }),
    named: oauth2Config(server.origin, { timeout: 500, issuer: 'https://github.example' }),
    public: oauth2Config(server.origin, { client_authentication: 'none', client_secret: undefined as never }),
  });
  site = await LoginSite.start({ providers });
});
afterAll(async () => {
  await site.stop();
  await server.close();
});

beforeEach(() => {
  visitor = new Visitor();
  server.user = { id: 583_231, login: 'octocat' };
  server.tokenAnswer = 'json';
  server.userStatus = 200;
  server.issuer = undefined;
  site.audited();
});

async function logIn(name = 'github'): Promise<Response> {
  return visitor.get(await visitor.followUntil(site.url(`${name}/start`), site.url(`${name}/callback`)));
}

/** What every entry of a login that came to nothing has. */
const FAILED = {
  event: 'login',
  method: 'oauth2',
  provider: 'github',
  path: '/login/github/callback',
  transport: 'http',
};

const whoIs = () => site.whoIs(visitor.header(site.origin));

describe('a login at a provider of OAuth 2.0', () => {
  it('has the number of the account for its authid', async () => {
    expect((await logIn()).status).toBe(303);
    expect(await whoIs()).toMatchObject({
      authid: 'github:583231',
      authmethod: 'oauth2',
      authextra: { login: 'octocat' },
      source: { provider: 'github', issuer: `${server.origin}/login/oauth/authorize`, subject: '583231' },
    });
    expect(server.lastUserHeaders).toMatchObject({
      accept: 'application/json',
      'user-agent': expect.stringMatching(/./),
    });
  });

  it('is of the same user when the account has another name, and of another one who took the name', async () => {
    await logIn();
    const before = await whoIs();
    visitor = new Visitor();
    server.user = { id: 583_231, login: 'renamed' };
    await logIn();
    expect((await whoIs())?.authid).toBe(before?.authid);
    visitor = new Visitor();
    server.user = { id: 999, login: 'octocat' };
    await logIn();
    expect((await whoIs())?.authid).toBe('github:999');
  });

  it('is in the audit log with who vouched, and without token and code', async () => {
    await logIn();
    const [entry, ...others] = site.audited();
    expect(others).toEqual([]);
    expect(entry).toEqual({
      time: expect.stringMatching(/Z$/),
      ...{ event: 'login', outcome: 'ok', realm: 'realm1', authid: 'github:583231', role: 'member' },
      ...{ method: 'oauth2', provider: 'github', transport: 'http', path: '/login/github/callback' },
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      cookie: expect.stringMatching(/^[\w-]{16}$/),
    });
  });

  it.each<[string, unknown]>([
    ['without an id', { login: 'octocat' }],
    ['with an empty id', { id: '' }],
    ['with a list', { id: [1] }],
    ['with null', { id: null }],
  ])('is refused to an account %s', async (_what, user) => {
    server.user = user;
    expect((await logIn()).status).toBe(403);
    expect(await whoIs()).toBeUndefined();
    expect(site.audited()).toMatchObject([{ ...FAILED, outcome: 'denied', reason: expect.stringMatching(/./) }]);
  });

  it.each<[TokenAnswer, number]>([
    ['error with 200', 400],
    ['form', 400],
    ['page', 503],
    ['hang', 503],
  ])('comes to nothing when the answer is: %s', async (answer, status) => {
    server.tokenAnswer = answer;
    const response = await logIn();
    expect([response.status, await response.text()]).toEqual([status, expect.not.stringContaining('code-')]);
    expect(await whoIs()).toBeUndefined();
    const entries = site.audited();
    expect(entries).toMatchObject([{ ...FAILED, outcome: status === 503 ? 'failed' : 'denied' }]);
    expect(JSON.stringify(entries)).not.toContain('code-');
  });

  it.each<[string, unknown, number]>([
    ['fails', {}, 500],
    ['does not know the token', {}, 404],
    ['answers with a list', [], 200],
    ['answers with a page', '<html>', 200],
  ])('comes to nothing when the userinfo %s', async (_what, user, status) => {
    server.user = user;
    server.userStatus = status;
    expect((await logIn()).status).toBe(503);
    expect(await whoIs()).toBeUndefined();
  });

  it('is bound to the browser by PKCE and state: the code of somebody else is of no use', async () => {
    const own = new URL(await visitor.followUntil(site.url('github/start'), site.url('github/callback')));
    const other = new Visitor();
    const foreign = new URL(await other.followUntil(site.url('github/start'), site.url('github/callback')));
    own.searchParams.set('code', foreign.searchParams.get('code') ?? '');
    expect((await visitor.get(own.href)).status).toBe(400);
    expect(await whoIs()).toBeUndefined();
  });

  it('takes an issuer that it cannot compare, and refuses one that is another', async () => {
    server.issuer = 'https://github.example';
    expect((await logIn('github')).status).toBe(303);
    visitor = new Visitor();
    expect((await logIn('named')).status).toBe(303);
    visitor = new Visitor();
    server.issuer = 'https://evil.example';
    expect((await logIn('named')).status).toBe(400);
    expect(await whoIs()).toBeUndefined();
  });

  it('proves who the node is', async () => {
    expect((await logIn('public')).status).toBe(400);
  });

  it('has no back channel', async () => {
    expect((await visitor.send(site.url('github/backchannel'), { method: 'POST' })).status).toBe(404);
  });
});
