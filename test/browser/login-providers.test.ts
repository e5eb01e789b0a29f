/**
 * A login at an OpenID provider in a real browser, with the real daemon: the provider is on `localhost`, the node on `127.0.0.1`, which
 * are two sites.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AUTOBAHN_PAGE_PATHS, AutobahnPage, launchBrowser } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { ALLOW_ALL, nodeConfig } from '../support/node-config.js';
import { CLIENT_ID, CLIENT_SECRET, OpenIdProvider } from '../support/openid-provider.js';
import { freePorts } from '../support/ports.js';

const COOKIE_SECRET = 'a secret of the cookies';
/** Three letters alone may stand in any id. */
const A_JWT = /eyJ[\w-]*\.eyJ/;
const BY_COOKIE = { authmethods: ['cookie', 'anonymous'] } as const;
const AS_JOE = { authid: 'id:joe', authrole: 'member', authmethod: 'oidc', authprovider: 'cookie' };

let browser: Browser;
let provider: OpenIdProvider;
let daemon: Daemon;
let visitor: BrowserContext;
/** Codes, states and other secrets that went over the wire. */
const secrets = new Set<string>();
/** What the daemons before this one wrote. */
const outputs: string[] = [];

function configOf(origin: string, port: number, names: readonly string[] = ['id', 'silent']): object {
  const id = {
    type: 'oidc',
    issuer: provider.issuer,
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
    role: 'member',
    end_session: true,
  };
  const all = { id, silent: { ...id, prompt: 'none' } };
  const providers = Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
  return nodeConfig({
    realms: [
      {
        name: 'realm1',
        roles: [
          { name: 'anonymous', permissions: ALLOW_ALL },
          { name: 'member', permissions: ALLOW_ALL },
        ],
      },
    ],
    transport: {
      endpoint: { type: 'tcp', port, interface: '127.0.0.1' },
      cookie: { store: { type: 'file', filename: 'cookies.dat' }, secrets: [COOKIE_SECRET] },
    },
    websocket: { auth: { cookie: {}, anonymous: { type: 'static' } } },
    paths: {
      ...AUTOBAHN_PAGE_PATHS,
      login: {
        type: 'login',
        realm: 'realm1',
        public_url: origin,
        providers,
      },
    },
  });
}

beforeAll(async () => {
  [browser, provider] = await Promise.all([launchBrowser(), OpenIdProvider.start()]);
  const [port = 0] = await freePorts(1);
  const origin = `http://127.0.0.1:${port}`;
  provider.serve({
    redirect_uris: [`${origin}/login/id/callback`, `${origin}/login/silent/callback`],
    post_logout_redirect_uris: [`${origin}/`],
    backchannel_logout_uri: `${origin}/login/id/backchannel`,
    backchannel_logout_session_required: true,
  });
  daemon = await startDaemon({ config: configOf(origin, port) });
});
afterAll(async () => {
  await browser.close();
  await daemon.dispose();
  await provider.close();
});

beforeEach(async () => {
  provider.cancels = false;
  visitor = await newVisitor();
});
afterEach(() => visitor.close());

async function restart(providers?: readonly string[]): Promise<void> {
  const before = daemon;
  daemon = await daemon.restart({ config: configOf(`http://127.0.0.1:${daemon.port}`, daemon.port, providers) });
  outputs.push(before.output);
}

async function newVisitor(): Promise<BrowserContext> {
  const context = await browser.newContext();
  context.on('request', (request) => {
    for (const [name, value] of new URL(request.url()).searchParams)
      if (/^(code|state|nonce|code_challenge)$/.test(name)) secrets.add(value);
  });
  return context;
}

/** A page of the node, whose WebSocket is open. */
async function join(context = visitor): Promise<AutobahnPage & { readonly joined: object }> {
  return AutobahnPage.join(context, daemon.url(), BY_COOKIE);
}

/** Through the provider, and back to a page. @returns what the page is in WAMP. */
async function logIn(context = visitor): Promise<AutobahnPage & { readonly joined: object }> {
  const page = await context.newPage();
  await page.goto(daemon.url('/login/id/start?return_to=/'));
  expect(page.url()).toBe(daemon.url('/'));
  await page.close();
  return join(context);
}

/** To the provider, and to the callback, which is not asked for. @returns its URL. */
async function comeBack(page: Page, name = 'id'): Promise<string> {
  provider.holdsBack = true;
  await page.goto(daemon.url(`/login/${name}/start?return_to=/`));
  provider.holdsBack = false;
  const url = (await page.getAttribute('a', 'href')) ?? '';
  expect(url).toContain(daemon.url(`/login/${name}/callback?`));
  return url;
}

describe('a login at a provider on another site', () => {
  it('leads back to the page, which is in the realm as that user', async () => {
    expect((await logIn()).joined).toMatchObject(AS_JOE);
    const page = await visitor.newPage();
    await page.goto(daemon.url('/login/id/start?return_to=/?there'));
    expect(page.url()).toBe(daemon.url('/?there'));
  });

  it('leaves a planted cookie anonymous, and ends its sessions', async () => {
    const planter = await newVisitor();
    const thief = await join(planter);
    await visitor.addCookies(await planter.cookies());
    const open = await join();
    const before = await visitor.cookies();
    const ended = [thief.nextEnd(), open.nextEnd()];
    expect((await logIn()).joined).toMatchObject(AS_JOE);
    expect(await Promise.all(ended)).toEqual(['wamp.close.logout', 'wamp.close.logout']);
    expect(await open.nextJoin()).toMatchObject(AS_JOE);
    expect(await thief.nextJoin()).toMatchObject({ authmethod: 'anonymous' });
    expect((await visitor.cookies()).map(({ value }) => value)).not.toContain(before[0]?.value);
    await planter.close();
  });

  it('works in seven tabs at once, but for the two oldest', async () => {
    const pages = [];
    for (let tab = 0; tab < 7; tab++) {
      const page = await visitor.newPage();
      pages.push({ page, callback: await comeBack(page) });
    }
    const titles: string[] = [];
    for (const { page, callback } of pages) {
      await page.goto(callback);
      titles.push(await page.title());
    }
    const [late, good] = ['Not logged in', 'autobahn in a page'];
    expect(titles).toEqual([late, late, good, good, good, good, good]);
  });

  it('goes on when the node was restarted meanwhile', async () => {
    const page = await visitor.newPage();
    const callback = await comeBack(page);
    await restart();
    await page.goto(callback);
    expect((await join()).joined).toMatchObject(AS_JOE);
  });

  it('does not happen a second time, and the way back in the history leads past it', async () => {
    const page = await visitor.newPage();
    await page.goto(daemon.url('/?before'));
    const callback = await comeBack(page);
    await page.goto(callback);
    expect(page.url()).toBe(daemon.url('/'));
    const exchanges = provider.requests.filter((each) => each === 'POST /token').length;
    await page.goBack();
    expect(page.url()).not.toContain('callback');
    expect(provider.requests.filter((each) => each === 'POST /token')).toHaveLength(exchanges);
    await page.goto(callback);
    expect(await page.title()).toBe('Not logged in');
    expect((await join()).joined).toMatchObject(AS_JOE);
  });

  it('of another browser is of no use (login CSRF)', async () => {
    const page = await visitor.newPage();
    const callback = await comeBack(page);
    const victim = await newVisitor();
    const other = await victim.newPage();
    await other.goto(callback);
    expect(await other.title()).toBe('Not logged in');
    expect((await join(victim)).joined).toMatchObject({ authmethod: 'anonymous' });
    await victim.close();
  });

  it('does not happen in an image or a frame, of this site or another one', async () => {
    const page = await visitor.newPage();
    const callback = await comeBack(page);
    const load = (tag: string, url: string): Promise<unknown> =>
      page.evaluate(
        `new Promise((done) => { const it = document.createElement(${JSON.stringify(tag)}); it.onload = it.onerror = done; it.src = ${JSON.stringify(url)}; document.body.append(it); })`,
      );
    for (const site of [daemon.url('/?frames'), `${provider.issuer}/.well-known/openid-configuration`]) {
      await page.goto(site);
      for (const tag of ['img', 'iframe']) await load(tag, callback);
    }
    expect((await join()).joined).toMatchObject({ authmethod: 'anonymous' });
    await page.goto(callback);
    expect((await join()).joined).toMatchObject(AS_JOE);
  });

  it('is cancelled: the page learns it, and nothing else', async () => {
    provider.cancels = true;
    const page = await visitor.newPage();
    await page.goto(daemon.url('/login/id/start?return_to=/'));
    expect(page.url()).toBe(daemon.url('/?login_error=access_denied'));
    await page.goto(daemon.url('/login/silent/start?return_to=/'));
    expect(page.url()).toBe(daemon.url('/?login_error=login_required'));
    expect((await join()).joined).toMatchObject({ authmethod: 'anonymous' });
  });
});

describe('a logout', () => {
  it('at the provider ends the session of the page', async () => {
    const open = await logIn();
    const ended = open.nextEnd();
    const page = await visitor.newPage();
    await page.goto(`${provider.issuer}/session/end`);
    await page.click('button[value=yes]');
    expect(await ended).toBe('wamp.close.logout');
    expect(await open.nextJoin()).toMatchObject({ authmethod: 'anonymous' });
  });

  it('here leads to the provider, and back', async () => {
    const open = await logIn();
    const ended = open.nextEnd();
    const answer = await open.page.evaluate<{ logout_url: string }>(
      `fetch('/login/logout', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' }).then((response) => response.json())`,
    );
    expect(answer).toEqual({ authid: null, logout_url: expect.stringContaining(`${provider.issuer}/session/end?`) });
    expect(await ended).toBe('wamp.close.logout');
    const page = await visitor.newPage();
    await page.goto(answer.logout_url);
    await page.click('button[value=yes]');
    await page.waitForURL(daemon.url('/'));
    await page.goto(daemon.url('/login/silent/start?return_to=/'));
    expect(page.url()).toBe(daemon.url('/?login_error=login_required'));
  });
});

describe('a provider that is not in the config any more', () => {
  it('lets nobody in, and what it let in is anonymous', async () => {
    const page = await logIn();
    expect(page.joined).toMatchObject(AS_JOE);
    await restart(['silent']);
    expect(await page.nextJoin()).toMatchObject({ authmethod: 'anonymous' });
    expect((await fetch(daemon.url('/login/id/start'))).status).toBe(404);
    await restart();
  });
});

describe('what was secret', () => {
  it('is not in the log or the store', async () => {
    await logIn();
    expect(secrets.size).toBeGreaterThan(10);
    const store = readFileSync(path.join(daemon.cbdir, 'cookies.dat'), 'utf8');
    const sids = [...store.matchAll(/"sid": ?"([^"]+)"/g)].map(([, sid = '']) => sid);
    expect(sids.length).toBeGreaterThan(0);
    for (const secret of [...secrets, CLIENT_SECRET, COOKIE_SECRET]) expect(store).not.toContain(secret);
    expect(store).not.toMatch(A_JWT);
    const output = [...outputs, daemon.output].join('');
    expect(output).toContain('browser logged in');
    for (const secret of [...secrets, ...sids, CLIENT_SECRET, COOKIE_SECRET]) expect(output).not.toContain(secret);
    expect(output).not.toMatch(A_JWT);
  });
});
