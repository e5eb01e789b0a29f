/** autobahn's browser build in a real browser against the node: the Basic Profile as a page uses it. */
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AUTOBAHN_PAGE_PATHS, AutobahnPage, launchBrowser } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';

const PAYLOAD = [1, 'zwei', 3.5, null, true, { nested: ['ü', '🦊'] }] as const;
const KWARGS = { one: 1, more: { deep: [] } } as const;

let browser: Browser;
let daemon: Daemon;
const contexts: BrowserContext[] = [];
let alice: AutobahnPage;
let bob: AutobahnPage;

beforeAll(async () => {
  daemon = await startDaemon({ config: nodeConfig({ paths: AUTOBAHN_PAGE_PATHS, websocket: { cookie: {} } }) });
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser.close();
  await daemon.dispose();
});

beforeEach(async () => {
  alice = await newPage();
  bob = await newPage();
});

afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});

/** autobahn in a browser profile of its own, joined to the realm. */
async function newPage(): Promise<AutobahnPage> {
  const context = await browser.newContext();
  contexts.push(context);
  return AutobahnPage.join(context, daemon.url());
}

describe('publish and subscribe', () => {
  test('an event arrives with its arguments', async () => {
    await alice.subscribe('com.example.news');
    await bob.publish('com.example.news', PAYLOAD, KWARGS);

    expect(await alice.nextEvent()).toEqual({ topic: 'com.example.news', args: PAYLOAD, kwargs: KWARGS });
  });

  test('the publisher gets its own event only if it asks for it', async () => {
    await alice.subscribe('com.example.news');
    await alice.publish('com.example.news', ['not for me']);
    await alice.publish('com.example.news', ['for me too'], {}, { exclude_me: false });

    expect((await alice.nextEvent()).args).toEqual(['for me too']);
  });

  test('after unsubscribe no more events arrive', async () => {
    await alice.subscribe('com.example.news');
    await alice.subscribe('com.example.other');

    expect(await alice.unsubscribe('com.example.news')).toBe(true);
    await bob.publish('com.example.news', ['too late']);
    await bob.publish('com.example.other', ['in time']);

    expect((await alice.nextEvent()).args).toEqual(['in time']);
  });
});

describe('register and call', () => {
  test('a call is answered by the page that registered', async () => {
    await alice.register('com.example.echo', 'echo');

    expect(await bob.call('com.example.echo', PAYLOAD, KWARGS)).toEqual({ args: PAYLOAD, kwargs: KWARGS });
  });

  test('an error of the callee reaches the caller with its URI and arguments', async () => {
    await alice.register('com.example.fail', 'fail');

    const outcome = await bob.call('com.example.fail', ['not today', 7], { retry: false });

    expect(outcome).toEqual({ error: 'com.example.error.refused', args: ['not today', 7], kwargs: { retry: false } });
  });

  test('a call of nothing is an error', async () => {
    expect(await bob.call('com.example.nothing')).toMatchObject({ error: 'wamp.error.no_such_procedure' });
  });

  test('a procedure has one callee, until that one unregisters', async () => {
    await alice.register('com.example.echo', 'echo');
    await expect(bob.register('com.example.echo', 'echo')).rejects.toThrow('wamp.error.procedure_already_exists');

    await alice.unregister('com.example.echo');
    expect(await bob.call('com.example.echo')).toMatchObject({ error: 'wamp.error.no_such_procedure' });

    await bob.register('com.example.echo', 'echo');
    expect(await alice.call('com.example.echo', ['back'])).toMatchObject({ args: ['back'] });
  });

  test('a callee that closes its tab takes its procedures along', async () => {
    await alice.register('com.example.echo', 'echo');
    await alice.page.close();

    await expect.poll(() => bob.call('com.example.echo')).toMatchObject({ error: 'wamp.error.no_such_procedure' });
  });
});
