/** docs/presence.md, walked: its component, its config and its page as they are written there. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, onlyCookie } from '../support/browser.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { ALL_ROLES, WampClient } from '../support/wamp-client.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
const walk = readFileSync(path.join(ROOT, 'docs/presence.md'), 'utf8');

/** The code block of one language. */
function block(language: string): string {
  const [first, ...more] = [...walk.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))];
  if (first?.[1] === undefined || more.length > 0) throw new Error(`not one block of ${language}`);
  return first[1];
}

const TICKET = 'a long random ticket';
const cwd = temporaryDirectory();
let browser: Browser;
let daemon: Daemon;

beforeAll(async () => {
  browser = await launchBrowser();
  // As if both packages were installed here.
  mkdirSync(path.join(cwd, 'node_modules/.bin'), { recursive: true });
  symlinkSync(path.join(ROOT, 'bin/crossbar-ts.js'), path.join(cwd, 'node_modules/.bin/crossbar-ts'));
  symlinkSync(path.join(ROOT, 'node_modules/autobahn-browser'), path.join(cwd, 'node_modules/autobahn-browser'));
  for (const [file, text] of [
    ['.crossbar/presence.mjs', block('js')],
    // Port 8080 may be in use where the tests run.
    ['.crossbar/config.json', block('json').replace('"port": 8080', '"port": "$PORT"')],
    ['web/presence.html', block('html')],
  ] as const) {
    expect(walk).toContain(`\`${file}\``);
    mkdirSync(path.join(cwd, path.dirname(file)), { recursive: true });
    writeFileSync(path.join(cwd, file), text);
  }
});

afterAll(async () => {
  await browser.close();
  await daemon.dispose();
});

/** Waits until the page lists these, and no others. */
async function lists(page: Page, names: readonly string[]): Promise<void> {
  await page
    .getByRole('status')
    .getByText([...names].sort().join(', '), { exact: true })
    .waitFor();
}

async function visit(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto(daemon.url('/presence.html'));
  await page.getByRole('status').getByText('visitor-').waitFor();
  return page;
}

async function nameIn(page: Page): Promise<string> {
  return (await page.getByRole('status').textContent()) ?? '';
}

test('the component has 25 lines at most', () => {
  expect(block('js').trimEnd().split('\n').length).toBeLessThanOrEqual(25);
});

test('the walk of docs/presence.md leads where it says', { timeout: 60_000 }, async () => {
  const [install = '', ticket = '', check = '', start = ''] = block('sh').trim().split('\n');
  expect([install, start]).toEqual(['npm install crossbar-ts autobahn-browser', 'npx crossbar-ts start']);
  expect(ticket).toContain(`"${TICKET}"`);
  const checked = await run('bash', ['-euc', `export PORT=8080; ${ticket}; ${check}`], { cwd });
  expect([checked.stdout.includes('OK'), checked.stderr]).toEqual([true, '']);
  daemon = await startDaemon({ cbdir: path.join(cwd, '.crossbar'), env: { JOE_TICKET: TICKET } });

  const [one, other] = [await browser.newContext(), await browser.newContext()];
  const tab = await visit(one);
  const me = await nameIn(tab);
  expect(me).toMatch(/^visitor-[0-9a-f]{6}$/);
  await tab.reload();
  await lists(tab, [me]);

  await visit(one);
  const stranger = await visit(other);
  const both = (await nameIn(stranger)).split(', ');
  expect(both).toContain(me);
  expect(both).toHaveLength(2);
  await lists(tab, both);

  const joe = await WampClient.connect(daemon.url('/ws', 'ws'));
  const hello = { roles: ALL_ROLES, authmethods: ['ticket'], authid: 'joe' };
  expect((await joe.ask([1, 'realm1', hello])).slice(0, 2)).toEqual([4, 'ticket']);
  expect((await joe.ask([5, TICKET, {}]))[0]).toBe(2);
  await lists(tab, [...both, 'joe']);
  await other.close();
  await lists(tab, [me, 'joe']);

  // What the component was told is not for the others, and they cannot invent anybody.
  let requestId = 1;
  for (const topic of ['wamp.session.on_join', 'wamp.session.on_leave']) {
    expect((await joe.ask([32, requestId++, {}, topic]))[4]).toBe('wamp.error.not_authorized');
  }
  const eve = [16, requestId++, { acknowledge: true }, 'com.example.presence.came', ['eve']];
  expect((await joe.ask(eve))[4]).toBe('wamp.error.not_authorized');
  const { value } = await onlyCookie(one);
  expect(await nameIn(tab)).not.toContain(value.slice(0, 6));
  await joe.close();
  await lists(tab, [me]);
});
