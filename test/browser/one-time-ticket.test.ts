/**
 * One-time tickets in a real browser: a page gets them from the application that it belongs to, which is a small program here, and
 * joins by each way that a page has. Then its network is lost.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AUTOBAHN_PAGE_PATHS, AutobahnPage, Relay, launchBrowser } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { ALLOW_ALL, nodeConfig } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';

const DENIED = 'wamp.error.not_authorized';
const CONFIG = nodeConfig({
  realms: [
    {
      name: 'realm1',
      roles: [
        { name: 'backend', permissions: [{ uri: 'crossbar.ticket.issue', allow: { call: true } }] },
        { name: 'member', permissions: ALLOW_ALL },
      ],
    },
  ],
  paths: {
    ...AUTOBAHN_PAGE_PATHS,
    backend: { type: 'websocket', auth: { anonymous: { type: 'static', role: 'backend' } } },
  },
  websocket: { auth: { one_time: { from: ['challenge', 'authextra', 'query', 'subprotocol'] } }, cookie: {} },
});

let browser: Browser;
let daemon: Daemon;
let application: Server;
let ticketUrl: string;
let context: BrowserContext;
/** Between the browser and the node. */
let relay: Relay;
const issued: string[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  daemon = await startDaemon({ config: CONFIG, args: ['--loglevel', 'trace'] });
  relay = await Relay.to(daemon.port);
  const program = await WampClient.join(daemon.url('/backend', 'ws'));
  // The application knows by its own means who the user is.
  application = createServer((req, res) => {
    const user = { authid: 'joe', role: 'member', origin: req.headers.origin };
    program.send([48, issued.length + 1, {}, 'crossbar.ticket.issue', [], user]);
    void program.next().then((answer) => {
      const [result] = answer[3] as readonly { readonly ticket: string }[];
      issued.push(result?.ticket ?? '');
      res.setHeader('Access-Control-Allow-Origin', '*').end(JSON.stringify(result));
    });
  }).listen(0, '127.0.0.1');
  await once(application, 'listening');
  ticketUrl = `http://127.0.0.1:${(application.address() as AddressInfo).port}/ticket`;
});

afterAll(async () => {
  await browser.close();
  await relay.close();
  application.close();
  await daemon.dispose();
});

beforeEach(async () => {
  context = await browser.newContext();
});

afterEach(() => context.close());

const JOE = { authid: 'joe', authrole: 'member', authmethod: 'one_time', authprovider: 'one_time' };

/** A page with a ticket that its application gave it. */
async function pageWithTicket(): Promise<{ readonly tab: AutobahnPage; readonly ticket: string }> {
  const tab = await AutobahnPage.load(context, relay.origin);
  const ticket = await tab.page.evaluate<string>(
    `fetch('${ticketUrl}', { method: 'POST' }).then((answer) => answer.json()).then(({ ticket }) => ticket)`,
  );
  return { tab, ticket };
}

const encoded = (ticket: string): string => Buffer.from(ticket).toString('base64url');

describe('a page', () => {
  test('joins with a ticket that it fetches in onchallenge, and comes back with another one after a network loss', async () => {
    const tab = await AutobahnPage.load(context, relay.origin);
    expect(await tab.connect('realm1', { authmethods: ['ticket'], ticketUrl })).toMatchObject({
      ...JOE,
      challenges: 1,
    });
    for (const challenges of [2, 3]) {
      relay.cut();
      expect(await tab.nextEnd()).toBeNull();
      expect(await tab.nextJoin()).toMatchObject({ ...JOE, challenges });
    }
  });

  test.each([
    ['in the URL', (ticket: string) => ({ search: `?ticket=${ticket}` })],
    [
      'as a subprotocol',
      (ticket: string) => ({ protocols: [`base64url.bearer.wamp.${encoded(ticket)}`, 'wamp.2.json'] }),
    ],
    ['in authextra', (ticket: string) => ({ authmethods: ['ticket'], authextra: { ticket } })],
  ])('joins with a ticket %s, and is refused for good after a network loss', async (_way, credentialsOf) => {
    const { tab, ticket } = await pageWithTicket();
    expect(await tab.connect('realm1', credentialsOf(ticket))).toMatchObject({ ...JOE, challenges: 0 });
    relay.cut();
    expect(await tab.nextEnd()).toBeNull();
    // The library sends the same again, and again.
    for (let tries = 0; tries < 3; tries += 1) expect(await tab.nextEnd()).toBe(DENIED);
  });

  test('is told the subprotocol of WAMP, and never its ticket', async () => {
    const { tab, ticket } = await pageWithTicket();
    const name = `base64url.bearer.wamp.${encoded(ticket)}`;
    const open = (names: string) =>
      tab.page.evaluate<string>(`new Promise((resolve) => {
        const socket = new WebSocket('ws://' + location.host + '/ws', ${names});
        socket.onopen = () => resolve(socket.protocol);
        socket.onclose = ({ code }) => resolve(String(code));
      })`);
    expect(await open(JSON.stringify([name, 'wamp.2.json']))).toBe('wamp.2.json');
    expect(await open(JSON.stringify(['wamp.2.json', name]))).toBe('wamp.2.json');
    expect(await open(JSON.stringify([name]))).toBe('1006');
  });

  test('of another origin cannot use the ticket of this one, nor can this one afterwards', async () => {
    const { tab, ticket } = await pageWithTicket();
    // The same host by another port: no foreign page to the node, and another one to the ticket.
    const other = await AutobahnPage.load(context, daemon.url());
    await other.page.evaluate(`void client.open(${JSON.stringify({ realm: 'realm1', search: `?ticket=${ticket}` })})`);
    expect(await other.nextEnd()).toBe(DENIED);
    await tab.page.evaluate(`void client.open(${JSON.stringify({ realm: 'realm1', search: `?ticket=${ticket}` })})`);
    expect(await tab.nextEnd()).toBe(DENIED);
  });
});

describe('the log', () => {
  test('has no ticket at level trace', () => {
    expect(issued.length).toBeGreaterThan(6);
    const parts = issued.flatMap((ticket) => [ticket.slice(5, 20), encoded(ticket).slice(8, 30)]);
    expect(parts.filter((part) => daemon.output.includes(part))).toEqual([]);
  });
});
