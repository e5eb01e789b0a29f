/** What `crossbar-ts init` makes, as somebody sees it who opens the page. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

import { launchBrowser } from '../support/browser.js';
import { runCli, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';

let browser: Browser;
let daemon: Daemon | undefined;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterEach(() => daemon?.dispose());
afterAll(() => browser.close());

/** Makes a node, starts it and opens its page. @returns what `init` said, too */
async function opened(template: string): Promise<{ page: Page; said: string }> {
  const appdir = temporaryDirectory();
  const { stdout: said } = await runCli(['init', '--template', template, '--realm', 'shop'], { cwd: appdir });
  // Port 8080 may be in use where the tests run.
  const config = path.join(appdir, '.crossbar/config.json');
  writeFileSync(config, readFileSync(config, 'utf8').replace('"port": 8080', '"port": 0'));
  daemon = await startDaemon({ cbdir: path.join(appdir, '.crossbar') });
  const page = await (await browser.newContext()).newPage();
  await page.goto(daemon.url('/'));
  return { page, said };
}

it('minimal: the page publishes, is called, and is the same after a reload', async () => {
  const { page } = await opened('minimal');
  const logged = async (): Promise<string[]> => {
    const log = page.getByRole('log');
    await log.getByText(/^5$/m).waitFor();
    return (await log.innerText()).trim().split('\n');
  };
  const lines = await logged();
  expect(lines).toEqual([expect.stringMatching(/^I am \S+$/), 'Hello!', '5']);
  await page.reload();
  expect(await logged()).toEqual(lines);
});

it('login: the password that init printed logs in, and the cookie after a reload', async () => {
  const { page, said } = await opened('login');
  const [, name = '', password = ''] = /Log in as (\w+) with the password (\S+) /.exec(said) ?? [];
  const says = (text: string): Promise<void> => page.getByRole('status').getByText(text, { exact: true }).waitFor();
  await says('Not logged in');
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await says('Logged in as alice, says the static provider');
  await page.reload();
  await says('Logged in as alice, says the cookie provider');
});
