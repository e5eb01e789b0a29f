/** The HTTP bridge in Chromium: what pages of this host, of one that is allowed and of a foreign one can publish. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launchBrowser } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';
import type { JoinedClient } from '../support/wamp-client.js';

const TOPIC = 'com.example.page';

let browser: Browser;
let daemon: Daemon;
/** Serves empty pages, on all addresses of this machine: `127.0.0.2` is another host than `127.0.0.1`. */
let elsewhere: Server;
let subscriber: JoinedClient;

const origin = (host: string): string => `http://${host}:${(elsewhere.address() as AddressInfo).port}`;

beforeAll(async () => {
  elsewhere = createServer((_req, res) =>
    res.setHeader('Content-Type', 'text/html').end('<!doctype html><title>x</title>'),
  );
  elsewhere.listen(0, '0.0.0.0');
  await once(elsewhere, 'listening');
  browser = await launchBrowser();
  const publisher = { type: 'publisher', realm: 'realm1', role: 'anonymous' };
  const options = { allowed_origins: ['self', origin('127.0.0.3')] };
  daemon = await startDaemon({ config: nodeConfig({ paths: { publish: { ...publisher, options } } }) });
  subscriber = await WampClient.join(daemon.url('/ws', 'ws'));
  await subscriber.ask([32, 1, {}, TOPIC]);
});
afterAll(async () => {
  await browser.close();
  await daemon.dispose();
  elsewhere.close();
});

interface Attempt {
  /** How the page sends it: a Blob without a type and a beacon need no preflight, JSON does. */
  readonly how: 'blob' | 'beacon' | 'json' | 'no-cors';
  readonly text: string;
}

/** @returns a status, `blocked` for what a page may not read, `sent` for what it never learns of. */
async function publish(page: Page, { how, text }: Attempt): Promise<string> {
  const body = JSON.stringify({ topic: TOPIC, args: [text] });
  const seen = page.waitForResponse((response) => response.request().method() === 'POST').catch(() => undefined);
  const outcome = await page.evaluate<string>(`(async ({ url, how, body }) => {
    if (how === 'beacon') return navigator.sendBeacon(url, new Blob([body])) ? 'sent' : 'blocked';
    const isJson = how === 'json';
    const headers = isJson ? { 'Content-Type': 'application/json' } : {};
    const mode = how === 'no-cors' ? 'no-cors' : 'cors';
    try {
      const answer = await fetch(url, { method: 'POST', mode, headers, body: isJson ? body : new Blob([body]) });
      return answer.type === 'opaque' ? 'sent' : String(answer.status);
    } catch {
      return 'blocked';
    }
  })(${JSON.stringify({ url: daemon.url('/publish'), how, body })})`);
  // A beacon has nobody to tell; the node has answered all the same.
  if (how === 'beacon') await seen;
  return outcome;
}

async function pageAt(url: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(url);
  return page;
}

const refusals = (): number => daemon.output.split('HTTP request refused').length - 1;

test('pages of a foreign origin publish nothing, with and without a preflight', async () => {
  const page = await pageAt(origin('127.0.0.2'));
  expect(await publish(page, { how: 'blob', text: 'foreign' })).toBe('blocked');
  expect(await publish(page, { how: 'json', text: 'foreign' })).toBe('blocked');
  expect(await publish(page, { how: 'no-cors', text: 'foreign' })).toBe('sent');
  expect(await publish(page, { how: 'beacon', text: 'foreign' })).toBe('sent');
  expect(refusals()).toBeGreaterThan(0);
  expect(daemon.output).toContain(`pages of the origin \\"${origin('127.0.0.2')}\\" may not ask this service`);
  await page.close();
  // What the next page publishes is the first that anybody hears.
  const own = await pageAt(daemon.url());
  expect(await publish(own, { how: 'json', text: 'own' })).toBe('200');
  expect((await subscriber.next())[4]).toEqual(['own']);
  await own.close();
});

test('pages of an origin that is allowed publish, and read the answer', async () => {
  const page = await pageAt(origin('127.0.0.3'));
  for (const how of ['json', 'blob'] as const) {
    expect(await publish(page, { how, text: how })).toBe('200');
    expect((await subscriber.next())[4]).toEqual([how]);
  }
  expect(await publish(page, { how: 'beacon', text: 'beacon' })).toBe('sent');
  expect((await subscriber.next())[4]).toEqual(['beacon']);
  await page.close();
});
