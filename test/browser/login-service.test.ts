/**
 * The service `login` in Chromium: what its pages and those of others send, cell by cell, and what comes of it. Then a login with
 * `fetch`, and a session by the cookie.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AUTOBAHN_PAGE_PATHS, AutobahnPage, launchBrowser, onlyCookie } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { nodeConfig, openRealm } from '../support/node-config.js';

const TICKET = 'ticket of joe';
const CREDENTIALS = JSON.stringify({ authid: 'joe', ticket: TICKET });
const TICKETS = { type: 'static', principals: { joe: { ticket: TICKET, role: 'anonymous' } } };
const LOGIN = { type: 'login', realm: 'realm1', auth: { ticket: TICKETS } };
const BY_COOKIE = { authmethods: ['cookie', 'anonymous'] } as const;

let browser: Browser;
let daemon: Daemon;
/** Serves empty pages, under whatever name it is asked by. */
let elsewhere: Server;
let context: BrowserContext;

beforeAll(async () => {
  elsewhere = createServer((_req, res) =>
    res.setHeader('Content-Type', 'text/html').end('<!doctype html><title>page</title>'),
  );
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  browser = await launchBrowser();
  daemon = await startDaemon({
    config: nodeConfig({
      realms: [openRealm('realm1')],
      transport: { cookie: {}, options: { access_log: true } },
      websocket: { auth: { cookie: {}, anonymous: { type: 'static' } } },
      paths: {
        ...AUTOBAHN_PAGE_PATHS,
        login: LOGIN,
        forms: { ...LOGIN, options: { forms: true, return_to: '/?done' } },
        sandboxed: { ...LOGIN, options: { forms: true } },
        shared: { ...LOGIN, options: { allowed_origins: [`http://127.0.0.1:${elsewherePort()}`] } },
      },
    }),
  });
});
afterAll(async () => {
  await browser.close();
  await daemon.dispose();
  elsewhere.close();
});

beforeEach(async () => {
  context = await browser.newContext();
});
afterEach(() => context.close());

function elsewherePort(): number {
  return (elsewhere.address() as AddressInfo).port;
}

async function pageAt(url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** As whom the browser is logged in, asked from a page of the node. */
async function whoami(): Promise<unknown> {
  const page = await pageAt(daemon.url('/login/whoami'));
  const { authid } = JSON.parse((await page.textContent('body')) ?? '') as { authid: unknown };
  await page.close();
  return authid;
}

async function logIn(): Promise<void> {
  const page = await pageAt(daemon.url());
  expect(await post(page, daemon.url('/login'), 'application/json')).toBe('200');
  expect(await whoami()).toBe('joe');
  await page.close();
}

/** What a script of the page gets: a status, `sent` for an answer that it may not read, `blocked` for none. */
async function post(page: Page, url: string, type: string | null, mode = 'cors', body = CREDENTIALS): Promise<string> {
  const request = { url, type, mode, body };
  return page.evaluate<string>(`(async ({ url, type, mode, body }) => {
    const headers = type === null ? {} : { 'Content-Type': type };
    // A Blob without type: the browser adds none.
    const init = { method: 'POST', credentials: 'include', mode, headers, body: type === null ? new Blob([body]) : body };
    try {
      const answer = await fetch(url, init);
      return answer.type === 'opaque' ? 'sent' : String(answer.status);
    } catch {
      return 'blocked';
    }
  })(${JSON.stringify(request)})`);
}

/** Posts a form, at the top of the tab. @returns the status of the page that follows. */
async function submit(page: Page, action: string, policy = ''): Promise<number> {
  const answered = page.waitForResponse((response) => response.request().method() === 'POST');
  await page.evaluate(`(() => {
    document.body.innerHTML = '<meta name="referrer" content="${policy}"><form method="post" action="${action}">'
      + '<input name="authid" value="joe"><input name="ticket" value="${TICKET}"></form>';
    document.forms[0].submit();
  })()`);
  return (await answered).status();
}

/** What comes to the node while `act` runs, as far as its log says that it was refused. */
const refusals = (): number => daemon.output.split('HTTP request refused').length - 1;

describe('a page of the node', () => {
  test('logs in with JSON, and with nothing else', async () => {
    const page = await pageAt(daemon.url());
    for (const type of ['text/plain', null, 'application/x-www-form-urlencoded']) {
      expect(await post(page, daemon.url('/login'), type)).toBe('415');
    }
    expect(await submit(page, daemon.url('/login'))).toBe(415);
    expect(await whoami()).toBeNull();
    await logIn();
  });

  test('logs in with a form where that is switched on, also if it hides where it is', async () => {
    for (const policy of ['', 'no-referrer']) {
      await context.clearCookies();
      const page = await pageAt(daemon.url());
      expect(await submit(page, daemon.url('/forms'), policy)).toBe(303);
      await page.waitForURL('**/?done');
      expect(await whoami()).toBe('joe');
    }
  });
});

describe.each([
  ['another port of the host', () => `http://127.0.0.1:${elsewherePort()}/`],
  ['another site', () => `http://localhost:${elsewherePort()}/`],
])('a page of %s', (_where, url) => {
  test('neither logs its visitor in nor out, in whatever form it posts', async () => {
    await logIn();
    const page = await pageAt(url());
    for (const path of ['/login', '/login/logout', '/forms', '/forms/logout']) {
      const target = daemon.url(path);
      // A preflight, which gets no answer that allows it.
      expect(await post(page, target, 'application/json')).toBe('blocked');
      // These arrive, and are refused.
      expect(await post(page, target, 'text/plain', 'no-cors')).toBe('sent');
      expect(await post(page, target, null, 'no-cors')).toBe('sent');
      expect(await post(page, target, 'application/x-www-form-urlencoded', 'no-cors')).toBe('sent');
    }
    expect(refusals()).toBeGreaterThan(0);
    for (const path of ['/forms', '/forms/logout']) {
      const tab = await pageAt(url());
      expect(await submit(tab, daemon.url(path))).toBe(403);
    }
    expect(await whoami()).toBe('joe');
  });
});

describe('a page in a sandbox', () => {
  test('neither logs its visitor in nor out', async () => {
    await logIn();
    const page = await pageAt(daemon.url());
    const refused = daemon.waitForLog(
      ({ msg, method, path, status }) =>
        msg === 'request' && [method, path, status].join(' ') === 'POST /sandboxed/logout 403',
    );
    const inside = `<form method="post" action="${daemon.url('/sandboxed/logout')}"></form>
      <script>document.forms[0].submit()</script>`;
    await page.evaluate(`(() => {
      const frame = document.createElement('iframe');
      frame.setAttribute('sandbox', 'allow-scripts allow-forms');
      frame.srcdoc = ${JSON.stringify(inside)};
      document.body.append(frame);
    })()`);
    await refused;
    expect(await whoami()).toBe('joe');
  });
});

describe('a page of another origin that the config names', () => {
  test('logs its visitor in, after a preflight, and reads the answer; the cookie is one of the host', async () => {
    const page = await pageAt(`http://127.0.0.1:${elsewherePort()}/`);
    expect(await post(page, daemon.url('/shared'), 'application/json')).toBe('200');
    expect(await whoami()).toBe('joe');
    expect(await post(page, daemon.url('/shared/logout'), 'application/json', 'cors', '{}')).toBe('200');
    expect(await whoami()).toBeNull();
    // Named is the origin, not the host.
    const other = await pageAt(`http://localhost:${elsewherePort()}/`);
    expect(await post(other, daemon.url('/shared'), 'application/json')).toBe('blocked');
  });
});

describe('a login with fetch', () => {
  test('makes the sessions of all tabs those of the user, and the logout ends them', async () => {
    const first = await AutobahnPage.join(context, daemon.url(), BY_COOKIE);
    const stranger = await onlyCookie(context);
    expect(first.joined.authmethod).toBe('anonymous');
    expect(await post(first.page, daemon.url('/login'), 'application/json')).toBe('200');
    // The tab of the stranger ends, opens again, and is logged in.
    expect(await first.nextEnd()).toBe('wamp.close.logout');
    const cookie = await onlyCookie(context);
    expect(cookie.value).not.toBe(stranger.value);
    expect([cookie.httpOnly, cookie.sameSite, cookie.path]).toEqual([true, 'Lax', '/']);
    const second = await AutobahnPage.join(context, daemon.url(), BY_COOKIE);
    expect(second.joined).toMatchObject({ authid: 'joe', authmethod: 'ticket', authprovider: 'cookie' });
    expect(await first.reload(BY_COOKIE)).toMatchObject({ authid: 'joe' });
    expect((await onlyCookie(context)).value).toBe(cookie.value);

    expect(await post(second.page, daemon.url('/login/logout'), 'application/json', 'cors', '{}')).toBe('200');
    expect([await first.nextEnd(), await second.nextEnd()]).toEqual(['wamp.close.logout', 'wamp.close.logout']);
    expect(await second.reload(BY_COOKIE)).toMatchObject({ authmethod: 'anonymous' });
  });
});
