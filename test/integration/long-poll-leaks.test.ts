/**
 * What clients of long-poll leave behind that come and go as they like: nothing. Objects, descriptors and memory of the daemon are
 * counted before and after two hundred and fifty of each kind.
 */
import { Agent, request } from 'node:http';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { httpRequest } from '../support/long-poll-client.js';
import { nodeConfig } from '../support/node-config.js';

const CLIENTS = 250;
const AT_ONCE = 50;
/** Fewer places than clients: one that is not given back is missed soon. */
const PLACES = 4 * AT_ONCE;
const CLASSES = [
  ...['LongPollWire', 'Channel', 'SendOrder', 'MessageQueue', 'HttpPoll', 'HttpPost', 'CookieVisit', 'LiveCookie'],
  ...['WampConnection', 'Session', 'Opening', 'Inbox', 'Outbox', 'Subscription', 'HeldBody'],
  ...['IncomingMessage', 'WebResponse', 'Pipeline', 'Socket'],
];
/** Compiled code, caches of the engine, accounts of the log. */
const SPARE_BYTES = 4 * 1024 * 1024;

const OPEN = JSON.stringify({ protocols: ['wamp.2.json'] });
const HELLO = '[1,"realm1",{"roles":{"publisher":{},"subscriber":{}}}]';
const TOPIC = 'com.example.topic';

let daemon: Daemon;
/** How many sessions there were. */
let joined = 0;
beforeAll(async () => {
  const options = { hello_timeout: 1000, session_timeout: 3, request_timeout: 1, max_connections: PLACES };
  daemon = await startDaemon({
    probed: true,
    config: nodeConfig({ paths: { lp: { type: 'longpoll', cookie: {}, options } } }),
  });
});
afterAll(() => daemon.dispose());

/** What one client needs: a connection of its own, which it can drop. */
class Stranger {
  readonly #agent = new Agent({ keepAlive: true });

  async post(path: string, body?: string) {
    const to = { port: daemon.port, host: '127.0.0.1', method: 'POST', path: `/lp/${path}`, agent: this.#agent };
    return httpRequest(to, body);
  }

  /** As soon as there is a place. */
  async open(): Promise<string> {
    for (;;) {
      const { status, body } = await this.post('open', OPEN);
      if (status === 200) return (JSON.parse(body.toString()) as { transport: string }).transport;
      expect(status).toBe(503);
      await sleep(50);
    }
  }

  /** Who is slow, on a busy machine, is gone before: that leaves nothing behind either. */
  async join(): Promise<string> {
    const id = await this.open();
    await this.post(`${id}/send`, HELLO);
    if ((await this.post(`${id}/receive`)).status === 200) joined += 1;
    return id;
  }

  /** Begins a request, and hangs up when the node has its beginning. @param octets that are announced and do not come */
  async begin(path: string, octets: number): Promise<void> {
    const headers = octets === 0 ? {} : { 'Content-Length': octets + 1, Expect: '100-continue' };
    const to = { port: daemon.port, host: '127.0.0.1', method: 'POST', path: `/lp/${path}`, headers };
    const req = request(to);
    req.on('error', () => undefined);
    if (octets === 0) {
      req.end();
      await new Promise((resolve) => req.once('finish', resolve));
    } else {
      const goOn = new Promise((resolve) => req.once('continue', resolve).once('response', resolve));
      req.flushHeaders();
      await goOn;
      await new Promise((resolve) => req.write('[', resolve));
    }
    req.destroy();
  }

  drop(): void {
    this.#agent.destroy();
  }
}

/** Each kind of client, as it comes and goes. */
const KINDS: Readonly<Record<string, (client: Stranger) => Promise<unknown>>> = {
  'that open and vanish': (client) => client.open(),
  'that open and close': async (client) => client.post(`${await client.join()}/close`),
  'that poll and hang up': async (client) => client.begin(`${await client.join()}/receive`, 0),
  'that send half a message and hang up': async (client) => client.begin(`${await client.join()}/send`, 4000),
  'that send half a handshake and hang up': (client) => client.begin('open', 4000),
  'that do not fetch what waits for them': async (client) => {
    const id = await client.join();
    await client.post(`${id}/send`, `[32,1,{},"${TOPIC}"]`);
    await client.post(`${id}/send`, JSON.stringify([16, 2, { exclude_me: false }, TOPIC, ['x'.repeat(10_000)]]));
  },
  'whose first message is none': async (client) => client.post(`${await client.open()}/send`, 'hello?'),
};

async function crowd(count: number, act: (client: Stranger) => Promise<unknown>): Promise<void> {
  let left = count;
  const one = async (): Promise<void> => {
    while (left-- > 0) {
      const client = new Stranger();
      await act(client);
      client.drop();
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, AT_ONCE) }, one));
}

interface Held {
  readonly descriptors: number;
  readonly objects: Readonly<Record<string, number>>;
}

async function held(): Promise<Held> {
  const objects = await daemon.ask<Record<string, number>>('objects', { classes: CLASSES });
  return { objects, descriptors: descriptors() };
}

const descriptors = (): number => readdirSync(`/proc/${daemon.pid}/fd`).length;

const more = (now: Held, before: Held): readonly string[] =>
  CLASSES.filter((name) => (now.objects[name] ?? 0) > (before.objects[name] ?? 0));

/** Waits for the timeouts of those that have vanished: what never goes makes the test time out, or is in its message. */
async function settled(before: Held): Promise<void> {
  while (descriptors() > before.descriptors) await sleep(100);
  for (let left = 10; left > 0; left--) {
    if (more(await held(), before).length === 0) return;
    await sleep(1000);
  }
  expect((await held()).objects).toEqual(before.objects);
}

async function bytes(): Promise<number> {
  const { heapUsed, external } = await daemon.ask<{ heapUsed: number; external: number }>('memory');
  return heapUsed + external;
}

it('five hundred clients of each kind leave nothing behind', { timeout: 300_000 }, async () => {
  const nobody = await held();
  // Much is made once.
  for (const act of Object.values(KINDS)) await crowd(PLACES, act);
  await settled(nobody);
  const before = await bytes();
  for (const act of Object.values(KINDS)) await crowd(CLIENTS, act);
  await settled(nobody);
  expect(joined).toBeGreaterThan(CLIENTS);
  expect(Math.max(0, (await bytes()) - before - SPARE_BYTES)).toBe(0);
});
