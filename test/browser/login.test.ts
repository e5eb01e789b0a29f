/** A login in a real browser: WAMP-CRA once, then the cookie, until somebody logs out. */
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AUTOBAHN_PAGE_PATHS, AutobahnPage, launchBrowser, onlyCookie } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { nodeConfig, openRealm } from '../support/node-config.js';

const SECRET = 'a secret for joe';
const JOE = { authmethods: ['wampcra'], authid: 'joe', secret: SECRET } as const;
const BY_COOKIE = { authmethods: ['cookie', 'anonymous'] } as const;
const LOGOUT = 'wamp.close.logout';

const CONFIG = nodeConfig({
  realms: [openRealm('realm1')],
  paths: AUTOBAHN_PAGE_PATHS,
  transport: { endpoint: { type: 'tcp', port: '$PORT', interface: '127.0.0.1' } },
  websocket: {
    cookie: { store: { type: 'file', filename: 'cookies.dat' } },
    auth: {
      cookie: {},
      anonymous: { type: 'static' },
      wampcra: { type: 'static', users: { joe: { secret: SECRET, role: 'anonymous' } } },
    },
  },
});

let browser: Browser;
let daemon: Daemon;
let context: BrowserContext;

beforeAll(async () => {
  browser = await launchBrowser();
  daemon = await startDaemon({ config: CONFIG });
});

afterAll(async () => {
  await browser.close();
  await daemon.dispose();
});

beforeEach(async () => {
  context = await browser.newContext();
});

afterEach(() => context.close());

describe('after a login with WAMP-CRA', () => {
  test('a reload, another tab, a restart and a kill -9 of the node let in by the cookie, without a challenge', async () => {
    const tab = await AutobahnPage.join(context, daemon.url(), JOE);
    expect(tab.joined).toMatchObject({ authid: 'joe', authmethod: 'wampcra', authprovider: 'static', challenges: 1 });

    const known = { authid: 'joe', authmethod: 'wampcra', authprovider: 'cookie', challenges: 0 };
    expect(await tab.reload(BY_COOKIE)).toMatchObject(known);
    const second = await AutobahnPage.join(context, daemon.url(), BY_COOKIE);
    expect(second.joined).toMatchObject(known);

    daemon = await daemon.restart();
    expect(await tab.nextJoin()).toMatchObject(known);
    await daemon.kill();
    daemon = await daemon.restart();
    expect(await tab.nextJoin()).toMatchObject(known);
  });

  test('the browser gets another cookie with its next request, and stays who it is; the old one is nobody later', async () => {
    const visitor = await AutobahnPage.join(context, daemon.url(), BY_COOKIE);
    expect(visitor.joined.authrole).toBe('anonymous');
    const before = await onlyCookie(context);
    expect(visitor.joined.authid).not.toBe(before.value);

    expect(await visitor.reload(JOE)).toMatchObject({ authid: 'joe' });
    expect((await onlyCookie(context)).value).toBe(before.value);
    expect(await visitor.reload(BY_COOKIE)).toMatchObject({ authid: 'joe', authprovider: 'cookie' });
    const after = await onlyCookie(context);
    expect(after.value).not.toBe(before.value);
    expect(await visitor.reload(BY_COOKIE)).toMatchObject({ authid: 'joe', authprovider: 'cookie' });
    expect((await onlyCookie(context)).value).toBe(after.value);
  });

  test('another browser is nobody', async () => {
    await AutobahnPage.join(context, daemon.url(), JOE);
    const other = await browser.newContext();
    const { joined } = await AutobahnPage.join(other, daemon.url(), BY_COOKIE);
    expect(joined.authmethod).toBe('anonymous');
    await other.close();
  });
});

describe('a logout', () => {
  test('in one tab ends the other, and stays after a kill -9, also for a copy of the cookie', async () => {
    const tab = await AutobahnPage.join(context, daemon.url(), JOE);
    await tab.reload(BY_COOKIE);
    const second = await AutobahnPage.join(context, daemon.url(), BY_COOKIE);
    expect(second.joined.authid).toBe('joe');
    const copy = await onlyCookie(context);

    await tab.leave(LOGOUT);
    expect(await second.nextEnd()).toBe(LOGOUT);
    for (const each of [tab, second]) expect((await each.nextJoin()).authmethod).toBe('anonymous');

    await daemon.kill();
    daemon = await daemon.restart();
    for (const each of [tab, second]) expect((await each.nextJoin()).authmethod).toBe('anonymous');
    await context.addCookies([copy]);
    expect((await tab.reload(BY_COOKIE)).authmethod).toBe('anonymous');
    expect((await onlyCookie(context)).value).not.toBe(copy.value);
  });
});

describe('a page of a foreign host', () => {
  test('cannot open a WebSocket: 403', async () => {
    await AutobahnPage.join(context, daemon.url(), JOE);
    // The same node and the same page, but another host for the browser.
    const page = await context.newPage();
    const told: string[] = [];
    page.on('console', (line) => told.push(line.text()));
    await page.goto(daemon.url().replace('127.0.0.1', 'foreign.localhost'));
    const code = await page.evaluate<number>(`new Promise((resolve) => {
      const socket = new WebSocket('${daemon.url('/ws', 'ws')}', 'wamp.2.json');
      socket.onclose = ({ code }) => resolve(code);
    })`);
    expect(code).toBe(1006);
    await expect.poll(() => told.join('\n')).toContain('403');
  });
});
