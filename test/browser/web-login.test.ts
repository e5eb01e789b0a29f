/**
 * docs/web-login.md, walked: its commands, its files and its pages as they are written there, in Chromium. The walk with Express is
 * that of the example (`express-session.test.ts`); here is that the page shows what stands in it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { freePorts } from '../support/ports.js';
import { install, Program } from '../support/program.js';
import { Road } from '../support/road.js';

const road = new Road('web-login.md');
const START = 'npx crossbar-ts start --cbdir hello/.crossbar --config ';

/** What the page has, at the ports of this test. */
let local: (text: string) => string;
let browser: Browser;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  const packages = road.commandLines('npm install ').flatMap((line) => line.split(' ').slice(2));
  expect([...new Set(packages)].sort()).toEqual(['crossbar-ts', 'jose', 'oidc-provider', 'openid-client']);
  install(road.cwd, [...new Set(packages)]);
  const [node = 0, provider = 0] = await freePorts(2);
  local = (text) => text.replaceAll('8080', String(node)).replaceAll('4000', String(provider));
  await road.run(road.commandLines('npx crossbar-ts init'));
  for (const { file, text } of road.blocks) if (file?.startsWith('hello/') === true) road.write(file, local(text));
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});
afterAll(() => browser.close());

/** A node with one of the configs, as the page starts it. */
async function startNode(config: string): Promise<Daemon> {
  expect(road.commandLines(START)).toContain(START + config);
  const daemon = await startDaemon({ cbdir: path.join(road.cwd, 'hello/.crossbar'), args: ['--config', config] });
  onTestFinished(() => daemon.kill());
  return daemon;
}

/** A provider, as the page starts it. */
function startProvider(file: string): Program {
  expect(road.commandLines('node hello/')).toContain(`node ${file}`);
  const provider = new Program(process.execPath, [file], { cwd: road.cwd });
  onTestFinished(async () => {
    await provider.stop('SIGKILL');
  });
  return provider;
}

/** Opens what the page links to. */
async function open(link: string, context?: BrowserContext): Promise<Page> {
  expect(road.text).toContain(`<${link}>`);
  const own = context ?? (await browser.newContext());
  if (context === undefined) contexts.push(own);
  const page = await own.newPage();
  await page.goto(local(link));
  return page;
}

/** Without what a formatter decides. */
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

/** What the page promises in backticks. */
function promised(text: string): string {
  expect(road.text).toContain(`\`${text}\``);
  return text;
}

async function says(tab: Page, text: string): Promise<void> {
  await tab.getByRole('status').getByText(text, { exact: true }).waitFor();
}

async function tells(tab: Page, text: string): Promise<void> {
  await tab.getByRole('alert').getByText(text).waitFor();
}

const WAIT = { timeout: 20_000 };
const OUT = 'Not logged in';

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

describe('the walk with Express', () => {
  it('shows what stands in the example', () => {
    const names = ['server.js', 'public/page.js', '.crossbar/redis.json', '.crossbar/files.json'];
    const example = flat(names.map((name) => read(`examples/express-session/${name}`)).join('\n'));
    const [, section = ''] = /^## 1\. Express$([^]*?)^## /m.exec(road.text) ?? [];
    const blocks = [...section.matchAll(/^```(?:js|json)\n([^]*?)^```/gm)].map(([, text = '']) => flat(text));
    expect(blocks).toHaveLength(6);
    for (const text of blocks) expect(example).toContain(text.replace(/^\{ ("store": .*) \}$/, '$1'));
  });

  it('promises what the test of the example sees', () => {
    const seen = read('test/browser/express-session.test.ts');
    const texts = [OUT, 'Logged in as alice (user 1, role member)', 'crossbar.close.session_ended', 'off with it'];
    for (const text of texts) expect(seen).toContain(`'${promised(text)}'`);
  });
});

it('the table of mistakes quotes what the node says', () => {
  const files = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  const source = files.filter((file) => file.endsWith('.ts')).map((file) => read(`src/${file}`)).join('\n'); // prettier-ignore
  const rows = road.table('what is wrong');
  expect(rows.length).toBeGreaterThan(10);
  for (const [, seen = '', logged = ''] of rows) {
    const quoted = [...`${seen} ${logged}`.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
    // What autobahn-js says is not ours.
    for (const text of quoted.filter((each) => each !== 'unreachable')) expect(source).toContain(text);
  }
});

describe('docs/web-login.md', () => {
  it('leads to a page with the token of an identity provider', async () => {
    road.write('hello/keys.mjs', local(road.file('hello/keys.mjs')).replace("'30s'", "'2s'"));
    const config = local(road.file('hello/.crossbar/tokens.json'));
    road.write('hello/.crossbar/tokens.json', config.replace('"audience"', '"cooldown": 1, "leeway": 1, "audience"'));
    const provider = startProvider('hello/keys.mjs');
    await provider.writes('keys and tokens');
    let daemon = await startNode('tokens.json');
    const tab = await open('http://127.0.0.1:8080/tokens.html');
    const logged = promised('Logged in as alice (member) by jwt');
    await says(tab, logged);
    // It is prolonged: the token after the next one is there, and nobody has said goodbye.
    const until = async (): Promise<string | null> => tab.getByText(/^until 2/).textContent();
    for (const known of [await until(), undefined]) {
      const before = known ?? (await until());
      await expect.poll(until, WAIT).not.toBe(before);
    }
    expect(await tab.getByRole('alert').textContent()).toBe('');
    await provider.stop();
    await tells(tab, promised('crossbar.close.token_expired'));
    await startProvider('hello/keys.mjs').writes('keys and tokens');
    await says(tab, logged);

    // A mistake of the table.
    road.write('hello/.crossbar/tokens.json', config.replace('"audience": "crossbar"', '"audience": "others"'));
    daemon = await daemon.restart();
    await tells(tab, 'wamp.error.not_authorized');
    await daemon.waitForLog('token refused');
    await daemon.stop();
  });

  it('leads to a login form of one’s own', async () => {
    let daemon = await startNode('form.json');
    // Two mistakes of the table.
    const post = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(daemon.url('/login'), { method: 'POST', headers, body: '{}' })).status;
    expect(await post({ 'Content-Type': 'text/plain' })).toBe(415);
    expect(await post({ 'Content-Type': 'application/json', Origin: 'http://127.0.0.1:1' })).toBe(403);
    const tab = await open('http://127.0.0.1:8080/form.html');
    await says(tab, OUT);
    const logIn = async (password: string): Promise<void> => {
      await tab.getByLabel('Name').fill('alice');
      await tab.getByLabel('Password').fill(password);
      await tab.getByRole('button', { name: 'Log in' }).click();
    };
    await logIn('red queen');
    await tells(tab, 'wrong name or password');
    await logIn(promised('white rabbit'));
    const logged = promised('Logged in as alice (member) by ticket');
    await says(tab, logged);
    await tab.reload();
    await says(tab, logged);
    const second = await open('http://127.0.0.1:8080/form.html', tab.context());
    await says(second, logged);
    daemon = await daemon.restart();
    await tab.reload();
    await says(tab, logged);
    await says(second, logged);
    await tab.getByRole('button', { name: 'Log out' }).click();
    await says(tab, OUT);
    await says(second, OUT);
    await tells(second, 'wamp.close.logout');
    await daemon.stop();
  });

  it('leads to a login by OpenID Connect', async () => {
    const [secrets] = road.blocks.filter(({ text }) => text.includes('umask'));
    await road.run([(secrets?.text ?? '').split('\n').slice(1).join('\n')]);
    await startNode('oidc.json');
    await startProvider('hello/company.mjs').writes('a provider at');
    const tab = await open('http://localhost:8080/oidc.html');
    await says(tab, OUT);
    await tab.getByRole('link', { name: 'Log in with Company' }).click();
    await tab.getByRole('link', { name: 'Cancel' }).click();
    await tells(tab, promised('access_denied'));
    await tab.getByRole('link', { name: 'Log in with Company' }).click();
    await tab.getByPlaceholder('Enter any login').fill('alice');
    await tab.getByPlaceholder('and password').fill('anything');
    await tab.getByRole('button', { name: 'Sign-in' }).click();
    await tab.getByRole('button', { name: 'Continue' }).click();
    await says(tab, promised('Logged in as company:alice (member) by oidc'));
    expect(new URL(tab.url()).search).toBe('');
    await tab.getByRole('button', { name: 'Log out' }).click();
    await says(tab, OUT);
  });
});
