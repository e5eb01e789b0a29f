/**
 * resumable.js in Chromium against the service `upload`: large files that are interrupted and go on, names of any kind, files that are
 * refused, and the progress that pages are told.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { AUTOBAHN_PAGE_PATHS, AutobahnPage, launchBrowser } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { nodeConfig, openRealm } from '../support/node-config.js';

const RESUMABLE = path.resolve(import.meta.dirname, '../../node_modules/resumablejs');
const MIB = 1024 * 1024;
const TOPIC = 'com.example.progress';

let browser: Browser;
let daemon: Daemon;
let context: BrowserContext;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

beforeEach(async () => {
  const config = nodeConfig({
    realms: [openRealm('realm1')],
    transport: {
      endpoint: { type: 'tcp', port: '$PORT', interface: '127.0.0.1' },
      cookie: { store: { type: 'file', filename: 'cookies.dat' } },
      options: { access_log: true },
    },
    paths: {
      ...AUTOBAHN_PAGE_PATHS,
      resumable: { type: 'static', directory: RESUMABLE },
      upload: {
        type: 'upload',
        realm: 'realm1',
        role: 'anonymous',
        directory: '../uploaded',
        options: { max_file_size: 60 * MIB, topics: ['com.example.*'] },
      },
    },
  });
  daemon = await startDaemon({ config });
  context = await browser.newContext();
});
afterEach(async () => {
  await context.close();
  await daemon.dispose();
});

const directory = (): string => path.join(path.dirname(daemon.cbdir), 'uploaded');
const uploaded = (): string[] =>
  readdirSync(directory())
    .filter((name) => !name.startsWith('.'))
    .sort();
const text = (name: string): string => readFileSync(path.join(directory(), name), 'utf8');

/** How many pieces are on the disk. */
function pieces(): number {
  const place = path.join(directory(), '.unfinished');
  if (!existsSync(place)) return 0;
  const keys = readdirSync(place);
  return keys.flatMap((key) => readdirSync(path.join(place, key))).filter((name) => /^[0-9]+$/.test(name)).length;
}

/** What the node has answered at the upload. */
function answers(method: string, status?: number): number {
  return daemon.logs.filter(
    (record) =>
      record.msg === 'request' &&
      record['path'] === '/upload' &&
      record['method'] === method &&
      (status === undefined || record['status'] === status),
  ).length;
}

/** The file that the page makes: bytes that any page makes again. */
const LARGE = 50 * MIB;
const LARGE_NAME = 'large.bin';
function largeHash(): string {
  const hash = createHash('sha256');
  for (let index = 0; index < LARGE / MIB; index += 1) hash.update(Buffer.alloc(MIB, `${String(index)}-`));
  return hash.digest('hex');
}

/** Loads resumable.js into a page, with what the tests say to it. */
async function load(page: Page): Promise<void> {
  await page.addScriptTag({ url: '/resumable/resumable.js' });
  await page.addScriptTag({
    content: `
      const MIB = 1024 * 1024;
      const large = () => {
        const parts = Array.from({ length: ${String(LARGE / MIB)} }, (_, index) => {
          const part = (index + '-').repeat(MIB);
          return new TextEncoder().encode(part.slice(0, MIB));
        });
        return new File(parts, '${LARGE_NAME}');
      };
      /** Resolves with how each file ended. */
      const upload = (files, options = {}, names = []) => new Promise((resolve) => {
        const ended = [];
        const r = new Resumable({ target: '/upload', chunkRetryInterval: 50, maxChunkRetries: 2000, ...options });
        const end = (how) => { ended.push(how); if (ended.length === files.length) resolve(ended); };
        r.on('fileSuccess', (file) => end('success'));
        r.on('fileError', (file, message) => end(message));
        r.on('filesAdded', () => {
          names.forEach((name, index) => { r.files[index].fileName = name; });
          r.upload();
        });
        r.addFiles(files);
      });`,
  });
}

async function open(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(daemon.url('/'));
  await page.goto(daemon.url('/autobahn/package.json'));
  await load(page);
  return page;
}

test('50 MB go on where they were when the node is killed and started again', async () => {
  const page = await open();
  const ended = page.evaluate<string[]>('upload([large()])');
  await expect.poll(pieces, { timeout: 60_000, interval: 5 }).toBeGreaterThan(10);
  await daemon.kill();
  const before = answers('POST', 200);
  expect(uploaded()).toEqual([]);
  const kept = pieces();
  daemon = await daemon.restart();
  expect(await ended).toEqual(['success']);
  expect(statSync(path.join(directory(), LARGE_NAME)).size).toBe(LARGE);
  expect(
    createHash('sha256')
      .update(readFileSync(path.join(directory(), LARGE_NAME)))
      .digest('hex'),
  ).toBe(largeHash());
  expect(uploaded()).toEqual([LARGE_NAME]);
  expect(pieces()).toBe(0);
  // What was on the disk was not sent again, but for pieces whose answers were lost.
  expect(kept).toBeGreaterThan(10);
  expect(answers('POST', 200)).toBeLessThanOrEqual(LARGE / MIB - before);
});

test('50 MB go on where they were when the page is loaded again', async () => {
  const page = await open();
  void page.evaluate('upload([large()])').catch(() => undefined);
  await expect.poll(pieces, { timeout: 60_000, interval: 5 }).toBeGreaterThan(10);
  await page.reload();
  await load(page);
  expect(await page.evaluate<string[]>('upload([large()])')).toEqual(['success']);
  expect(
    createHash('sha256')
      .update(readFileSync(path.join(directory(), LARGE_NAME)))
      .digest('hex'),
  ).toBe(largeHash());
  expect(answers('GET', 200)).toBeGreaterThan(10);
  expect(answers('POST', 200)).toBeLessThan(LARGE / MIB + 4);
});

test('two files of one name stand beside each other', async () => {
  const page = await open();
  const files = `[new File(['first'], 'a.txt'), new File(['second one'], 'a.txt')]`;
  expect(await page.evaluate<string[]>(`upload(${files}, { simultaneousUploads: 1 })`)).toEqual(['success', 'success']);
  expect(uploaded()).toEqual(['a (1).txt', 'a.txt']);
  expect([text('a.txt'), text('a (1).txt')]).toEqual(['first', 'second one']);
});

test('names of any kind stay in the directory', async () => {
  const page = await open();
  const around = readdirSync(path.dirname(daemon.cbdir)).sort();
  const names = ['../../a1', '/etc/a2', 'C:\\\\a3', 'a4\\0.txt', 'x'.repeat(300), 'a b/../ü.csv', '.a5'];
  const files = names.map((_, index) => `new File(['${'x'.repeat(index + 1)}'], 'f${String(index)}')`);
  const quoted = names.map((name) => `'${name}'`);
  const ended = await page.evaluate<string[]>(`upload([${files.join()}], {}, [${quoted.join()}])`);
  // A NUL cannot stand in the head of a part; in a field it can, see below.
  const NUL = ['400 Bad Request\nthe body is no form (multipart/form-data), or not all of it\n'];
  expect(ended.filter((how) => how !== 'success')).toEqual(NUL);
  const expected = ['a1', 'a2', 'a3', 'x'.repeat(255), 'ü.csv', 'a5'];
  expect(uploaded()).toEqual(expected.sort());
  // The same by hand.
  const statuses = await page.evaluate<
    number[]
  >(`Promise.all(['../b1', '/b2', 'b3\\0', '..', '', '日本.txt', 'C:\\\\b4'].map(async (name) => {
    const form = new FormData();
    const fields = { resumableChunkNumber: 1, resumableChunkSize: 10, resumableTotalSize: 4, resumableTotalChunks: 1 };
    for (const [key, value] of Object.entries({ ...fields, resumableIdentifier: name, resumableFilename: name })) form.append(key, value);
    form.append('file', new Blob(['1234']), 'blob');
    return (await fetch('/upload', { method: 'POST', body: form })).status;
  }))`);
  expect(statuses).toEqual([200, 200, 200, 400, 400, 200, 200]);
  expect(uploaded()).toEqual([...expected, 'b1', 'b2', 'b3', 'b4', '日本.txt'].sort());
  expect(readdirSync(path.dirname(daemon.cbdir)).sort()).toEqual(around);
});

test('a file that is too large stops at once', async () => {
  const page = await open();
  const file = `new File([new Uint8Array(${String(60 * MIB + 1)})], 'huge.bin')`;
  const [message] = await page.evaluate<string[]>(`upload([${file}], { simultaneousUploads: 1 })`);
  expect(message).toContain('the file is larger than 62914560 bytes');
  // It is in the log when the connection has ended.
  await expect.poll(() => answers('POST')).toBe(1);
  expect(pieces()).toBe(0);
});

test('progress is told where it should be, and nowhere else', async () => {
  const origin = daemon.url('/autobahn/package.json').replace('/autobahn/package.json', '');
  // The pages of autobahn are not at `/`, where the node has JSON.
  const mine = await AutobahnPage.join(context, origin);
  const other = await AutobahnPage.join(context, origin);
  for (const page of [mine, other]) await page.subscribe(TOPIC);
  await load(mine.page);
  const query = `{ on_progress: '${TOPIC}', session: ${String(mine.joined.sessionId)}, chunk_extra: '{"a":1}', finish_extra: '{"b":2}' }`;
  const file = `new File([new Uint8Array(${String(2 * MIB + 500)})], 'p.bin')`;
  expect(await mine.page.evaluate<string[]>(`upload([${file}], { query: ${query}, simultaneousUploads: 1 })`)).toEqual([
    'success',
  ]);
  const told: Record<string, unknown>[] = [];
  for (let count = 0; count < 4; count += 1) told.push((await mine.nextEvent()).args[0] as Record<string, unknown>);
  expect(told.map(({ status, progress }) => [status, progress])).toEqual([
    ['started', 0],
    ['progress', 0.5],
    ['progress', 1],
    ['finished', 1],
  ]);
  expect(told.at(-1)).toEqual({
    ...{ id: `${String(2 * MIB + 500)}-pbin`, name: 'p.bin', chunk: 2, total: 2 * MIB + 500, remaining: 0 },
    ...{ status: 'finished', progress: 1, chunk_extra: { a: 1 }, finish_extra: { b: 2 } },
  });
  // The other one hears of this one first.
  await mine.publish(TOPIC, ['behind'], {}, { exclude_me: false });
  expect((await other.nextEvent()).args).toEqual(['behind']);
  // And a topic that is not allowed stops the upload at once.
  const refused = `upload([new File(['x'], 'q.bin')], { query: { on_progress: 'org.example' } })`;
  expect((await mine.page.evaluate<string[]>(refused))[0]).toContain('progress is not told on that topic');
  expect(uploaded()).toEqual(['p.bin']);
});
