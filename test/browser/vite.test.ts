/** docs/frontend.md, walked from an empty directory: its commands, its files, its mistakes. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { freePorts } from '../support/ports.js';
import { Road } from '../support/road.js';

const road = new Road('frontend.md');
const CONFIG = road.file('.crossbar/config.json').replace('"port": 8080', '"port": "$PORT"');
const SAYS_GOODBYE = CONFIG.replace(
  '"version": 2,',
  '"version": 2, "controller": { "options": { "shutdown_goodbye": true } },',
);
const WAIT = { timeout: 20_000 };
const NAME = /^I am (\S+), here since 2/;

let browser: Browser;
let daemon: Daemon;
const vites: ChildProcess[] = [];
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  await road.run(road.commands('npm create'));
  road.writeFiles();
  road.write('src/cra.ts', craLogin());
  await road.run(['rm src/counter.ts', ...road.commands('npm run build').slice(0, 1)]);
  daemon = await start(CONFIG);
});

afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  for (const vite of vites.splice(0)) await stopped(vite);
});

afterAll(async () => {
  await browser.close();
  await daemon.stop();
});

/** The login of docs/authentication.md: the build of the project checks its types. */
function craLogin(): string {
  const page = readFileSync(path.join(import.meta.dirname, '../../docs/authentication.md'), 'utf8');
  const [, snippet = ''] = /^## wampcra$[^]*?^```js\n([^]*?)^```/m.exec(page) ?? [];
  expect(snippet).toContain('onchallenge');
  return `import autobahn from 'autobahn';\nconst url = 'ws://127.0.0.1:8080/ws';\nconst password = '';\nexport const login = ${snippet}`;
}

async function start(config: string): Promise<Daemon> {
  const bin = path.join(road.cwd, 'node_modules/crossbar-ts/bin/crossbar-ts.js');
  return startDaemon({ config, cbdir: path.join(road.cwd, '.crossbar'), bin });
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.kill()) await once(child, 'exit');
}

interface Vite {
  readonly url: string;
  /** What it has written. */
  readonly said: () => string;
}

/** `npm run dev`, without the npm that would outlive a signal, and with a node of another port. */
async function develop(change = (config: string) => config, nodePort = daemon.port): Promise<Vite> {
  const { scripts } = JSON.parse(readFileSync(path.join(road.cwd, 'package.json'), 'utf8')) as {
    scripts: { dev: string };
  };
  expect(road.commands('npm run dev')).toContain('npm run dev');
  expect(scripts.dev).toBe('vite');
  road.write('vite.config.ts', change(road.file('vite.config.ts').replace('8080', String(nodePort))));
  const [port] = await freePorts(1);
  const vite = spawn(
    process.execPath,
    [path.join(road.cwd, 'node_modules/vite/bin/vite.js'), '--port', String(port), '--strictPort'],
    { cwd: road.cwd, env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', NODE_ENV: '' } },
  );
  vites.push(vite);
  let output = '';
  return new Promise((resolve, reject) => {
    for (const stream of [vite.stdout, vite.stderr])
      stream.on('data', (data: Buffer) => {
        output += data.toString();
        const [, url] = /Local:\s+(http:\S+)/.exec(output) ?? [];
        if (url !== undefined) resolve({ url, said: () => output });
      });
    vite.once('exit', () => reject(new Error(`Vite ended:\n${output}`)));
  });
}

/** A tab, and all that its console shows. */
interface Tab {
  readonly page: Page;
  readonly console: string[];
}

async function newTab(context?: BrowserContext): Promise<Tab> {
  const own = context ?? (await browser.newContext());
  if (context === undefined) contexts.push(own);
  const page = await own.newPage();
  const lines: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) lines.push(message.text());
  });
  page.on('pageerror', (error) => lines.push(error.message));
  return { page, console: lines };
}

async function visit(url: string): Promise<Tab> {
  const tab = await newTab();
  await tab.page.goto(url);
  return tab;
}

/** @returns the name that a page shows, as soon as it has one. */
async function nameOn({ page }: Tab): Promise<string> {
  const text = await page.getByRole('status').getByText(NAME).textContent();
  return NAME.exec(text ?? '')?.[1] ?? '';
}

async function say({ page }: Tab, text: string): Promise<void> {
  await page.getByLabel('Text').fill(text);
  await page.getByRole('button', { name: 'Say' }).click();
}

async function hears({ page }: Tab, text: string): Promise<void> {
  await page.getByRole('listitem').getByText(text, { exact: true }).waitFor();
}

/** The page as it is promised: it knows its visitor, calls, publishes and subscribes. */
async function expectLife(url: string): Promise<void> {
  const [alice, bob] = [await visit(url), await visit(url)];
  const name = await nameOn(alice);
  expect(await nameOn(bob)).not.toBe(name);
  await say(alice, 'Hello from alice');
  await hears(alice, 'Hello from alice');
  await hears(bob, 'Hello from alice');
  await alice.page.reload();
  expect(await nameOn(alice)).toBe(name);
  expect([...alice.console, ...bob.console]).toEqual([]);
}

describe('docs/frontend.md', () => {
  it('leads to a page on the dev server of Vite that knows its visitors', async () => {
    await expectLife((await develop()).url);
  });

  it('leads to a built page that the node serves, also for paths of the page itself', async () => {
    expect(road.text).toContain('`/rooms/7`');
    await expectLife(daemon.url());
    await nameOn(await visit(daemon.url('/rooms/7')));
  });

  it.each([
    ['closes with 1001', CONFIG, 'SIGTERM', 'closed'],
    ['says GOODBYE', SAYS_GOODBYE, 'SIGTERM', 'the router is shutting down'],
    ['is killed', CONFIG, 'SIGKILL', 'lost'],
  ] as const)('leads to a page that comes back when the node %s', async (_how, config, signal, shown) => {
    await daemon.stop();
    daemon = await start(config);
    const tab = await visit(daemon.url());
    const name = await nameOn(tab);
    await daemon.stop(signal);
    await tab.page.getByRole('status').getByText(`not connected: ${shown}`, { exact: true }).waitFor();
    daemon = await daemon.restart();
    expect(await nameOn(tab)).toBe(name);
    await say(tab, 'Still here');
    await hears(tab, 'Still here');
  });

  it('keeps the cookies out of git', async () => {
    await road.run(['git init --quiet', 'git add --all', 'git ls-files > files.txt']);
    const files = readFileSync(path.join(road.cwd, 'files.txt'), 'utf8');
    expect(files.split('\n').filter((file) => file.startsWith('.crossbar/'))).toEqual(
      ['.gitignore', 'clock.js', 'config.json'].map((file) => `.crossbar/${file}`),
    );
  });
});

/** What somebody sees who has made a mistake. */
interface Scene {
  readonly tab: Tab;
  readonly vite?: Vite;
  /** For what cannot be found in a console: the page does what the table says. */
  readonly holds?: () => Promise<void>;
}

/** A tab on the built page, with something in its script replaced. */
async function onScript(url: string, before: string, after: string): Promise<Scene> {
  const tab = await newTab();
  await tab.page.route(/assets\/index-[^/]+\.js$/, async (route) => {
    const script = readFileSync(path.join(road.cwd, 'dist', new URL(route.request().url()).pathname), 'utf8');
    expect(script).toContain(before);
    await route.fulfill({ contentType: 'text/javascript', body: script.replace(before, after) });
  });
  await tab.page.goto(url);
  return { tab };
}

/** A tab on the built page, on a node with something else in its config. */
async function onNode(before: string | RegExp, after: string): Promise<Scene> {
  expect(CONFIG).toMatch(before);
  await daemon.stop();
  daemon = await start(CONFIG.replace(before, after));
  return { tab: await visit(daemon.url()) };
}

const HOST = '${location.host}/ws';

const MISTAKES: Readonly<Record<string, () => Promise<Scene>>> = {
  'no proxy in `vite.config.ts`': async () => {
    const vite = await develop((config) => config.replace(/^ *server: .*\n/m, ''));
    const tab = await newTab();
    const asked = tab.page.waitForEvent('websocket', (socket) => socket.url().endsWith('/ws'));
    await tab.page.goto(vite.url);
    await asked;
    return { tab, vite };
  },
  'the node does not run': async () => {
    const [nobody] = await freePorts(1);
    const vite = await develop(undefined, nobody);
    return { tab: await visit(vite.url), vite };
  },
  'a page of another host': () =>
    onScript(daemon.url().replace('127.0.0.1', 'app.localhost'), HOST, `127.0.0.1:${daemon.port}/ws`),
  '`ws://` in a page of `https://`': async () => {
    const scene = await onScript(daemon.url(), '`wss`', '`ws`');
    // As behind a proxy with TLS: the same page, at an address that begins with https.
    const body = readFileSync(path.join(road.cwd, 'dist/index.html'), 'utf8');
    await scene.tab.page.route('https://app.example/', (route) => route.fulfill({ contentType: 'text/html', body }));
    await scene.tab.page.goto('https://app.example/');
    return scene;
  },
  'another path': () => onScript(daemon.url(), HOST, '${location.host}/wamp'),
  'another realm': () => onScript(daemon.url(), '`realm1`', '`chat`'),
  'a serializer that is off': () => onNode('"type": "websocket",', '"type": "websocket", "serializers": ["cbor"],'),
  'a role that may not': () => onNode('"call": true, ', ''),
  'no `cookie` section': async () => {
    const { tab } = await onNode(/,\s*"cookie": \{.*\}$/m, '');
    const holds = async () => {
      const name = await nameOn(tab);
      await tab.page.reload();
      expect(await nameOn(tab)).not.toBe(name);
    };
    return { tab, holds };
  },
};

async function made(mistake = ''): Promise<Scene> {
  const make = MISTAKES[mistake];
  if (make === undefined) throw new Error(`nobody makes the mistake "${mistake}" here`);
  return make();
}

describe('the mistakes of docs/frontend.md', () => {
  const rows = road.table('mistake');
  const quoted = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);

  it('are those that are made here', () => {
    expect(rows.map(([mistake]) => mistake)).toEqual(Object.keys(MISTAKES));
  });

  it.each(rows)('%s', async (mistake, browserSays = '', logSays = '') => {
    const earlier = new Set(daemon.logs);
    const { tab, vite, holds } = await made(mistake);
    await holds?.();
    const shown = async () => [await tab.page.getByRole('status').textContent(), ...tab.console].join('\n');
    for (const text of quoted(browserSays)) await expect.poll(shown, WAIT).toContain(text);
    const records = () => daemon.logs.filter((record) => !earlier.has(record));
    const logged = () => [...records().flatMap((record) => Object.values(record)), vite?.said()].join('\n');
    for (const text of quoted(logSays).flatMap((span) => span.split('…'))) {
      await expect.poll(logged, WAIT).toContain(text);
    }
    if (browserSays.startsWith('nothing')) expect(tab.console).toEqual([]);
    if (logSays.startsWith('nothing')) expect(records().filter(({ level }) => level !== 'info')).toEqual([]);
  });
});
