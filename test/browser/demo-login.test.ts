/** The login of the demo, as its visitors meet it: a password once, then the cookie, until somebody logs out. */
import type { Browser, BrowserContext, BrowserContextOptions } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { launchBrowser, onlyCookie } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { demoConfig, DemoTab } from '../support/demo.js';
import { WampClient } from '../support/wamp-client.js';

const VISITOR = /^[A-Z][a-z]+ [A-Z][a-z]+$/;
const PASSWORD = 'wonderland';
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } as const;

let browser: Browser;
let daemon: Daemon;
let context: BrowserContext;
const contexts: BrowserContext[] = [];
const complaints: string[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  daemon = await startDaemon({ config: demoConfig() });
  context = await newVisitor();
});

afterEach(async () => {
  for (const each of contexts.splice(0)) await each.close();
  await daemon.dispose();
  expect(complaints.splice(0)).toEqual([]);
});

async function newVisitor(options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const fresh = await browser.newContext(options);
  contexts.push(fresh);
  return fresh;
}

async function open(of: BrowserContext = context): Promise<DemoTab> {
  return DemoTab.open(of, daemon.url(), complaints);
}

async function loggedIn(): Promise<DemoTab> {
  const tab = await open();
  await tab.logIn('alice', PASSWORD);
  await tab.isCalled('Alice');
  await tab.connected();
  return tab;
}

describe('logging in', () => {
  test('makes a member of a visitor; a reload and a restart are in without a password', async () => {
    const tab = await open();
    await tab.isCalled(VISITOR);
    const before = await onlyCookie(context);
    await tab.logIn('alice', PASSWORD);
    await tab.isCalled('Alice');
    await tab.see('You are logged in: the node calls you Alice, in all tabs of this browser.');
    // The page has connected again since: the id of before is not the one that is logged in.
    expect((await onlyCookie(context)).value).not.toBe(before.value);
    await tab.dialog.waitFor({ state: 'hidden' });

    // No password is left that the page could send again; only the cookie is there.
    await tab.page.reload();
    await tab.isCalled('Alice');
    await tab.see('Logged in as alice, by your cookie.');
    await tab.page.locator('#step-login.done').waitFor();

    daemon = await daemon.restart();
    await tab.see('Reconnected: you are still Alice.');
    await daemon.kill();
    daemon = await daemon.restart();
    await tab.page.getByText('Reconnected: you are still Alice.').nth(1).waitFor();
  });

  test('reaches the other tabs of the browser, and no other browser', async () => {
    const [tab, second, stranger] = [await open(), await open(), await open(await newVisitor())];
    await tab.logIn('bob', 'yes-we-can');
    await tab.isCalled('Bob');
    await second.isCalled('Bob');
    await stranger.person('Bob').getByText('2 tabs').waitFor();
    expect(await stranger.name).toMatch(VISITOR);
  });

  test('keeps the password nowhere in the page, and sends it to nobody', async () => {
    const tab = await open();
    const sent: string[] = [];
    tab.page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => sent.push(String(payload))));
    await tab.logIn('alice', PASSWORD);
    await tab.isCalled('Alice');

    const storage = await tab.page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])');
    expect(String(storage)).not.toContain(PASSWORD);
    expect(await tab.page.locator('#login-password').inputValue()).toBe('');
    const hello = sent.find((text) => text.includes('wampcra'));
    expect(hello).toContain('"authid":"alice"');
    expect(sent.join()).not.toContain(PASSWORD);
    expect(daemon.output).not.toContain(PASSWORD);
  });
});

describe('a login that fails', () => {
  test.each([
    ['a wrong password', 'alice', 'looking-glass'],
    ['an unknown name', 'carol', PASSWORD],
  ])('because of %s says so, and leaves the visitor who it was', async (_what, name, password) => {
    const tab = await open();
    const visitor = await tab.name;
    await tab.logIn(name, password);

    const alert = tab.dialog.getByRole('alert').filter({ hasText: 'Wrong name or password.' });
    await alert.waitFor();
    const field = tab.dialog.getByLabel('Password');
    expect(await field.inputValue()).toBe('');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    expect(await field.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true);
    expect(await tab.dialog.getByLabel('Name').inputValue()).toBe(name);

    await tab.page.keyboard.press('Escape');
    await tab.dialog.waitFor({ state: 'hidden' });
    expect(await tab.name).toBe(visitor);
    await tab.logIn('alice', PASSWORD);
    await tab.isCalled('Alice');
  });

  test('because the node is away says so', async () => {
    const tab = await open();
    await daemon.stop();
    await tab.logIn('alice', PASSWORD);
    await tab.dialog.getByRole('alert').filter({ hasText: 'The node cannot be reached.' }).waitFor();
  });
});

describe('logging out', () => {
  test('in one tab logs out all tabs, for good: they are one visitor with a new cookie', async () => {
    const tab = await loggedIn();
    const second = await open();
    await second.isCalled('Alice');
    const before = await onlyCookie(context);

    await tab.logOut();

    await tab.isCalled(VISITOR);
    await second.isCalled(VISITOR);
    await second.see(/^Logged out, in all tabs/);
    const visitor = await tab.name;
    expect(await second.name).toBe(visitor);
    expect((await onlyCookie(context)).value).not.toBe(before.value);

    daemon = await daemon.restart();
    await tab.see(`Reconnected: you are still ${visitor}.`);
    await second.page.reload();
    await second.isCalled(visitor);
    // The old cookie, by whoever kept a copy of it, is worth nothing.
    await context.addCookies([before]);
    await second.page.reload();
    await second.isCalled(VISITOR);
  });
});

describe('members', () => {
  test('pin a text above the chat, which stays for those who come later, and take it down again', async () => {
    const alice = await loggedIn();
    const visitor = await open(await newVisitor());
    await alice.composer.fill('The meeting is at <b>five</b>');
    await alice.page.getByRole('button', { name: 'Pin for everybody' }).click();

    const notice = (tab: DemoTab) => tab.page.getByRole('status', { name: 'Pinned' });
    await notice(visitor).getByText('The meeting is at <b>five</b>').waitFor();
    await notice(visitor).getByText('Pinned by Alice').waitFor();
    const late = await open(await newVisitor());
    await notice(late).getByText('The meeting is at').waitFor();

    expect(await visitor.page.getByRole('button', { name: 'Take the notice down' }).count()).toBe(0);
    await alice.page.getByRole('button', { name: 'Take the notice down' }).click();
    await notice(late).getByText('The meeting is at').waitFor({ state: 'detached' });
  });

  test('are known to be members: visitors can neither pin nor pass for one', async () => {
    const alice = await loggedIn();
    const visitor = await WampClient.join(daemon.url('/ws', 'ws'));
    const refusal = await visitor.ask([16, 1, { acknowledge: true }, 'demo.notice', ['I am in charge']]);
    expect(refusal).toEqual([8, 16, 1, {}, 'wamp.error.not_authorized', [expect.any(String)]]);

    visitor.send([16, 2, {}, 'demo.chat', [], { id: 'a', person: '@bob', text: 'I am Bob, honestly' }]);
    visitor.send([16, 3, {}, 'demo.presence', ['here'], { person: '@bob', tab: '1' }]);
    visitor.send([16, 4, {}, 'demo.chat', [], { id: 'b', person: '0123456789abcdef', text: 'an honest visitor' }]);
    await alice.message('an honest visitor').waitFor();
    expect(await alice.message('honestly').count()).toBe(0);
    expect(await alice.person('Bob').count()).toBe(0);

    const bob = await open(await newVisitor());
    await bob.logIn('bob', 'yes-we-can');
    await bob.isCalled('Bob');
    await bob.connected();
    await bob.say('the real one');
    await alice.message('the real one').getByText('(logged in)').waitFor();
  });
});

describe('the login form', () => {
  test('works with the keyboard alone, and gives the focus back', async () => {
    const { page } = await open();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('#login-name:focus').waitFor();
    await page.keyboard.type('alice');
    await page.keyboard.press('Tab');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.getByRole('heading', { level: 1, name: 'Alice' }).waitFor();
    await page.locator('#log-out:focus').waitFor();
  });

  test.each(['light', 'dark'] as const)('fits a phone, and fills itself in by a tap (%s)', async (colorScheme) => {
    const phone = await open(await newVisitor({ ...PHONE, colorScheme }));
    await phone.page.getByRole('button', { name: 'Log in' }).tap();
    const box = await phone.dialog.boundingBox();
    expect(box).not.toBeNull();
    expect(box!.x).toBeGreaterThanOrEqual(0);
    expect(box!.x + box!.width).toBeLessThanOrEqual(PHONE.viewport.width);
    expect(box!.y + box!.height).toBeLessThanOrEqual(PHONE.viewport.height);

    await phone.dialog.getByRole('button', { name: 'bob' }).tap();
    await phone.dialog.getByRole('button', { name: 'Log in', exact: true }).tap();
    await phone.isCalled('Bob');
    expect(await phone.page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.viewport.width);
  });
});
