/** Files with compressed copies beside them, as a build leaves them. */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WebService } from '../../../../src/http/service.js';
import { createWebService } from '../../../../src/webservice/registry.js';
import type { StaticConfig } from '../../../../src/webservice/static/schema.js';
import { recordingLog } from '../../../support/cookie-store.js';
import { exchange } from '../../../support/exchange.js';
import { serviceDeps, staticConfig } from '../../../support/web.js';

const SCRIPT = 'console.log("a script that is long enough"); '.repeat(20);
const BR = brotliCompressSync(SCRIPT);
const GZ = gzipSync(SCRIPT);
const BUILT = new Date('2026-01-02T03:04:05.600Z');

let web: string;

beforeEach(() => {
  web = mkdtempSync(path.join(tmpdir(), 'crossbar-ts-built-'));
  put('app.js', SCRIPT);
  put('app.js.br', BR);
  put('app.js.gz', GZ);
  put('plain.js', SCRIPT);
});

afterEach(() => rmSync(web, { recursive: true, force: true }));

function put(name: string, content: string | Buffer, time = BUILT): void {
  mkdirSync(path.dirname(path.join(web, name)), { recursive: true });
  writeFileSync(path.join(web, name), content);
  utimesSync(path.join(web, name), time, time);
}

async function serve(
  options: Partial<StaticConfig['options']> = {},
  deps: Parameters<typeof serviceDeps>[0] = {},
): Promise<WebService> {
  const service = createWebService(staticConfig(web, options), serviceDeps(deps));
  await service.start?.();
  return service;
}

/** @returns the answer to a client that takes these codings. */
async function get(
  rest: string,
  encodings: string | undefined,
  headers: Readonly<Record<string, string>> = {},
  { method = 'GET', service }: { method?: string; service?: WebService } = {},
): ReturnType<typeof exchange> {
  const accepts = encodings === undefined ? {} : { 'accept-encoding': encodings };
  return exchange(service ?? (await serve()), { method, rest, headers: { ...accepts, ...headers } });
}

const LENGTHS: Readonly<Record<string, number>> = { br: BR.length, gzip: GZ.length, none: SCRIPT.length };

describe('a client gets the copy that it likes best', () => {
  it.each([
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip, deflate', 'gzip'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['br;q=0.5, gzip', 'gzip'],
    ['br;q=0.5, gzip;q=0.5', 'br'],
    ['br;q=0, gzip;q=0.001', 'gzip'],
    ['br;q=0, gzip;q=0', 'none'],
    ['*', 'br'],
    ['*;q=0.1, br;q=0', 'gzip'],
    ['*;q=0', 'none'],
    ['identity', 'none'],
    ['identity;q=0, gzip;q=0.1', 'gzip'],
    ['identity;q=0.5, gzip;q=0.4', 'none'],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    // Nothing else is there, and better than nothing.
    ['identity;q=0', 'none'],
    ['zstd', 'none'],
    ['br;q=nonsense', 'none'],
    ['', 'none'],
    [undefined, 'none'],
  ])('with Accept-Encoding %j: %s', async (encodings, coding) => {
    const { status, headers } = await get('/app.js', encodings);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'content-length': String(LENGTHS[coding]),
      'last-modified': BUILT.toUTCString(),
      vary: 'Accept-Encoding',
    });
    expect(headers['content-encoding']).toBe(coding === 'none' ? undefined : coding);
  });

  it('of a file that has only one', async () => {
    put('only.css', SCRIPT);
    put('only.css.gz', GZ);
    expect((await get('/only.css', 'br, gzip')).headers).toMatchObject({
      'content-encoding': 'gzip',
      'content-type': 'text/css; charset=utf-8',
      vary: 'Accept-Encoding',
    });
    const plain = await get('/only.css', 'br');
    expect(plain.headers).not.toHaveProperty('content-encoding');
    expect(plain.headers['vary']).toBe('Accept-Encoding');
  });

  it('with the media type of the config, and the caching of the file', async () => {
    put('index-BxY2a9Qz.page', SCRIPT);
    put('index-BxY2a9Qz.page.br', BR);
    put('index-BxY2a9Qz.js', SCRIPT);
    put('index-BxY2a9Qz.js.br', BR);
    const service = await serve({ mime_types: { '.page': 'text/html', '.br': 'application/x-br' } });
    expect((await get('/index-BxY2a9Qz.page', 'br', {}, { service })).headers).toMatchObject({
      'content-type': 'text/html',
      'cache-control': 'no-cache',
      'content-encoding': 'br',
    });
    expect((await get('/index-BxY2a9Qz.js', 'br', {}, { service })).headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-encoding': 'br',
    });
  });

  it('also of a default file', async () => {
    put('index.html', SCRIPT);
    put('index.html.br', BR);
    const service = await serve({ default_file: 'index.html' });
    for (const rest of ['/', '/rooms/7']) {
      expect((await get(rest, 'br', {}, { service })).headers).toMatchObject({
        'content-encoding': 'br',
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-cache',
        vary: 'Accept-Encoding',
      });
    }
  });
});

describe('a file without copies', () => {
  it('is sent as it is, and is the same for everybody', async () => {
    const { headers, body } = await get('/plain.js', 'br, gzip');
    expect(body).toBe(SCRIPT);
    expect(headers).not.toHaveProperty('content-encoding');
    expect(headers).not.toHaveProperty('vary');
  });

  it('gets one while the node runs, and loses it again', async () => {
    const service = await serve();
    const codings: unknown[] = [];
    const look = async () =>
      codings.push((await get('/plain.js', 'gzip', {}, { service })).headers['content-encoding']);
    await look();
    put('plain.js.gz', GZ);
    await look();
    rmSync(path.join(web, 'plain.js.gz'));
    await look();
    expect(codings).toEqual([undefined, 'gzip', undefined]);
  });

  it('is what a copy is, when it is asked for itself', async () => {
    const { headers } = await get('/app.js.gz', 'br, gzip');
    expect(headers).toMatchObject({ 'content-type': 'application/gzip', 'content-length': String(GZ.length) });
    expect(headers).not.toHaveProperty('content-encoding');
    expect(headers).not.toHaveProperty('vary');
    const listing = await exchange(await serve({ enable_directory_listing: true }), { rest: '/' });
    expect(listing.body).toContain('href="./app.js.br"');
  });
});

describe('a copy', () => {
  it('has validators of its own', async () => {
    // The same length and time: only the coding tells them apart.
    put('app.js.gz', BR);
    const tags = [];
    for (const coding of ['br', 'gzip', 'identity']) {
      const { headers } = await get('/app.js', coding);
      tags.push(headers['etag']);
      const again = await get('/app.js', coding, { 'if-none-match': headers['etag'] ?? '' });
      expect(again.status).toBe(304);
      expect(again.headers['vary']).toBe('Accept-Encoding');
      expect(again.headers).not.toHaveProperty('content-encoding');
    }
    expect(new Set(tags).size).toBe(3);
    expect((await get('/app.js', 'gzip', { 'if-none-match': tags[0] ?? '' })).status).toBe(200);
    expect((await get('/app.js', 'gzip', { 'if-modified-since': BUILT.toUTCString() })).status).toBe(304);
  });

  it.each(['br', 'gzip'])('is sent in parts, and only to who has the first part of the same: %s', async (coding) => {
    const { headers } = await get('/app.js', coding);
    const length = LENGTHS[coding] ?? 0;
    const range = { range: 'bytes=10-' };
    const rest = await get('/app.js', coding, { ...range, 'if-range': headers['etag'] ?? '' });
    expect(rest.status).toBe(206);
    expect(rest.headers).toMatchObject({
      'content-encoding': coding,
      'content-range': `bytes 10-${length - 1}/${length}`,
      'content-length': String(length - 10),
      vary: 'Accept-Encoding',
    });
    const other = await get('/app.js', coding === 'br' ? 'gzip' : 'br', {
      ...range,
      'if-range': headers['etag'] ?? '',
    });
    expect(other.status).toBe(200);
    expect((await get('/app.js', undefined, range)).headers).toMatchObject({
      'content-range': `bytes 10-${SCRIPT.length - 1}/${SCRIPT.length}`,
    });
  });

  it('leaves nothing of itself on an error', async () => {
    for (const headers of [{ range: 'bytes=999999-' }, { 'if-match': '"other"' }]) {
      const answer = await get('/app.js', 'br', headers);
      expect([412, 416]).toContain(answer.status);
      expect(answer.headers).not.toHaveProperty('content-encoding');
      expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
      expect(answer.headers['cache-control']).toBe('no-store');
    }
  });

  it('is announced to HEAD', async () => {
    const { headers, body } = await get('/app.js', 'br', {}, { method: 'HEAD' });
    expect(body).toBe('');
    expect(headers).toMatchObject({ 'content-encoding': 'br', 'content-length': String(BR.length) });
  });

  it('that is older than its file is not served, and the log says so once', async () => {
    const older = new Date(BUILT.getTime() - 1000);
    for (const name of ['app.js.br', 'app.js.gz']) utimesSync(path.join(web, name), older, older);
    const { log, entries } = recordingLog();
    const service = await serve({}, { log });
    for (let i = 0; i < 2; i++) {
      const { headers, body } = await get('/app.js', 'br, gzip', {}, { service });
      expect(body).toBe(SCRIPT);
      expect(headers).not.toHaveProperty('vary');
    }
    const msg = 'compressed copy is older than its file, and not served';
    expect(entries).toMatchObject([{ level: 'warn', file: path.join(web, 'app.js.br'), msg }]);
  });

  it('may have lost the fraction of the second in which its file was made', async () => {
    const second = new Date(BUILT.getTime() - BUILT.getMilliseconds());
    utimesSync(path.join(web, 'app.js.br'), second, second);
    expect((await get('/app.js', 'br')).headers['content-encoding']).toBe('br');
  });
});

describe('what is no copy', () => {
  const outside = (name: string): string => path.join(path.dirname(web), `${path.basename(web)}-${name}`);

  it.each([
    ['a link that leads out', () => symlinkSync(outside('secret'), path.join(web, 'plain.js.gz'))],
    ['a link to what is hidden', () => symlinkSync('.hidden', path.join(web, 'plain.js.gz'))],
    ['a link to nothing', () => symlinkSync('gone', path.join(web, 'plain.js.gz'))],
    ['a link to itself', () => symlinkSync('plain.js.gz', path.join(web, 'plain.js.gz'))],
    ['a directory', () => mkdirSync(path.join(web, 'plain.js.gz'))],
    ['what is private to the node', () => writeFileSync(path.join(web, 'plain.js.gz'), 'secret')],
  ])('is passed over: %s', async (what, make) => {
    writeFileSync(outside('secret'), 'secret');
    put('.hidden', 'secret');
    make();
    const privatePaths = what.includes('private') ? [path.join(web, 'plain.js.gz')] : [];
    const service = await serve({}, { privatePaths });
    const { status, headers, body } = await get('/plain.js', 'gzip', {}, { service });
    rmSync(outside('secret'));
    expect([status, body]).toEqual([200, SCRIPT]);
    expect(headers).not.toHaveProperty('content-encoding');
    expect(headers).not.toHaveProperty('vary');
  });

  it('is what lies beside the one file that is all there is', async () => {
    const service = createWebService(staticConfig(path.join(web, 'app.js')), serviceDeps());
    await service.start?.();
    expect((await exchange(service, { rest: '', headers: { 'accept-encoding': 'br' } })).body).toBe(SCRIPT);
  });

  it('may be a link inside', async () => {
    symlinkSync('app.js.gz', path.join(web, 'plain.js.gz'));
    expect(statSync(path.join(web, 'plain.js.gz')).size).toBe(readFileSync(path.join(web, 'app.js.gz')).length);
    expect((await get('/plain.js', 'gzip')).headers['content-encoding']).toBe('gzip');
  });
});
