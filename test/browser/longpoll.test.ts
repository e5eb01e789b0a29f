/** Long-poll in Chromium: autobahn in a page, without a WebSocket, and with the same cookie as with one. */
import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AUTOBAHN_PAGE_PATHS, AutobahnPage, launchBrowser, onlyCookie } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import type { Credentials } from '../support/browser.js';
import type { Daemon } from '../support/daemon.js';
import { ALLOW_ALL, nodeConfig } from '../support/node-config.js';

const TOPIC = 'com.example.topic';
const PROCEDURE = 'com.example.procedure';
const TICKET = 'the ticket of joe';
const AUTH = {
  cookie: { type: 'static' },
  anonymous: { type: 'static', role: 'member' },
  ticket: { type: 'static', principals: { joe: { ticket: TICKET, role: 'member' } } },
};

const CONFIG = nodeConfig({
  realms: [{ name: 'realm1', roles: [{ name: 'member', permissions: ALLOW_ALL }] }],
  websocket: { auth: AUTH },
  transport: {
    endpoint: { type: 'tcp', port: '$PORT', interface: '127.0.0.1' },
    cookie: { store: { type: 'file', filename: 'cookies.dat' } },
  },
  paths: {
    ...AUTOBAHN_PAGE_PATHS,
    lp: { type: 'longpoll', auth: AUTH, options: { request_timeout: 1, allowed_origins: ['self'] } },
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

const transports = () => [{ type: 'longpoll', url: daemon.url('/lp') }];
const JOE = { authid: 'joe', authmethods: ['ticket'], secret: TICKET } as const;
const BY_COOKIE = { authmethods: ['cookie'] } as const;

/** A session by long-poll, and the requests of its page. */
async function join(credentials: Credentials = {}) {
  const tab = await AutobahnPage.load(context, daemon.url());
  const requests: { readonly path: string; readonly status: number }[] = [];
  tab.page.on('response', (response) => {
    const { pathname } = new URL(response.url());
    if (pathname.startsWith('/lp/')) requests.push({ path: pathname, status: response.status() });
  });
  const joined = await tab.connect('realm1', { transports: transports(), ...credentials });
  return { tab, joined, requests };
}

async function framingOf({ tab, joined }: Awaited<ReturnType<typeof join>>): Promise<unknown> {
  const { args } = await tab.call('wamp.session.get', [joined.sessionId]);
  return (args[0] as { transport: { channel_framing: unknown } }).transport.channel_framing;
}

describe('a page without WebSockets', () => {
  test('subscribes, registers and calls', async () => {
    const [one, other] = [await join(), await join()];
    expect([await framingOf(one), await framingOf(other)]).toEqual(['longpoll', 'longpoll']);
    await one.tab.subscribe(TOPIC);
    await other.tab.publish(TOPIC, ['é', 1], { k: null });
    expect(await one.tab.nextEvent()).toEqual({ topic: TOPIC, args: ['é', 1], kwargs: { k: null } });
    await one.tab.register(PROCEDURE, 'echo');
    expect(await other.tab.call(PROCEDURE, ['x'], { y: 2 })).toEqual({ args: ['x'], kwargs: { y: 2 } });
    expect(await other.tab.call('com.example.none')).toMatchObject({ error: 'wamp.error.no_such_procedure' });
  });

  test('publishes 500 events at once, and they stay in their order', async () => {
    const [one, other] = [await join(), await join()];
    await one.tab.subscribe(TOPIC);
    await other.tab.publishMany(TOPIC, 500);
    const got = (await one.tab.nextEvents(500)).map(({ args }) => args[0]);
    expect(got).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });

  test('stays while nothing is said for longer than a request may take', async () => {
    const { tab, joined, requests } = await join();
    const quiet = () => requests.filter(({ path, status }) => path.endsWith('/receive') && status === 204).length;
    await expect.poll(quiet, { timeout: 60_000 }).toBeGreaterThanOrEqual(3);
    expect(await tab.call('wamp.session.get', [joined.sessionId])).not.toHaveProperty('error');
    expect(requests.filter(({ path }) => path.endsWith('/open'))).toHaveLength(1);
  });

  test('comes back to a node that was started again', async () => {
    const { tab, joined } = await join();
    daemon = await daemon.restart();
    const again = await tab.nextJoin();
    expect(again.sessionId).not.toBe(joined.sessionId);
    expect(again.authid).toBe(joined.authid);
    expect(await tab.call('wamp.session.count')).toMatchObject({ args: [1] });
  });
});

describe('the cookie', () => {
  test('is that of the WebSocket, also after a reload', async () => {
    const { tab, joined } = await join();
    const { authid } = joined;
    const cookie = await onlyCookie(context);
    const webSocket = await AutobahnPage.join(context, daemon.url());
    expect(webSocket.joined.authid).toBe(authid);
    expect((await tab.reload({ transports: transports() })).authid).toBe(authid);
    expect((await tab.reload()).authid).toBe(authid);
    expect(await onlyCookie(context)).toMatchObject({ value: cookie.value });
  });

  test('gets a new id by a login at once, and remembers it', async () => {
    const before = await join();
    const planted = await onlyCookie(context);
    await before.tab.page.close();
    const { tab, joined } = await join(JOE);
    expect(joined).toMatchObject({ authid: 'joe', authmethod: 'ticket', challenges: 1 });
    await expect.poll(async () => (await onlyCookie(context)).value).not.toBe(planted.value);
    const renewed = await onlyCookie(context);
    const known = { authid: 'joe', authmethod: 'ticket', authprovider: 'cookie', challenges: 0 };
    expect(await tab.reload({ ...BY_COOKIE, transports: transports() })).toMatchObject(known);
    expect(await tab.reload(BY_COOKIE)).toMatchObject(known);
    expect((await onlyCookie(context)).value).toBe(renewed.value);
  });
});

describe('a page of another host', () => {
  /** How its connection comes out, and what the browser says of it. */
  async function connectFrom(host: string): Promise<{ outcome: string; told: string }> {
    const page = await context.newPage();
    const told: string[] = [];
    page.on('console', (line) => told.push(line.text()));
    await page.goto(daemon.url().replace('127.0.0.1', host));
    const outcome = await page.evaluate<string>(`new Promise((resolve) => {
      const transports = [{ type: 'longpoll', url: '${daemon.url('/lp')}' }];
      const connection = new autobahn.Connection({ realm: 'realm1', transports });
      connection.onopen = () => resolve('open');
      connection.onclose = (reason) => (resolve(reason), true);
      connection.open();
    })`);
    return { outcome, told: told.join('\n') };
  }

  test('opens no session', async () => {
    const { outcome, told } = await connectFrom('foreign.localhost');
    expect(outcome).toBe('unreachable');
    expect(told).toContain('blocked by CORS policy');
    expect(await context.cookies(daemon.url())).toEqual([]);
    const origin = daemon.url('').replace('127.0.0.1', 'foreign.localhost');
    await daemon.waitForLog(({ msg, origin: from }) => msg === 'HTTP request refused' && from === origin);
  });

  test('opens one under another name of this machine, which is another site: without a cookie', async () => {
    expect((await connectFrom('localhost')).outcome).toBe('open');
    expect(await context.cookies(daemon.url())).toEqual([]);
  });
});

test('a page goes on with long-poll where its WebSocket is blocked, by the script in docs/http.md', async () => {
  const guide = readFileSync('docs/http.md', 'utf8');
  const [, script = ''] = /## Long-poll\n[^]*?```js\n([^]*?)```/.exec(guide) ?? [];
  const page = await context.newPage();
  await page.goto(daemon.url());
  const connectedBy = async (webSocketPath: string): Promise<string> => {
    const here = script
      .replace('ws://127.0.0.1:8080/ws', daemon.url(webSocketPath, 'ws'))
      .replace('http://127.0.0.1:8080/lp', daemon.url('/lp'));
    return page.evaluate<string>(`new Promise((resolve) => {
      const start = async (session) => {
        const { transport } = await session.call('wamp.session.get', [session.id]);
        resolve(transport.channel_framing);
      };
      ${here}
    })`);
  };
  expect(await connectedBy('/nowhere')).toBe('longpoll');
  expect(await connectedBy('/ws')).toBe('websocket');
});
