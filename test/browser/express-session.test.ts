/** `examples/express-session`, started and used in Chromium: the login of the web application is that of the realm. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import { temporaryDirectory } from '../support/daemon.js';
import { freePorts } from '../support/ports.js';
import { install, Program } from '../support/program.js';
import { RedisServer } from '../support/redis.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const EXAMPLE = path.join(ROOT, 'examples/express-session');
const SOURCES = ['server.js', 'store.js', 'public/page.js', '.crossbar/redis.json', '.crossbar/files.json'];
const read = (file: string): string => readFileSync(path.join(EXAMPLE, file), 'utf8');
const { scripts, dependencies } = JSON.parse(read('package.json')) as {
  scripts: { start: string };
  dependencies: Readonly<Record<string, string>>;
};

/** The example, running. */
interface Place {
  readonly url: string;
  readonly program: Program;
  readonly redis: RedisServer | undefined;
}

/** A copy of the example on ports of its own, with its packages. @param store Redis is there, or it is not. */
async function start(store: 'redis' | 'files'): Promise<Place> {
  const cwd = temporaryDirectory();
  cpSync(EXAMPLE, cwd, { recursive: true });
  install(cwd, Object.keys(dependencies));
  const [web = 0, node = 0, redisPort = 0] = await freePorts(3);
  for (const file of SOURCES) {
    const text = read(file).replaceAll('3000', String(web)).replaceAll('8080', String(node));
    writeFileSync(path.join(cwd, file), text.replaceAll('6379', String(redisPort)));
  }
  const redis = store === 'redis' ? await RedisServer.start({ port: redisPort }) : undefined;
  // What `npm start` runs, without the npm that would outlive a signal.
  const [command = '', ...args] = scripts.start.split(' ');
  expect(command).toBe('node');
  const program = new Program(process.execPath, args, { cwd, env: { NO_COLOR: '1' } });
  await program.writes(`sessions: ${store}`);
  await Promise.all([program.writes('open http'), program.writes('node started')]);
  return { url: `http://127.0.0.1:${web}/`, program, redis };
}

let browser: Browser;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});
afterAll(() => browser.close());

async function visit(url: string, context?: BrowserContext): Promise<Page> {
  const own = context ?? (await browser.newContext());
  if (context === undefined) contexts.push(own);
  const page = await own.newPage();
  await page.goto(url);
  return page;
}

async function logIn(tab: Page, name: string, password: string): Promise<void> {
  await tab.getByLabel('Name').fill(name);
  await tab.getByLabel('Password').fill(password);
  await tab.getByRole('button', { name: 'Log in' }).click();
}

async function says(tab: Page, text: string): Promise<void> {
  await tab.getByRole('status').getByText(text, { exact: true }).waitFor();
}

async function tells(tab: Page, text: string): Promise<void> {
  await tab.getByRole('alert').getByText(text).waitFor();
}

async function hears(tab: Page, text: string): Promise<void> {
  await tab.getByRole('listitem').getByText(text, { exact: true }).waitFor();
}

/** The id of the session of the web application. */
async function sessionId(tab: Page): Promise<string> {
  const cookie = (await tab.context().cookies()).find(({ name }) => name === 'connect.sid');
  const [id = ''] = decodeURIComponent(cookie?.value ?? '')
    .slice('s:'.length)
    .split('.');
  expect(id.length).toBeGreaterThan(20);
  return id;
}

const OUT = 'Not logged in';
const ALICE = 'Logged in as alice (user 1, role member)';

describe.each(['redis', 'files'] as const)('the example with its sessions in %s', (store) => {
  let place: Place;
  beforeAll(async () => {
    place = await start(store);
  });
  afterAll(async () => {
    await place.program.stop();
    await place.redis?.dispose();
  });

  it('has the user of the web application in the realm, until the web application logs him out', async () => {
    const [tab, visitor] = [await visit(place.url), await visit(place.url)];
    await says(tab, OUT);
    await says(visitor, OUT);
    await logIn(tab, 'alice', 'red queen');
    await tells(tab, 'Wrong name or password');
    await says(tab, OUT);
    await logIn(tab, 'alice', 'white rabbit');
    await says(tab, ALICE);
    const sid = await sessionId(tab);
    await tab.reload();
    await says(tab, ALICE);

    const second = await visit(place.url, tab.context());
    await says(second, ALICE);
    await tab.getByLabel('Text').fill('Curiouser');
    await tab.getByRole('button', { name: 'Say' }).click();
    for (const each of [tab, second, visitor]) await hears(each, 'Curiouser');

    await tab.getByRole('button', { name: 'Log out' }).click();
    for (const each of [tab, second]) {
      await tells(each, 'crossbar.close.session_ended');
      await says(each, OUT);
    }
    expect(await visitor.getByRole('alert').textContent()).toBe('');

    // Another user, with another role in the web application, and another one here.
    await logIn(tab, 'queen', 'off with it');
    await says(tab, 'Logged in as queen (user 2, role admin)');
    expect(await sessionId(tab)).not.toBe(sid);
    expect(place.program.output).not.toContain(sid);
  });

  it('lets no other page log anybody in or out', async () => {
    for (const action of ['login', 'logout']) {
      const headers = { 'Sec-Fetch-Site': 'same-site' };
      expect((await fetch(place.url + action, { method: 'POST', headers })).status).toBe(403);
    }
  });
});

it('installs the versions that are tested here', () => {
  for (const [name, wanted] of Object.entries(dependencies)) {
    const place = name === 'crossbar-ts' ? ROOT : path.join(ROOT, 'node_modules', name);
    const { version } = JSON.parse(readFileSync(path.join(place, 'package.json'), 'utf8')) as { version: string };
    expect([name, wanted]).toEqual([name, version]);
  }
});
