/** `examples/upload`, in Chromium: a file is chosen, is told about, and is there. */
import { cpSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

test('the page shows how far a file is, and the file is there', async () => {
  const place = temporaryDirectory();
  cpSync(path.join(ROOT, 'examples/upload'), place, { recursive: true });
  mkdirSync(path.join(place, 'node_modules'));
  const { dependencies } = JSON.parse(readFileSync(path.join(place, 'package.json'), 'utf8')) as {
    dependencies: Readonly<Record<string, string>>;
  };
  // What `npm install` puts there.
  for (const [name, version] of Object.entries(dependencies)) {
    const installed = path.join(ROOT, name === 'crossbar-ts' ? '' : `node_modules/${name}`);
    const found = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8')) as { version: string };
    expect([name, found.version]).toEqual([name, version]);
    symlinkSync(installed, path.join(place, 'node_modules', name));
  }
  const config = readFileSync(path.join(place, '.crossbar/config.json'), 'utf8').replace('8080', '0');
  const daemon = await startDaemon({ cbdir: path.join(place, '.crossbar'), config });
  const page = await browser.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  await page.goto(daemon.url('/'));
  const content = Buffer.alloc(3_500_000, 'some content');
  await page.locator('#files').setInputFiles([
    { name: 'large.bin', mimeType: 'application/octet-stream', buffer: content },
    { name: 'small.txt', mimeType: 'text/plain', buffer: Buffer.from('small') },
  ]);
  await expect.poll(() => page.locator('li[data-ended=done]').count()).toBe(2);
  await expect
    .poll(async () => (await page.locator('li span').allTextContents()).sort())
    .toEqual([' large.bin: done', ' small.txt: done']);
  const bars = await page.evaluate<number[]>(`[...document.querySelectorAll('progress')].map(({ value }) => value)`);
  expect(bars).toEqual([1, 1]);
  const uploaded = path.join(place, 'uploaded');
  expect(
    readdirSync(uploaded)
      .filter((name) => !name.startsWith('.'))
      .sort(),
  ).toEqual(['large.bin', 'small.txt']);
  expect(readFileSync(path.join(uploaded, 'large.bin')).equals(content)).toBe(true);
  // The answer to `/favicon.ico` is no fault of a page.
  expect(faults).toEqual([]);
  await page.close();
  await daemon.dispose();
});
