/**
 * Browsers that speak MQTT over WebSocket, beside those that speak WAMP: for `crossbar-ts cookies` and `crossbar.cookie.*` they are sessions of
 * their cookie.
 */
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { cookieDigest } from '../../../src/cookie/digest.js';
import { runCli, startDaemon } from '../../support/daemon.js';
import type { Daemon } from '../../support/daemon.js';
import { endTheirClients, JsClient } from '../../support/mqtt-clients.js';
import type { MqttClientOptions } from '../../support/mqtt-clients.js';
import { ALLOW_ALL, LOOPBACK, nodeConfig } from '../../support/node-config.js';
import { cookieValue, WampClient, within } from '../../support/wamp-client.js';
import type { CloseInfo, JoinedClient } from '../../support/wamp-client.js';

const TICKET = 'the ticket of joe';
const AUTH = {
  cookie: { type: 'static' },
  ticket: { type: 'static', principals: { joe: { ticket: TICKET, role: 'anonymous' } } },
  anonymous: { type: 'static', role: 'anonymous' },
};
const manage = { uri: 'crossbar.cookie.', match: 'prefix', allow: { call: true } };

const CONFIG = nodeConfig({
  realms: [
    {
      name: 'realm1',
      roles: [
        { name: 'anonymous', permissions: ALLOW_ALL },
        { name: 'operator', permissions: [...ALLOW_ALL, manage] },
      ],
    },
  ],
  transport: { cookie: { store: { type: 'file', filename: 'cookies.dat' } } },
  websocket: { auth: AUTH },
  paths: { mqtt: { type: 'mqtt', options: { realm: 'realm1', auth: AUTH } } },
  transports: [{ type: 'websocket', endpoint: LOOPBACK, auth: { anonymous: { type: 'static', role: 'operator' } } }],
});

let daemon: Daemon;
let operator: JoinedClient;
beforeAll(async () => {
  daemon = await startDaemon({ config: CONFIG });
  operator = await WampClient.join(`ws://127.0.0.1:${String(daemon.listening()[1]?.['port'])}/`);
});
afterAll(() => daemon.dispose());
afterEach(endTheirClients);

let requests = 0;
async function call(procedure: string, ...args: readonly unknown[]): Promise<unknown> {
  const answer = await operator.ask([48, ++requests, {}, procedure, args]);
  if (answer[0] !== 50) throw new Error(`expected RESULT, got ${JSON.stringify(answer)}`);
  return (answer[3] as unknown[] | undefined)?.[0];
}

interface Entry {
  readonly digest: string;
  readonly sessions: readonly number[];
}

async function cli(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(['cookies', ...args, '--cbdir', daemon.cbdir]);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

/** What `crossbar-ts cookies list` says of a cookie. */
async function listed(digest: string): Promise<object | undefined> {
  const lines = (await cli('list', '--json')).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Entry).find((one) => one.digest === digest);
}

/** mqtt.js on a WebSocket whose end is seen. */
interface Tab {
  readonly js: JsClient;
  readonly closed: Promise<CloseInfo>;
}

/** A browser that has a cookie, with a session of WAMP. */
class Browser {
  readonly wamp: JoinedClient;
  #cookie: string;

  private constructor(cookie: string, wamp: JoinedClient) {
    this.#cookie = cookie;
    this.wamp = wamp;
  }

  static async open(): Promise<Browser> {
    const wamp = await WampClient.join(daemon.url('/ws', 'ws'));
    const [line = ''] = wamp.handshake.setCookie;
    return new Browser(cookieValue(line), wamp);
  }

  get digest(): string {
    return cookieDigest(this.#cookie);
  }

  async mqtt(options: Partial<MqttClientOptions> = {}): Promise<Tab> {
    const headers = { cookie: `cbtid=${this.#cookie}` };
    let closed: Promise<CloseInfo> | undefined;
    const createWebsocket = (url: string, protocols: readonly string[]): WebSocket => {
      const ws = new WebSocket(url, [...protocols], { headers });
      closed = endOf(ws);
      // A cookie with a login gets a new id with the next handshake.
      ws.once('upgrade', ({ headers: { 'set-cookie': [line] = [] } }) => {
        if (line !== undefined) this.#cookie = cookieValue(line);
      });
      return ws;
    };
    const js = await JsClient.connect({ port: 0, ...options }, { url: daemon.url('/mqtt', 'ws'), createWebsocket });
    if (closed === undefined) throw new Error('mqtt.js has made no WebSocket');
    return { js, closed };
  }

  /** The sessions under the cookie. */
  async sessions(): Promise<readonly number[]> {
    return ((await call('crossbar.cookie.get', this.digest)) as Entry).sessions;
  }
}

async function endOf(ws: WebSocket): Promise<CloseInfo> {
  const [code, reason] = (await once(ws, 'close')) as [number, Buffer];
  return { code, reason: reason.toString() };
}

const JOE = { username: 'joe', password: TICKET };

describe('a client of MQTT', () => {
  it('is a session of its cookie, also while it is away', async () => {
    const browser = await Browser.open();
    const { js } = await browser.mqtt({ clientId: 'a', clean: false });
    const sessions = await browser.sessions();
    expect(sessions).toHaveLength(2);
    expect(sessions).toContain(browser.wamp.sessionId);
    expect(await listed(browser.digest)).toMatchObject({ sessions, authid: null });
    const ofMqtt = sessions.find((id) => id !== browser.wamp.sessionId);
    await js.leave();
    await browser.wamp.leave();
    await expect.poll(() => browser.sessions()).toEqual([ofMqtt]);
    expect(await listed(browser.digest)).toMatchObject({ sessions: [ofMqtt] });
  });

  it('that logs in is whom the cookie remembers', async () => {
    const browser = await Browser.open();
    await browser.mqtt(JOE);
    const login = { authid: 'joe', authrole: 'anonymous', authrealm: 'realm1', authmethod: 'ticket' };
    expect(await listed(browser.digest)).toMatchObject({ ...login, sessions: await browser.sessions() });
    expect(await call('crossbar.cookie.count', 'joe')).toBe(1);
    expect(await call('crossbar.cookie.list', 'joe')).toMatchObject([{ digest: browser.digest, ...login }]);
    expect(await call('crossbar.cookie.revoke', browser.digest)).toBe(true);
  });

  it.each<[string, (browser: Browser) => Promise<unknown>, unknown]>([
    ['crossbar.cookie.revoke', ({ digest }) => call('crossbar.cookie.revoke', digest), true],
    ['crossbar.cookie.revoke_by_authid', () => call('crossbar.cookie.revoke_by_authid', 'joe'), 1],
    ['crossbar-ts cookies revoke --digest', ({ digest }) => cli('revoke', '--digest', digest), '1 cookie revoked\n'],
    ['crossbar-ts cookies revoke --authid', () => cli('revoke', '--authid', 'joe'), '1 cookie revoked\n'],
  ])('is ended by %s as one of WAMP is, also while it is away', async (_what, revoke, answer) => {
    const browser = await Browser.open();
    const heir = await WampClient.join(daemon.url('/ws', 'ws'));
    await heir.ask([32, 1, {}, 'tab.gone']);
    const will = { topic: 'tab/gone', payload: 'x', qos: 1, retain: false } as const;
    const here = await browser.mqtt({ ...JOE, clientId: 'here', will });
    const away = await browser.mqtt({ ...JOE, clientId: 'away', clean: false });
    await away.js.leave();
    expect(await browser.sessions()).toHaveLength(3);

    expect(await revoke(browser)).toEqual(answer);
    const [type, { message: reason = '' }, uri] = (await browser.wamp.next()) as [number, { message?: string }, string];
    expect([type, uri]).toEqual([6, 'wamp.close.logout']);
    browser.wamp.send([6, {}, 'wamp.close.goodbye_and_out']);
    expect((await within(browser.wamp.closed, 'the end of WAMP')).code).toBe(1000);
    expect(await within(here.closed, 'the end of MQTT')).toEqual({ code: 1000, reason });
    expect((await heir.next())[0]).toBe(36);
    await heir.close();
    expect(await listed(browser.digest)).toBeUndefined();
    await expect(browser.sessions()).rejects.toThrow('crossbar.error.no_such_cookie');
    expect((await browser.mqtt({ clientId: 'away', clean: false })).js.isPresent).toBe(false);
  });

  it('is ended by the logout of WAMP, and ends nobody when it goes itself', async () => {
    const browser = await Browser.open();
    const [one, other] = [await browser.mqtt({ clientId: 'one' }), await browser.mqtt({ clientId: 'other' })];
    await one.js.leave();
    expect(await within(one.closed, 'the end of one')).toMatchObject({ code: 1000 });
    expect(await browser.sessions()).toHaveLength(2);
    browser.wamp.send([6, {}, 'wamp.close.logout']);
    expect(await within(other.closed, 'the end of the other')).toMatchObject({ code: 1000 });
  });
});
