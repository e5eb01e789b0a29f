/** The demo that the package comes with, as its visitors meet it: the config of `.crossbar` and the page in `web`. */
import { createHash } from 'node:crypto';
import type { Browser, BrowserContext, BrowserContextOptions } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { launchBrowser, onlyCookie } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { demoConfig, DemoTab } from '../support/demo.js';
import { WampClient } from '../support/wamp-client.js';

const STRANGER = '0123456789abcdef';
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } as const;

let browser: Browser;
let daemon: Daemon;
const contexts: BrowserContext[] = [];
/** What went wrong in any page: exceptions, refused resources, violations of the page's own content security policy. */
const complaints: string[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  daemon = await startDaemon({ config: demoConfig() });
});

afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  await daemon.dispose();
  expect(complaints.splice(0)).toEqual([]);
});

async function newVisitor(options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const context = await browser.newContext(options);
  contexts.push(context);
  return context;
}

/** Opens the demo in a new tab and waits until it is connected. */
async function open(context: BrowserContext): Promise<DemoTab> {
  return DemoTab.open(context, daemon.url(), complaints);
}

async function twoVisitors(): Promise<[DemoTab, DemoTab]> {
  return [await open(await newVisitor()), await open(await newVisitor())];
}

async function restartNode(): Promise<void> {
  daemon = await daemon.restart();
}

describe('who you are', () => {
  test('name and face stay the same when the page is reloaded and when the node is restarted', async () => {
    const tab = await open(await newVisitor());
    const name = await tab.name;
    const face = await tab.page.locator('#me-picture').innerHTML();
    expect(name).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+$/);
    await tab.see('First visit');

    await tab.page.reload();
    await tab.connected();
    await tab.see('Visit 2, recognised by your cookie.');
    expect(await tab.name).toBe(name);

    await restartNode();
    await tab.see(`Reconnected: you are still ${name}.`);
    expect(await tab.name).toBe(name);
    expect(await tab.page.locator('#me-picture').innerHTML()).toBe(face);
  });

  test('without the cookie you are somebody else, and are told so', async () => {
    const context = await newVisitor();
    const tab = await open(context);
    const face = await tab.page.locator('#me-picture').innerHTML();

    await context.clearCookies();
    await tab.page.reload();

    await tab.see('Somebody new: the cookie of last time is gone.');
    expect(await tab.page.locator('#me-picture').innerHTML()).not.toBe(face);
  });

  test('the hash behind the names is SHA-256', async () => {
    const tab = await open(await newVisitor());
    for (const text of ['', 'abc', 'ü🦊', 'x'.repeat(55), 'x'.repeat(56), 'x'.repeat(64), 'x'.repeat(1000)]) {
      const hash = await tab.page.evaluate(`import('/sha256.js').then((m) => m.sha256Hex(${JSON.stringify(text)}))`);
      expect(hash).toBe(createHash('sha256').update(text).digest('hex'));
    }
  });

  test('the cookie stays secret: not in the page, not in its storage, not in anything it publishes', async () => {
    const listener = await WampClient.join(daemon.url('/ws', 'ws'));
    await listener.ask([32, 1, {}, 'demo.presence']);
    await listener.ask([32, 2, {}, 'demo.chat']);

    const context = await newVisitor();
    const tab = await open(context);
    const { value } = await onlyCookie(context);
    const presence = JSON.stringify(await listener.next());
    await tab.say('hello');
    const chat = JSON.stringify(await listener.next());
    await tab.message('hello').waitFor();

    const html = await tab.page.content();
    const storage = await tab.page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])');
    expect(presence).toContain('"hello"');
    expect(chat).toContain('"text":"hello"');
    for (const text of [presence, chat, html, String(storage)]) expect(text).not.toContain(value);
  });
});

describe('who else is here', () => {
  test('two visitors see each other, and that one of them leaves', async () => {
    const [alice, bob] = await twoVisitors();
    const [aliceName, bobName] = [await alice.name, await bob.name];

    await alice.person(bobName).waitFor();
    await bob.person(aliceName).waitFor();

    await bob.page.close({ runBeforeUnload: true });
    await alice.person(bobName).waitFor({ state: 'detached' });
    await alice.see('Nobody else yet.');
  });

  test('two tabs of one browser are one person', async () => {
    const [alice, bob] = await twoVisitors();
    const second = await open(bob.page.context());

    expect(await second.name).toBe(await bob.name);
    await alice
      .person(await bob.name)
      .getByText('2 tabs')
      .waitFor();
    await bob.page.locator('#me-tabs').getByText('2 tabs').waitFor();
    expect(await alice.page.getByRole('button', { name: /^Wave to/ }).count()).toBe(1);

    await second.page.close({ runBeforeUnload: true });
    await alice
      .person(await bob.name)
      .getByText('1 tab', { exact: true })
      .waitFor();
  });

  test('they find each other again after a restart of the node', async () => {
    const [alice, bob] = await twoVisitors();
    await restartNode();
    await alice.see('Reconnected: you are still');
    await bob.see('Reconnected: you are still');

    // A wave may still go to the tab that he had before, which nobody has missed yet: then she is told that he has just
    // left, and waves again when he is back.
    const name = await bob.name;
    const thanks = alice.toast(`${name}: “`);
    const gone = alice.toast('they have just left');
    for (;;) {
      await alice.waveTo(name);
      await thanks.or(gone).first().waitFor();
      if (await thanks.isVisible()) break;
      await gone.waitFor({ state: 'detached' });
    }
  });
});

describe('chat', () => {
  test('a message arrives, as text and never as markup', async () => {
    const [alice, bob] = await twoVisitors();
    const nasty = '<img src=x onerror="document.title = 1"><b>bold</b>';

    await alice.say(nasty);

    await bob.message(nasty).waitFor();
    expect(await bob.page.locator('#chat-log b', { hasText: /^bold$/ }).count()).toBe(0);
    expect(await bob.page.locator('#chat-log img').count()).toBe(0);
    await bob.message(await alice.name).waitFor();
    await alice.message('You').waitFor();
    expect(await alice.page.locator('.unsent').count()).toBe(0);
  });

  test('whoever comes later reads what was said before', async () => {
    const alice = await open(await newVisitor());
    await alice.say('long ago');
    await alice.message('long ago').waitFor();

    const bob = await open(await newVisitor());
    await bob.message('long ago').waitFor();

    await bob.page.reload();
    await bob.connected();
    await bob.message('long ago').waitFor();
    expect(await bob.message('long ago').count()).toBe(1);
  });

  test('what is said while the node is away arrives when it is back', async () => {
    const [alice, bob] = await twoVisitors();
    await daemon.stop();
    await alice.see('Reconnecting…');
    await alice.say('can you hear me?');
    await alice.message('on its way…').waitFor();

    await restartNode();

    await bob.message('can you hear me?').waitFor();
    await alice.page.locator('.unsent').waitFor({ state: 'detached' });
  });
});

describe('the wave', () => {
  test('is seen by the other one, who returns thanks, and can wave back', async () => {
    const [alice, bob] = await twoVisitors();
    await alice.waveTo(await bob.name);

    const greeting = bob.toast(`${await alice.name} waves at you!`);
    await greeting.waitFor();
    await alice.toast(`${await bob.name}: “`).waitFor();

    await greeting.getByRole('button', { name: 'Wave back' }).click();
    await alice.toast(`${await bob.name} waves at you!`).waitFor();
  });

  test('a second one at once is refused by the callee, and the caller reads why', async () => {
    const [alice, bob] = await twoVisitors();
    await bob.page.clock.install(); // the first wave stays on the screen
    await alice.waveTo(await bob.name);
    await alice.toast('“').waitFor();

    await alice.waveTo(await bob.name);

    await alice.toast('did not get your wave: they are still looking at your last one.').waitFor();
  });

  test('to somebody who has gone without a word says so, and takes them off the list', async () => {
    const alice = await open(await newVisitor());
    const stranger = await WampClient.join(daemon.url('/ws', 'ws'));
    stranger.send([16, 1, {}, 'demo.presence', ['here'], { person: STRANGER, tab: String(stranger.sessionId) }]);
    const button = alice.page.getByRole('button', { name: /^Wave to/ });

    await button.click();

    await alice.toast('did not get your wave: they have just left').waitFor();
    await button.waitFor({ state: 'detached' });
  });

  test('nonsense from others is ignored', async () => {
    const alice = await open(await newVisitor());
    const stranger = await WampClient.join(daemon.url('/ws', 'ws'));
    const nonsense = [
      {},
      { person: 7, tab: '1' },
      { person: STRANGER },
      { person: '<b>', tab: '1' },
      { person: STRANGER, tab: [] },
    ];
    for (const claim of nonsense) stranger.send([16, 1, {}, 'demo.presence', ['here'], claim]);
    for (const said of [{}, { id: 'a', person: STRANGER, text: 7 }, { id: {}, person: STRANGER, text: 'no id' }]) {
      stranger.send([16, 1, {}, 'demo.chat', [], said]);
    }
    stranger.send([16, 1, {}, 'demo.chat', [], { id: 'b', person: STRANGER, text: 'something sensible' }]);

    await alice.message('something sensible').waitFor();
    expect(await alice.page.locator('.message').count()).toBe(1);
    expect(await alice.page.locator('.person').count()).toBe(0);
  });
});

describe('the page', () => {
  test.each(['light', 'dark'] as const)('fits a phone without scrolling sideways (%s)', async (colorScheme) => {
    const phone = await open(await newVisitor({ ...PHONE, colorScheme }));
    const other = await open(await newVisitor());
    await phone.person(await other.name).waitFor();
    await other.say('averylongwordwithoutanyspace'.repeat(12));
    await phone.message('averylongword').waitFor();

    expect(await phone.page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.viewport.width);
  });

  test('can be used with the keyboard alone', async () => {
    const [alice, bob] = await twoVisitors();
    await alice.person(await bob.name).waitFor();

    await alice.page.keyboard.press('Tab');
    await alice.page.locator('#log-in:focus-visible').waitFor();
    await alice.page.keyboard.press('Tab');
    await alice.page.locator('.wave:focus-visible').waitFor();
    await alice.page.keyboard.press('Enter');
    await alice.toast('“').waitFor();

    await alice.composer.focus();
    await alice.page.keyboard.type('typed');
    await alice.page.keyboard.press('Tab');
    await alice.page.keyboard.press('Space');
    await bob.message('typed').waitFor();
  });

  test('does not jump while it comes up and while others come and go', async () => {
    const context = await newVisitor();
    await context.addInitScript(`
      globalThis.shifts = [];
      new PerformanceObserver((list) => {
        for (const { value } of list.getEntries()) shifts.push(value);
      }).observe({ type: 'layout-shift', buffered: true });
    `);
    const tab = await open(context);
    const other = await open(await newVisitor());
    const name = await other.name;
    await tab.person(name).waitFor();
    await other.page.close({ runBeforeUnload: true });
    await tab.person(name).waitFor({ state: 'detached' });

    const total = Number(await tab.page.evaluate('shifts.reduce((sum, value) => sum + value, 0)'));
    expect(total).toBeLessThan(0.01);
  });
});
