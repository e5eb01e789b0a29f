/** The cookie as a real browser sees it, and the identity that hangs on it. */
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AUTOBAHN_PAGE_PATHS, AutobahnPage, launchChromium, onlyCookie, Relay } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';

const FILE_STORE = { type: 'file', filename: 'cookies.dat' } as const;
const BASE64_24 = /^[A-Za-z0-9+/]{24}$/;
const DAY_S = 86_400;

let browser: Browser;
const cleanups: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser.close());

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A node that serves the autobahn page; it comes back on the same port after a restart. */
async function startNode(websocket: object, transport: object = {}): Promise<Daemon> {
  const endpoint = { type: 'tcp', port: '$PORT', interface: '127.0.0.1' };
  const config = nodeConfig({ websocket, paths: AUTOBAHN_PAGE_PATHS, transport: { endpoint, ...transport } });
  const daemon = await startDaemon({ config });
  cleanups.push(() => daemon.dispose());
  return daemon;
}

async function restart(daemon: Daemon): Promise<Daemon> {
  const next = await daemon.restart();
  cleanups.push(() => next.dispose());
  return next;
}

/** A fresh browser profile. */
async function newVisitor(): Promise<BrowserContext> {
  const context = await browser.newContext();
  cleanups.push(() => context.close());
  return context;
}

describe('the first visit', () => {
  test('gets a cookie with the default name, length, lifetime and flags, and its value as authid', async () => {
    const daemon = await startNode({ cookie: { store: FILE_STORE } });
    const visitor = await newVisitor();
    const before = Math.floor(Date.now() / 1000);
    const { joined } = await AutobahnPage.join(visitor, daemon.url());
    const after = Math.ceil(Date.now() / 1000);

    const cookie = await onlyCookie(visitor);
    expect(cookie).toMatchObject({ name: 'cbtid', path: '/', domain: '127.0.0.1' });
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax', secure: false });
    expect(cookie.value).toMatch(BASE64_24);
    expect(cookie.expires).toBeGreaterThanOrEqual(before + DAY_S);
    expect(cookie.expires).toBeLessThanOrEqual(after + DAY_S);
    expect(joined).toMatchObject({ authid: cookie.value, authrole: 'anonymous', authmethod: 'anonymous' });
  });

  test('gets a cookie with the configured name, length, lifetime and flags', async () => {
    const custom = { name: 'my_id', length: 40, max_age: 3600, same_site: 'Strict', path: '/ws', http_strict: false };
    const daemon = await startNode({ cookie: custom });
    const visitor = await newVisitor();
    const before = Math.floor(Date.now() / 1000);
    const { joined } = await AutobahnPage.join(visitor, daemon.url());
    const after = Math.ceil(Date.now() / 1000);

    const cookie = await onlyCookie(visitor);
    expect(cookie).toMatchObject({ name: 'my_id', path: '/ws', httpOnly: false, sameSite: 'Strict', secure: false });
    expect(cookie.value).toMatch(/^[A-Za-z0-9+/]{40}$/);
    expect(cookie.expires).toBeGreaterThanOrEqual(before + 3600);
    expect(cookie.expires).toBeLessThanOrEqual(after + 3600);
    expect(joined.authid).toBe(cookie.value);
  });

  test('gets the cookie with the page already, when the transport tracks plain HTTP', async () => {
    const daemon = await startNode({}, { cookie: { store: { type: 'memory' } } });
    const visitor = await newVisitor();
    const tab = await AutobahnPage.load(visitor, daemon.url());

    const { value } = await onlyCookie(visitor);
    const { authid } = await tab.connect();

    expect(authid).toBe(value);
    expect((await onlyCookie(visitor)).value).toBe(value);
  });

  test('with a made-up id gets another one: ids come from the node only', async () => {
    const daemon = await startNode({ cookie: {} });
    const visitor = await newVisitor();
    const planted = 'A'.repeat(24);
    await visitor.addCookies([{ name: 'cbtid', value: planted, url: daemon.url() }]);

    const { joined } = await AutobahnPage.join(visitor, daemon.url());

    const { value } = await onlyCookie(visitor);
    expect(value).toMatch(BASE64_24);
    expect(value).not.toBe(planted);
    expect(joined.authid).toBe(value);
  });
});

describe('scripts of the page', () => {
  test('cannot read the cookie', async () => {
    const daemon = await startNode({ cookie: {} });
    const visitor = await newVisitor();
    const tab = await AutobahnPage.join(visitor, daemon.url());

    expect((await onlyCookie(visitor)).name).toBe('cbtid');
    expect(await tab.documentCookie()).toBe('');
  });

  test('can read it only where the config allows it', async () => {
    const daemon = await startNode({ cookie: { http_only: false } });
    const visitor = await newVisitor();
    const tab = await AutobahnPage.join(visitor, daemon.url());

    expect(await tab.documentCookie()).toBe(`cbtid=${tab.joined.authid}`);
  });
});

describe('a returning browser', () => {
  test('keeps its identity when the page is reloaded', async () => {
    const daemon = await startNode({ cookie: { store: FILE_STORE } });
    const visitor = await newVisitor();
    const tab = await AutobahnPage.join(visitor, daemon.url());
    const cookie = await onlyCookie(visitor);

    const again = await tab.reload();

    expect(again.authid).toBe(tab.joined.authid);
    expect(again.sessionId).not.toBe(tab.joined.sessionId);
    expect(await onlyCookie(visitor)).toEqual(cookie);
  });

  test('keeps its identity when it reconnects after a lost connection', async () => {
    const daemon = await startNode({ cookie: { store: { type: 'memory' } } });
    const relay = await Relay.to(daemon.port);
    cleanups.push(() => relay.close());
    const visitor = await newVisitor();
    const tab = await AutobahnPage.join(visitor, relay.origin);

    relay.cut();
    const again = await tab.nextJoin();

    expect(again.authid).toBe(tab.joined.authid);
    expect(again.sessionId).not.toBe(tab.joined.sessionId);
  });

  test('keeps its identity when the node is restarted, with a file store', async () => {
    const daemon = await startNode({ cookie: { store: FILE_STORE } });
    const visitor = await newVisitor();
    const tab = await AutobahnPage.join(visitor, daemon.url());

    await restart(daemon);
    const again = await tab.nextJoin();

    expect(again.authid).toBe(tab.joined.authid);
    expect((await onlyCookie(visitor)).value).toBe(tab.joined.authid);
  });

  test('keeps its identity when the node was killed, with a file store', async () => {
    const daemon = await startNode({ cookie: { store: FILE_STORE } });
    const visitor = await newVisitor();
    const tab = await AutobahnPage.join(visitor, daemon.url());

    await daemon.kill();
    await restart(daemon);
    const again = await tab.nextJoin();

    expect(again.authid).toBe(tab.joined.authid);
  });

  test('is somebody new when the node is restarted, with a memory store', async () => {
    const daemon = await startNode({ cookie: { store: { type: 'memory' } } });
    const visitor = await newVisitor();
    const tab = await AutobahnPage.join(visitor, daemon.url());

    await restart(daemon);
    const again = await tab.nextJoin();

    expect(again.authid).toMatch(BASE64_24);
    expect(again.authid).not.toBe(tab.joined.authid);
    expect((await onlyCookie(visitor)).value).toBe(again.authid);
  });
});

describe('identities', () => {
  test('are one per browser: two tabs share it, two browsers do not', async () => {
    const daemon = await startNode({ cookie: { store: FILE_STORE } });
    const [one, other] = [await newVisitor(), await newVisitor()];
    const tab = await AutobahnPage.join(one, daemon.url());
    const secondTab = await AutobahnPage.join(one, daemon.url());
    const stranger = await AutobahnPage.join(other, daemon.url());

    expect(secondTab.joined.authid).toBe(tab.joined.authid);
    expect(secondTab.joined.sessionId).not.toBe(tab.joined.sessionId);
    expect(stranger.joined.authid).not.toBe(tab.joined.authid);
  });

  test('never stand in the log', async () => {
    const daemon = await startNode({ cookie: { store: FILE_STORE } });
    const visitor = await newVisitor();
    const tab = await AutobahnPage.join(visitor, daemon.url());
    await tab.reload();
    await daemon.stop();

    expect(daemon.output).toContain(tab.joined.authid.slice(0, 6));
    expect(daemon.output).not.toContain(tab.joined.authid);
  });
});
