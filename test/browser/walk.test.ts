/** docs/cookie-login.md, walked: its commands, its config and its page as they are written there. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
const walk = readFileSync(path.join(ROOT, 'docs/cookie-login.md'), 'utf8');

/** The code blocks of one language, in order. */
function blocks(language: string): readonly string[] {
  return [...walk.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(([, text = '']) => text);
}

/** What the page says, among what the walk promises in backticks. */
function promised(start: string): string {
  const prose = walk.replace(/^```[^]*?^```/gm, '');
  const found = [...prose.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text).find((text) => text.startsWith(start));
  if (found === undefined) throw new Error(`the walk promises nothing that begins with "${start}"`);
  return found;
}

const [initCommand = '', keyCommand = '', startCommands = ''] = blocks('sh');
const [config = ''] = blocks('json');
const [page = ''] = blocks('html');
const [key = ''] = blocks('text');
const OUT = promised('Not logged in');
const BY_PASSWORD = promised('Logged in as alice, says the static');
const BY_COOKIE = promised('Logged in as alice, says the cookie');
const PASSWORD = 'white rabbit';

let browser: Browser;
let daemon: Daemon | undefined;
const cwd = temporaryDirectory();

beforeAll(async () => {
  browser = await launchBrowser();
  // As if the package were installed here: `npx crossbar-ts` is this one.
  mkdirSync(path.join(cwd, 'node_modules/.bin'), { recursive: true });
  symlinkSync(path.join(ROOT, 'bin/crossbar-ts.js'), path.join(cwd, 'node_modules/.bin/crossbar-ts'));
});

afterAll(async () => {
  await browser.close();
  await daemon?.dispose();
});

async function shell(command: string): Promise<string> {
  return (await run('bash', ['-euc', command], { cwd })).stdout;
}

async function logIn(tab: Page, password: string): Promise<void> {
  await tab.getByLabel('Name').fill('alice');
  await tab.getByLabel('Password').fill(password);
  await tab.getByRole('button', { name: 'Log in' }).click();
}

async function says(tab: Page, text: string): Promise<void> {
  await tab.getByRole('status').getByText(text, { exact: true }).waitFor();
}

test('the walk of docs/cookie-login.md leads where it says', { timeout: 90_000 }, async () => {
  await shell(initCommand);
  expect(await shell(keyCommand)).toBe(key);
  expect(config).toContain(key.trim());
  expect(keyCommand).toContain(PASSWORD);
  expect(walk).toContain(`Log in with \`${PASSWORD}\``);
  // Port 8080 may be in use where the tests run.
  for (const [file, text] of [
    ['hello/.crossbar/config.json', config.replace('"port": 8080', '"port": "$PORT"')],
    ['hello/web/login.html', page],
  ] as const) {
    expect(walk).toContain(`\`${file}\`:`);
    writeFileSync(path.join(cwd, file), text);
  }
  const [check = '', start = ''] = startCommands.trim().split('\n');
  expect(await shell(`export PORT=8080; ${check}`)).toContain('OK');
  expect(start).toBe('npx crossbar-ts start --cbdir hello/.crossbar');
  daemon = await startDaemon({ cbdir: path.join(cwd, 'hello/.crossbar') });

  const context = await browser.newContext();
  const tab = await context.newPage();
  await tab.goto(daemon.url('/login.html'));
  await says(tab, OUT);
  await logIn(tab, 'red queen');
  await tab.getByRole('alert').getByText('authentication failed').waitFor();
  await says(tab, OUT);

  await logIn(tab, PASSWORD);
  await says(tab, BY_PASSWORD);
  await tab.reload();
  await says(tab, BY_COOKIE);

  await tab.evaluate('who.textContent = ""');
  daemon = await daemon.restart();
  await says(tab, BY_COOKIE);
  expect(existsSync(path.join(cwd, 'hello/.crossbar/cookies.dat'))).toBe(true);

  const second = await context.newPage();
  await second.goto(daemon.url('/login.html'));
  await says(second, BY_COOKIE);
  await tab.getByRole('button', { name: 'Log out' }).click();
  await says(tab, OUT);
  await says(second, OUT);

  await tab.evaluate('who.textContent = ""');
  daemon = await daemon.restart();
  await says(tab, OUT);
});
