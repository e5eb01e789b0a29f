/**
 * The page of the service `monitor` in Chromium, on a node with a thousand sessions: what an operator sees and does, what one without
 * the second permission does not, and that strangers and other pages get nowhere. `SCREENSHOTS` names a directory for pictures of it.
 */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { cookieDigest } from '../../src/cookie/digest.js';
import { launchBrowser, picture } from '../support/browser.js';
import { Certificates } from '../support/certificates.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { ALLOW_ALL, LOOPBACK, nodeConfig, openRealm } from '../support/node-config.js';
import { RawSocketClient } from '../support/rawsocket-client.js';
import { cookieValue, WampClient } from '../support/wamp-client.js';
import type { JoinedClient } from '../support/wamp-client.js';

const CROWD = 1000;
const call = { call: true };
const LOOKING = { uri: 'crossbar.monitor.', match: 'prefix', allow: call };
const ACTING = ['session', 'cookie'].map((what) => ({
  uri: `crossbar.monitor.${what}.`,
  match: 'prefix',
  allow: call,
}));
const USERS = {
  olga: { secret: 'secret of olga', role: 'operator' },
  lena: { secret: 'secret of lena', role: 'looker' },
  nora: { secret: 'secret of nora', role: 'nobody' },
};

const certificates = new Certificates(temporaryDirectory());
const TLS = { key: certificates.file('server.key'), certificate: certificates.file('server.pem') };

const CONFIG = nodeConfig({
  realms: [
    openRealm('realm1'),
    {
      name: 'operators',
      roles: [
        { name: 'operator', permissions: [LOOKING, ...ACTING] },
        { name: 'looker', permissions: [LOOKING] },
        { name: 'nobody', permissions: ALLOW_ALL },
      ],
    },
  ],
  websocket: {
    cookie: {},
    auth: {
      anonymous: { type: 'static' },
      ticket: { type: 'static', principals: { joe: { ticket: 'ticket of joe', role: 'anonymous' } } },
    },
  },
  paths: { monitor: { type: 'monitor', realm: 'operators', auth: { wampcra: { type: 'static', users: USERS } } } },
  transports: [
    { type: 'rawsocket', id: 'raw', endpoint: LOOPBACK, options: { max_unauthenticated_per_address: 100 } },
    { type: 'rawsocket', id: 'raw_tls', endpoint: { ...LOOPBACK, tls: TLS } },
  ],
});

let browser: Browser;
let daemon: Daemon;
let context: BrowserContext;
const crowd: RawSocketClient[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  daemon = await startDaemon({ config: CONFIG });
  const port = Number(daemon.listening().find(({ transport }) => transport === 'raw')?.['port']);
  while (crowd.length < CROWD) {
    crowd.push(...(await Promise.all(Array.from({ length: 50 }, () => RawSocketClient.join({ port })))));
  }
}, 120_000);
afterAll(async () => {
  for (const { wire } of crowd) wire.socket.destroy();
  await browser.close();
  await daemon.dispose();
});
afterEach(() => context.close());

/** The page keeps its WebSockets where others find them. */
const keepingSockets = async (page: Page): Promise<void> => {
  await page.addInitScript(`
    window.kept = [];
    window.WebSocket = class extends WebSocket {
      constructor(...args) { super(...args); window.kept.push(this); }
    };
  `);
};

/** @returns what the node answers to a call by the connection of the page. */
async function calledByThePage(page: Page, procedure: string, kwargs: object): Promise<unknown[]> {
  const request = 1_000_000 + Math.floor(Math.random() * 1_000_000);
  return page.evaluate<unknown[]>(
    `new Promise((resolve) => {
      const socket = window.kept.at(-1);
      socket.addEventListener('message', ({ data }) => {
        const answer = JSON.parse(data);
        if (answer[1] === ${request} || answer[2] === ${request}) resolve(answer);
      });
      socket.send(JSON.stringify([48, ${request}, {}, ${JSON.stringify(procedure)}, [], ${JSON.stringify(kwargs)}]));
    })`,
  );
}

/** The page with somebody logged in. @param prepare before anything is loaded. */
async function opened(
  user: keyof typeof USERS,
  options: Parameters<Browser['newContext']>[0] = {},
  node = daemon,
  prepare: (page: Page) => Promise<void> = () => Promise.resolve(),
): Promise<Page> {
  context = await browser.newContext(options);
  const page = await context.newPage();
  await prepare(page);
  await page.goto(node.url('/monitor'));
  await page.fill('input[name=authid]', user);
  await page.fill('input[name=secret]', USERS[user].secret);
  await page.click('text=Log in');
  return page;
}

/** A node as it is on a day: a topic that is busy, a browser that is logged in, a client that does not read. */
async function busyDay(): Promise<void> {
  const [speaker, reader, slow] = [await visitor(), await visitor(), await visitor()];
  for (const client of [reader, slow]) client.send([32, 1, {}, 'com.example.news']);
  speaker.send([32, 1, { match: 'prefix' }, 'com.example.sensors.']);
  speaker.send([64, 2, { invoke: 'roundrobin' }, 'com.example.add']);
  slow.socket.pause();
  const large = 'x'.repeat(100_000);
  for (let count = 0; count < 100; count++) speaker.send([16, 10 + count, {}, 'com.example.news', [large]]);
  const again = setInterval(() => {
    speaker.send([16, 1000, { exclude_me: false }, 'com.example.sensors.heat', [21]]);
    reader.send([48, 1000, {}, 'com.example.add', [1, 2]]);
  }, 50);
  const joe = await WampClient.connect(daemon.url('/ws', 'ws'));
  joe.send([1, 'realm1', { roles: { caller: {} }, authmethods: ['ticket'], authid: 'joe' }]);
  await joe.next();
  joe.send([5, 'ticket of joe', {}]);
  await joe.next();
  onTestFinished(async () => {
    clearInterval(again);
    await joe.drop();
  });
}

async function visitor(): Promise<JoinedClient & { readonly cookie: string }> {
  const client = await WampClient.join(daemon.url('/ws', 'ws'), 'realm1');
  onTestFinished(async () => {
    await client.drop();
  });
  return Object.assign(client, { cookie: cookieValue(client.handshake.setCookie[0] ?? '') });
}

/** Everything that the page gets by its WebSocket from now on. */
function overheard(page: Page): string[] {
  const heard: string[] = [];
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => heard.push(String(payload))));
  return heard;
}

async function searched(page: Page, list: string, text: string): Promise<void> {
  await page.click(`nav >> text=${list}`);
  await page.fill('input[type=search]', text);
}

describe('an operator', () => {
  it('sees a thousand sessions, a page at a time, and finds one', async () => {
    const page = await opened('olga');
    await page.waitForSelector('.tile >> text=/^1,001$/');
    await page.waitForFunction("document.querySelectorAll('.chart canvas').length === 3");
    await page.click('nav >> text=Sessions');
    await page.waitForSelector('.pager >> text=1–100 of 1,001');
    await page.click('text=More');
    await page.waitForSelector('.pager >> text=101–200 of 1,001');
    await page.fill('input[type=search]', 'olga');
    await page.waitForSelector('.pager >> text=1–1 of 1');
    expect(await page.textContent('tbody tr')).toContain('operator');
    await page.goBack();
    await page.waitForSelector('.tiles');
  });

  it('ends a session, once asked again', async () => {
    const [page, client] = [await opened('olga'), await visitor()];
    await searched(page, 'Sessions', String(client.sessionId));
    await page.waitForSelector('.pager >> text=1–1 of 1');
    await page.click('text=End session');
    await page.click('text=Cancel');
    await page.waitForSelector('button:focus >> text=End session');
    await page.click('text=End session');
    const ended = client.next();
    await page.click('dialog button.danger');
    expect((await ended).slice(0, 1)).toEqual([6]);
    await page.waitForSelector('.done >> text=/^Ended: 1 session\.$/');
    await page.waitForSelector('text=Nothing is found.');
    expect(await daemon.waitForLog('operator acted by the monitor')).toMatchObject({
      action: 'session.end',
      by: { realm: 'operators', authid: 'olga' },
      target: { session: client.sessionId },
    });
  });

  it('logs a browser out, and sees cookies by their digests alone', async () => {
    context = await browser.newContext();
    const page = await context.newPage();
    const heard = overheard(page);
    await page.goto(daemon.url('/monitor'));
    await page.fill('input[name=authid]', 'olga');
    await page.fill('input[name=secret]', USERS.olga.secret);
    await page.click('text=Log in');
    const client = await visitor();
    const digest = cookieDigest(client.cookie);
    for (const list of ['Sessions', 'Slow consumers', 'Topics', 'Procedures', 'Refused logins', 'Certificates']) {
      await page.click(`nav >> text=${list}`);
      await page.waitForSelector('.tools');
    }
    await page.click('nav >> text=Cookies');
    const row = page.locator('tbody tr', { hasText: digest });
    await row.waitFor();
    await row.locator('text=Log browser out').click();
    const ended = client.next();
    await page.click('dialog button.danger');
    expect(await ended).toMatchObject([6, {}, 'wamp.close.logout']);
    await row.waitFor({ state: 'detached' });
    expect(heard.join('').length).toBeGreaterThan(1000);
    expect(heard.join('')).not.toContain(client.cookie);
  });

  it('keeps what was seen while the connection is lost, and goes on with it when the node is back', async () => {
    const other = await startDaemon({ config: JSON.stringify(CONFIG).replace('"port":0', '"port":"$PORT"') });
    onTestFinished(() => other.dispose());
    const page = await opened('olga', {}, other);
    await searched(page, 'Sessions', 'olga');
    await page.waitForSelector('.pager >> text=1–1 of 1');
    const id = 'tbody tr td:nth-child(2) code';
    const session = (await page.textContent(id)) ?? '';
    await other.stop();
    await page.waitForSelector('.problem >> text=The connection to the node is lost.');
    expect(await page.textContent(id)).toBe(session);
    const again = await other.restart();
    onTestFinished(() => again.dispose());
    await page.waitForSelector('.problem', { state: 'detached' });
    // Another session of the same operator, found by the same search.
    await page.locator(id, { hasNotText: session }).waitFor();
    expect(await page.inputValue('input[type=search]')).toBe('olga');
    expect(await page.textContent('tbody tr')).toContain('operator');
    await page.click('nav >> text=Overview');
    await page.waitForSelector(`dd >> text=${again.pid}, crossbar-ts`);
  });

  it('who logs out while the node is away sees the form', async () => {
    const other = await startDaemon({ config: CONFIG });
    onTestFinished(() => other.dispose());
    const page = await opened('olga', {}, other);
    await page.waitForSelector('.tiles');
    await other.stop();
    await page.waitForSelector('.problem');
    await page.click('text=Log out');
    await page.waitForSelector('form');
    expect(await page.textContent('.problem')).toMatch(/^The node cannot be reached\./);
  });
});

describe('others', () => {
  it('without the second permission have no buttons, and the node refuses what they would do', async () => {
    const client = await visitor();
    const page = await opened('lena', {}, daemon, keepingSockets);
    await page.waitForSelector('.tiles');
    await page.click('nav >> text=Sessions');
    await page.waitForSelector('tbody tr');
    expect(await page.locator('text=End session').count()).toBe(0);
    expect(await page.locator('text=Log user out').count()).toBe(0);
    await page.click('nav >> text=Cookies');
    await page.waitForSelector('tbody tr');
    expect(await page.locator('text=Log browser out').count()).toBe(0);
    // The connection of the page itself, in the hands of who looks at it.
    const [session, digest] = [client.sessionId, cookieDigest(client.cookie)];
    for (const [procedure, kwargs] of [
      ['session.end', { session }],
      ['cookie.logout', { digest }],
      ['cookie.logout', { authid: digest, realm: 'realm1' }],
    ] as const) {
      const answer = await calledByThePage(page, `crossbar.monitor.${procedure}`, kwargs);
      expect(answer).toEqual(expect.arrayContaining([8, 48, 'wamp.error.not_authorized']));
    }
    // What only looks it may call.
    expect((await calledByThePage(page, 'crossbar.monitor.summary', {}))[0]).toBe(50);
    client.send([48, 1, {}, 'wamp.session.count']);
    expect((await client.next()).slice(0, 2)).toEqual([50, 1]);
    expect(await daemon.waitForLog('action denied')).toMatchObject({ authid: 'lena' });
    const acted = daemon.logs.filter(({ msg, target }) => {
      return msg === 'operator acted by the monitor' && JSON.stringify(target).includes(String(session));
    });
    expect(acted).toEqual([]);
  });

  it('who have not logged in get no answer by the WebSocket of the monitor', async () => {
    const stranger = await WampClient.connect(daemon.url('/monitor/ws', 'ws'));
    stranger.send([1, 'operators', { roles: { caller: {} }, authmethods: ['anonymous', 'ticket'], authid: 'olga' }]);
    expect((await stranger.next())[0]).toBe(3);
    const early = await WampClient.connect(daemon.url('/monitor/ws', 'ws'));
    early.send([48, 1, {}, 'crossbar.monitor.summary']);
    expect((await early.next())[0]).toBe(3);
    // Neither do those who may do everything in another realm.
    const other = await visitor();
    other.send([48, 1, {}, 'crossbar.monitor.summary']);
    expect(await other.next()).toEqual(expect.arrayContaining([8, 48, 1, 'wamp.error.not_authorized']));
  });

  it('without the first one see nothing', async () => {
    const page = await opened('nora');
    await page.waitForSelector('text=is not authorized to call procedure');
    expect(await page.locator('.tiles, table').count()).toBe(0);
  });

  it('who do not know the password do not get in, and are listed', async () => {
    context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(daemon.url('/monitor'));
    await page.fill('input[name=authid]', 'eve');
    await page.fill('input[name=secret]', 'guess');
    await page.click('text=Log in');
    await page.waitForSelector('.problem');
    const operator = await (await context.browser()!.newContext()).newPage();
    onTestFinished(() => operator.context().close());
    await operator.goto(daemon.url('/monitor'));
    await operator.fill('input[name=authid]', 'olga');
    await operator.fill('input[name=secret]', USERS.olga.secret);
    await operator.click('text=Log in');
    await operator.click('nav >> text=Refused logins');
    await operator.locator('tbody tr', { hasText: 'eve' }).first().waitFor();
  });

  it('as a page of another host open no WebSocket and no frame', async () => {
    context = await browser.newContext();
    const page = await context.newPage();
    // The name differs: `self` takes 127.0.0.1 and localhost for one.
    await page.route('http://evil.example/', (route) =>
      route.fulfill({ contentType: 'text/html', body: `<iframe src="${daemon.url('/monitor/')}"></iframe>` }),
    );
    await page.goto('http://evil.example/');
    const url = daemon.url('/monitor/ws', 'ws');
    const outcome = await page.evaluate(
      `new Promise((resolve) => {
        const socket = new WebSocket(${JSON.stringify(url)}, ['wamp.2.json']);
        socket.onopen = () => resolve('open');
        socket.onerror = () => resolve('refused');
      })`,
    );
    expect(outcome).toBe('refused');
    const frame = page.frames().find((each) => each !== page.mainFrame());
    expect((await frame?.locator('.login').count()) ?? 0).toBe(0);
  });
});

describe('a node in a cluster', () => {
  it('is shown as one, and a node alone is not', async () => {
    const cluster = { type: 'memory', name: 'prod', node: 'n1' };
    const clustered = await startDaemon({ config: JSON.stringify({ ...CONFIG, cluster }) });
    onTestFinished(() => clustered.dispose());
    const page = await opened('olga', {}, clustered);
    await page.waitForSelector('h2 >> text=Cluster');
    expect(await page.innerText('.overview')).toMatch(/prod\s+This node\s+n1, a member\s+Other nodes\s+none/);
    await context.close();
    const alone = await opened('olga');
    await alone.waitForSelector('.charts');
    expect(await alone.innerText('.overview')).not.toContain('Cluster');
  });
});

describe('the page', () => {
  it.each([
    ['desk', 1280, 'light'],
    ['desk', 1280, 'dark'],
    ['phone', 390, 'light'],
    ['phone', 390, 'dark'],
  ] as const)('fits on a %s (%i pixels, %s)', async (_name, width, colorScheme) => {
    const page = await opened('olga', { viewport: { width, height: 844 }, colorScheme });
    await busyDay();
    await page.waitForSelector('.tile >> text=/^1,00\\d$/');
    await page.waitForSelector('.tile >> text=/[1-9]\\d*(\\.\\d)?\\/s$/');
    for (const [index, list] of [
      ...[
        'Overview',
        'Sessions',
        'Slow consumers',
        'Topics',
        'Procedures',
        'Refused logins',
        'Cookies',
        'Certificates',
      ],
    ].entries()) {
      await page.click(`nav >> text=${list}`);
      await page.waitForSelector(list === 'Overview' ? '.charts' : '.pager, .none:not(:text("Looking"))');
      const scrolled = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      expect(scrolled, list).toBeLessThanOrEqual(0);
      const cut = "[...document.querySelectorAll('.table')].map((one) => one.scrollWidth - one.clientWidth)";
      expect(Math.max(0, ...(await page.evaluate<number[]>(cut))), list).toBe(0);
      await picture(page, `${width}-${colorScheme}-${index}-${list.split(' ')[0]}`);
    }
    // The list before this one may still stand there.
    await expect
      .poll(() => page.innerText('tbody tr'))
      .toMatch(/raw_tls[\s\S]*127\.0\.0\.1[\s\S]*CN=intermediate[\s\S]*1 day\b/);
    await page.click('nav >> text=Sessions');
    await page.locator('text=Log user out').first().click();
    await page.waitForSelector('dialog button.danger');
    await picture(page, `${width}-${colorScheme}-8-Dialog`);
  });
});
