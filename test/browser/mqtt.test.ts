/** mqtt.js in Chromium, on a page beside autobahn: both are recognised by the same cookie. */
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AUTOBAHN_PAGE_PATHS, AutobahnPage, launchBrowser, onlyCookie } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { ALLOW_ALL, nodeConfig } from '../support/node-config.js';

const LOGOUT = 'wamp.close.logout';
const TICKET = 'the ticket of joe';
const AUTH = {
  cookie: { type: 'static' },
  anonymous: { type: 'static', role: 'member' },
  ticket: { type: 'static', principals: { joe: { ticket: TICKET, role: 'member' } } },
};
const JOE = { authid: 'joe', authmethods: ['ticket'], secret: TICKET } as const;
const BY_COOKIE = { authmethods: ['cookie', 'anonymous'] } as const;

const CONFIG = nodeConfig({
  realms: [{ name: 'realm1', roles: [{ name: 'member', permissions: ALLOW_ALL }] }],
  websocket: { auth: AUTH },
  transport: {
    endpoint: { type: 'tcp', port: '$PORT', interface: '127.0.0.1' },
    cookie: { store: { type: 'file', filename: 'cookies.dat' } },
  },
  paths: {
    ...AUTOBAHN_PAGE_PATHS,
    mqttjs: { type: 'static', directory: path.resolve(import.meta.dirname, '../../node_modules/mqtt/dist') },
    mqtt: { type: 'mqtt', options: { realm: 'realm1', auth: AUTH } },
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

/** mqtt.js in a page, which connects again and again. */
class MqttPage {
  readonly tab: AutobahnPage;

  private constructor(tab: AutobahnPage) {
    this.tab = tab;
  }

  static async load(): Promise<MqttPage> {
    const tab = await AutobahnPage.load(context, daemon.url());
    await tab.page.addScriptTag({ url: '/mqttjs/mqtt.min.js' });
    return new MqttPage(tab);
  }

  get #page(): Page {
    return this.tab.page;
  }

  /** Resolves with CONNACK, or the code by which it is refused. */
  async connect(options: object = {}): Promise<string> {
    const all = { clientId: 'page', reconnectPeriod: 50, ...options };
    return this.#page.evaluate<string>(`new Promise((resolve) => {
      globalThis.got = [];
      globalThis.closes = 0;
      globalThis.device = mqtt.connect(${JSON.stringify(daemon.url('/mqtt', 'ws'))}, ${JSON.stringify(all)});
      device.on('connect', ({ sessionPresent }) => resolve(sessionPresent ? 'present' : 'new'));
      device.on('error', ({ code }) => { resolve('refused ' + code); device.end(true); });
      device.on('close', () => { closes += 1; });
      device.on('message', (topic, payload) => got.push(topic + ' ' + payload));
    })`);
  }

  async subscribe(filter: string): Promise<void> {
    await this.#page.evaluate(`device.subscribeAsync(${JSON.stringify(filter)}, { qos: 1 }).then(() => true)`);
  }

  async publish(topic: string, text: string, qos: number): Promise<void> {
    await this.#page.evaluate(
      `device.publishAsync(${JSON.stringify(topic)}, ${JSON.stringify(text)}, { qos: ${qos} }).then(() => true)`,
    );
  }

  async got(): Promise<readonly string[]> {
    return this.#page.evaluate('got');
  }

  async closes(): Promise<number> {
    return this.#page.evaluate('closes');
  }

  async end(): Promise<void> {
    await this.#page.evaluate('device.endAsync(true).then(() => true)');
  }
}

/** The sessions of MQTT, as a session of WAMP sees them. Who is let in by a cookie is what the login was that the cookie remembers. */
async function devices(tab: AutobahnPage) {
  const { args } = await tab.call('wamp.session.list');
  const found: { readonly authid: string; readonly authmethod: string; readonly transport: object }[] = [];
  for (const id of args[0] as readonly number[]) {
    const outcome = await tab.call('wamp.session.get', [id]);
    const session = outcome.args[0] as { authid: string; authmethod: string; transport: { channel_framing: string } };
    if (session.transport.channel_framing === 'mqtt') found.push(session);
  }
  return found;
}

const who = async (tab: AutobahnPage) => (await devices(tab)).map(({ authid, authmethod }) => ({ authid, authmethod }));

describe('mqtt.js', () => {
  test('talks with autobahn on the same page, with every QoS', async () => {
    const page = await MqttPage.load();
    await page.tab.connect();
    await page.tab.subscribe('from.mqtt');
    expect(await page.connect()).toBe('new');
    await page.subscribe('from/#');
    for (const qos of [0, 1, 2]) {
      await page.publish('from/mqtt', `qos ${qos}`, qos);
      expect((await page.tab.nextEvent()).topic).toBe('from.mqtt');
    }
    await page.tab.publish('from.wamp', ['hello']);
    await expect.poll(() => page.got()).toEqual([...[0, 1, 2].map((qos) => `from/mqtt qos ${qos}`), 'from/wamp hello']);
    await page.end();
  });

  test('sends megabytes at once, which are all acknowledged', async () => {
    const page = await MqttPage.load();
    await page.connect();
    const acknowledged = await page.tab.page.evaluate<number>(`Promise.all(Array.from({ length: 8 }, (_, n) =>
      device.publishAsync('large', String(n).padEnd(1000000), { qos: 1 }))).then(({ length }) => length)`);
    expect(acknowledged).toBe(8);
    expect(await page.closes()).toBe(0);
    await page.end();
  });
});

describe('a page with mqtt.js', () => {
  test('has the cookie of autobahn, and the same authid, also after a restart of the node', async () => {
    const page = await MqttPage.load();
    const { authid } = await page.tab.connect('realm1', BY_COOKIE);
    const { value } = await onlyCookie(context);
    expect(await page.connect()).toBe('new');
    expect(await who(page.tab)).toEqual([{ authid, authmethod: 'anonymous' }]);
    expect(await onlyCookie(context)).toMatchObject({ value });

    const closes = await page.closes();
    daemon = await daemon.restart();
    expect(await page.tab.nextJoin()).toMatchObject({ authid });
    await expect.poll(() => page.closes()).toBeGreaterThan(closes);
    await expect.poll(() => who(page.tab)).toEqual([{ authid, authmethod: 'anonymous' }]);
    expect(await onlyCookie(context)).toMatchObject({ value });
    await page.end();
  });

  test('is let in by the login of autobahn, and out by its logout', async () => {
    const page = await MqttPage.load();
    await page.tab.connect('realm1', JOE);
    expect(await page.connect()).toBe('new');
    expect(await who(page.tab)).toEqual([{ authid: 'joe', authmethod: 'ticket' }]);
    const closes = await page.closes();
    await page.tab.leave(LOGOUT);
    await expect.poll(() => page.closes()).toBeGreaterThan(closes);
    const other = await browser.newContext();
    const watcher = await AutobahnPage.join(other, daemon.url());
    await expect.poll(async () => (await who(watcher)).map(({ authmethod }) => authmethod)).toEqual(['anonymous']);
    await page.end();
    await other.close();
  });

  test('that is away, kept with its messages, ends with the logout, too', async () => {
    const page = await MqttPage.load();
    await page.tab.connect('realm1', JOE);
    await page.connect({ clean: false });
    await page.subscribe('kept');
    await page.end();
    expect(await page.connect({ clean: false })).toBe('present');
    await page.end();
    const other = await browser.newContext();
    const watcher = await AutobahnPage.join(other, daemon.url());
    expect(await who(watcher)).toEqual([{ authid: 'joe', authmethod: 'ticket' }]);
    await page.tab.leave(LOGOUT);
    await expect.poll(() => who(watcher)).toEqual([]);
    await other.close();
  });

  test('logs in itself, and autobahn comes in by the cookie', async () => {
    const page = await MqttPage.load();
    expect(await page.connect({ username: 'joe', password: 'wrong' })).toBe('refused 4');
    expect(await page.connect({ username: 'joe', password: TICKET })).toBe('new');
    expect(await page.tab.connect('realm1', BY_COOKIE)).toMatchObject({ authid: 'joe', authmethod: 'ticket' });
    await page.end();
  });

  test('of a foreign host cannot connect: 403', async () => {
    const page = await context.newPage();
    const told: string[] = [];
    page.on('console', (line) => told.push(line.text()));
    await page.goto(daemon.url().replace('127.0.0.1', 'foreign.localhost'));
    const code = await page.evaluate<number>(`new Promise((resolve) => {
      const socket = new WebSocket('${daemon.url('/mqtt', 'ws')}', 'mqtt');
      socket.onclose = ({ code }) => resolve(code);
    })`);
    expect(code).toBe(1006);
    await expect.poll(() => told.join('\n')).toContain('403');
  });
});
