/** A page under development, and a page as a build leaves it, in a real browser. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AUTOBAHN_PAGE_PATHS, AutobahnPage, launchBrowser } from '../support/browser.js';
import type { Join } from '../support/browser.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';

let browser: Browser;
const cleanups: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startNode(websocket: object): Promise<Daemon> {
  const daemon = await startDaemon({ config: nodeConfig({ websocket, paths: AUTOBAHN_PAGE_PATHS }) });
  cleanups.push(() => daemon.dispose());
  return daemon;
}

async function newVisitor(): Promise<BrowserContext> {
  const context = await browser.newContext();
  cleanups.push(() => context.close());
  return context;
}

/** A page by the one name of this machine, whose WebSocket goes to another. */
async function joinFrom(page: string, node: string, daemon: Daemon, visitor: BrowserContext): Promise<Join> {
  const tab = await AutobahnPage.load(visitor, `http://${page}:${daemon.port}`);
  const url = `ws://${node}:${daemon.port}/ws`;
  await tab.page.evaluate(`client.open(${JSON.stringify({ realm: 'realm1', url })})`);
  return tab.nextJoin();
}

describe('a page by another name of this machine than its WebSocket', () => {
  test.each([
    ['localhost', '127.0.0.1'],
    ['127.0.0.1', 'localhost'],
  ])('is "self", but the browser drops the cookie, and the log says so: %s, %s', async (page, node) => {
    const daemon = await startNode({ cookie: {}, options: { allowed_origins: ['self'] } });
    const visitor = await newVisitor();
    const ids = [];
    for (let visit = 0; visit < 2; visit++) ids.push((await joinFrom(page, node, daemon, visitor)).authid);

    expect(new Set(ids).size).toBe(2);
    expect(await visitor.cookies()).toEqual([]);
    const told = await daemon.waitForLog('cookie does not fit the page');
    expect(told).toMatchObject({ level: 'warn', origin: `http://${page}:${daemon.port}` });
    expect(told['remedy']).toContain('by the same name');
  });

  test('keeps its cookie when both have the same name', async () => {
    const daemon = await startNode({ cookie: {} });
    const visitor = await newVisitor();
    const [first, second] = [
      await joinFrom('localhost', 'localhost', daemon, visitor),
      await joinFrom('localhost', 'localhost', daemon, visitor),
    ];
    expect(second.authid).toBe(first.authid);
    expect(daemon.logs.map(({ msg }) => msg)).not.toContain('cookie does not fit the page');
  });
});

describe('a page as a build leaves it', () => {
  test('loads its compressed script, keeps it for good, and is asked for itself each time', async () => {
    const dist = temporaryDirectory();
    mkdirSync(path.join(dist, 'assets'));
    const script = '/assets/index-BxY2a9Qz.js';
    writeFileSync(path.join(dist, 'index.html'), `<!doctype html><script type="module" src="${script}"></script>`);
    const source = `document.title = "built"; //${'x'.repeat(5000)}`;
    writeFileSync(path.join(dist, script), source);
    writeFileSync(path.join(dist, `${script}.br`), brotliCompressSync(source));
    const paths = { '/': { type: 'static', directory: dist, options: { default_file: 'index.html' } } };
    const daemon = await startDaemon({ config: nodeConfig({ paths, transport: { options: { access_log: true } } }) });
    cleanups.push(() => daemon.dispose());
    const page = await (await newVisitor()).newPage();
    const isScript = (response: { url: () => string }): boolean => response.url().endsWith(script);

    const [first] = await Promise.all([page.waitForResponse(isScript), page.goto(daemon.url('/rooms/7'))]);
    expect(await page.title()).toBe('built');
    const headers = await first.allHeaders();
    expect(headers).toMatchObject({
      'content-encoding': 'br',
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': 'text/javascript; charset=utf-8',
    });
    expect(Number(headers['content-length'])).toBeLessThan(200);

    await page.goto(daemon.url('/rooms/8'));
    const again = await page.reload();
    expect(await page.title()).toBe('built');
    expect(again?.headers()['cache-control']).toBe('no-cache');
    const asked = daemon.logs.filter(({ msg }) => msg === 'request').map(({ path: urlPath }) => urlPath);
    expect(asked.filter((urlPath) => urlPath === script)).toHaveLength(1);
  });

  test('gets no page for a script that is gone', async () => {
    const dist = temporaryDirectory();
    writeFileSync(path.join(dist, 'index.html'), '<!doctype html><script type="module" src="/old.js"></script>');
    const paths = { '/': { type: 'static', directory: dist, options: { default_file: 'index.html' } } };
    const daemon = await startDaemon({ config: nodeConfig({ paths }) });
    cleanups.push(() => daemon.dispose());
    const page = await (await newVisitor()).newPage();
    const [gone] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith('/old.js')),
      page.goto(daemon.url('/rooms/7')),
    ]);
    expect(gone.status()).toBe(404);
  });
});
