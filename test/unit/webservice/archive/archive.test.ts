import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { WebService } from '../../../../src/http/service.js';
import { serve } from '../../../../src/http/methods.js';
import type { ArchiveConfig } from '../../../../src/webservice/archive/schema.js';
import { createWebService } from '../../../../src/webservice/registry.js';
import { webServiceContract } from '../../../contract/web-service.js';
import { recordingLog } from '../../../support/cookie-store.js';
import { exchange, openExchange } from '../../../support/exchange.js';
import { serviceDeps } from '../../../support/web.js';
import { zipOf } from '../../../support/zips.js';
import type { ZipEntryParts } from '../../../support/zips.js';

const HOME = '<h1>home</h1>';
const LONG = 'some text that repeats itself. '.repeat(50_000);

const ENTRIES: readonly ZipEntryParts[] = [
  { name: 'index.html', content: HOME },
  { name: 'stored.txt', content: 'as it is', method: 0 },
  { name: 'sub/index.html', content: 'sub home' },
  { name: 'sub/app.min.js', content: 'export {};' },
  { name: 'assets/index-BxY2a9Qz.js', content: 'export {};' },
  { name: 'a b & ☃.txt', content: 'odd name' },
  { name: 'long.txt', content: LONG },
  { name: 'damaged.txt', content: 'abc', crc: 1 },
  { name: 'damaged-long.txt', content: LONG, crc: 1 },
  { name: '.env', content: 'SECRET=1' },
];

let top: string;
let file: string;

beforeAll(() => {
  top = mkdtempSync(path.join(tmpdir(), 'crossbar-ts-archive-'));
  file = path.join(top, 'pages.zip');
  writeFileSync(file, zipOf(ENTRIES));
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

const made: WebService[] = [];
// Each holds its file open until then.
afterEach(async () => {
  for (const service of made.splice(0)) await service.stop?.();
});

type Parts = Partial<Omit<ArchiveConfig, 'options'>> & { readonly options?: Partial<ArchiveConfig['options']> };

function archive({ options, ...parts }: Parts = {}, log = recordingLog().log): WebService {
  const defaults = { download: false, hashes: [], cache: false, default_object: 'index.html', mime_types: {} };
  const config: ArchiveConfig = {
    ...{ type: 'archive', archive: file, ...defaults, ...parts },
    options: { allow_cross_origin: false, timeout: 60, ...options },
  };
  const service = createWebService(config, serviceDeps({ log }));
  made.push(service);
  return service;
}

async function started(parts?: Parts): Promise<WebService> {
  const service = archive(parts);
  await service.start?.();
  return service;
}

const GZIP = { 'accept-encoding': 'gzip, br' };

/** @returns what was sent, and its body as bytes. */
async function bytesOf(service: WebService, rest: string, headers: Readonly<Record<string, string>>): Promise<Buffer> {
  const { request, res, socket } = openExchange({ rest, headers });
  const chunks: Buffer[] = [];
  socket._write = (chunk: Buffer | string, encoding: BufferEncoding, done: () => void): void => {
    chunks.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
    done();
  };
  socket._writev = (parts, done): void => {
    for (const { chunk, encoding } of parts) socket._write(chunk, encoding, () => undefined);
    done();
  };
  const finished = new Promise((resolve) => res.once('finish', resolve));
  await Promise.all([serve(service, request, res), finished]);
  const all = Buffer.concat(chunks);
  return all.subarray(all.indexOf('\r\n\r\n') + 4);
}

describe('an entry', () => {
  it('goes out as it is packed to a client that takes gzip, and unpacked to others', async () => {
    const service = await started();
    const plain = await exchange(service, { rest: '/long.txt' });
    const packed = await exchange(service, { rest: '/long.txt', headers: GZIP });
    expect(plain.body).toBe(LONG);
    expect(plain.headers).toMatchObject({ 'content-length': String(LONG.length), vary: 'Accept-Encoding' });
    expect(plain.headers).not.toHaveProperty('content-encoding');
    expect(packed.headers).toMatchObject({
      'content-encoding': 'gzip',
      vary: 'Accept-Encoding',
      'content-type': 'text/plain; charset=utf-8',
    });
    expect(packed.headers['etag']).not.toBe(plain.headers['etag']);
    const bytes = await bytesOf(service, '/long.txt', GZIP);
    expect(bytes).toHaveLength(Number(packed.headers['content-length']));
    expect(gunzipSync(bytes).toString()).toBe(LONG);
  });

  it.each([
    ['gzip', true],
    ['x-gzip', true],
    ['*', true],
    ['br', false],
    ['gzip;q=0', false],
    ['gzip;q=0.2, identity', false],
    ['', false],
  ])('with Accept-Encoding %j is packed: %s', async (accepted, isPacked) => {
    const answer = await exchange(await started(), { headers: { 'accept-encoding': accepted } });
    expect(answer.headers['content-encoding']).toBe(isPacked ? 'gzip' : undefined);
  });

  it('that is stored goes out as it is', async () => {
    const { headers, body } = await exchange(await started(), { rest: '/stored.txt', headers: GZIP });
    expect(body).toBe('as it is');
    expect(headers).not.toHaveProperty('content-encoding');
    expect(headers).not.toHaveProperty('vary');
  });

  it.each([
    ['/', HOME],
    ['/sub/', 'sub home'],
    ['/sub/index.html', 'sub home'],
    ['/a%20b%20&%20%E2%98%83.txt', 'odd name'],
  ])('is found at %s', async (rest, text) => {
    for (const cache of [false, true]) {
      const { status, body } = await exchange(await started({ cache }), { rest });
      expect([status, body]).toEqual([200, text]);
    }
  });

  it.each(['/nothing', '/.env', '//index.html', '/sub%2findex.html', '/index.html/', '/../index.html', '/constructor'])(
    'is not found at %s',
    async (rest) => {
      expect((await exchange(await started(), { rest })).status).toBe(404);
    },
  );

  it.each([
    ['/', '', '/'],
    ['/docs', '', '/docs/?a=b'],
    ['/docs', '/sub', '/docs/sub/?a=b'],
  ])('of a directory without slash is behind a redirect: %s %s', async (mount, rest, location) => {
    const { status, headers } = await exchange(await started(), { mount, rest, query: mount === '/' ? '' : '?a=b' });
    expect([status, headers['location']]).toEqual([302, location]);
  });

  it('may be below a prefix, with another page for directories', async () => {
    const service = await started({ object_prefix: 'sub/', default_object: 'app.min.js' });
    expect((await exchange(service)).body).toBe('export {};');
    expect((await exchange(service, { rest: '/index.html' })).body).toBe('sub home');
    expect((await exchange(service, { rest: '/sub/index.html' })).status).toBe(404);
  });

  it('answers for paths that do not exist, but not for files', async () => {
    const service = await started({ options: { default_file: 'sub/index.html' } });
    const headers = { accept: 'text/html' };
    expect(await exchange(service, { rest: '/rooms/7', headers })).toMatchObject({ status: 200, body: 'sub home' });
    expect((await exchange(service, { rest: '/gone.js', headers })).status).toBe(404);
    expect((await exchange(service, { rest: '/rooms/7', headers: { accept: 'image/png' } })).status).toBe(404);
  });

  it('is asked for each time, unless its name has a hash', async () => {
    const service = await started();
    expect((await exchange(service)).headers['cache-control']).toBe('no-cache');
    expect((await exchange(service, { rest: '/assets/index-BxY2a9Qz.js' })).headers['cache-control']).toBe(
      'public, max-age=31536000, immutable',
    );
  });

  it('has the type of its longest extension, and may be read by others where the config says so', async () => {
    const service = await started({ mime_types: { '.min.js': 'text/x-min' }, options: { allow_cross_origin: true } });
    const { headers } = await exchange(service, { rest: '/sub/app.min.js' });
    expect(headers).toMatchObject({ 'content-type': 'text/x-min', 'access-control-allow-origin': '*' });
    expect((await exchange(await started())).headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('that is damaged is an error, or cut, and never whole', async () => {
    for (const cache of [false, true]) {
      const service = await started({ cache });
      await expect(exchange(service, { rest: '/damaged.txt' })).rejects.toThrow(/is not what the directory says/);
      const { request, res, socket } = openExchange({ rest: '/damaged-long.txt' });
      // The server does this.
      for (const each of [res, socket]) each.on('error', () => undefined);
      await expect(service.handle(request, res)).rejects.toThrow(/is not what the directory says/);
      expect(socket.sent.length).toBeLessThan(LONG.length);
      if (!cache) expect(res.destroyed).toBe(true);
    }
  });
});

describe('the archive', () => {
  it('is the one of the start, whatever takes its place', async () => {
    const own = path.join(top, 'own.zip');
    writeFileSync(own, readFileSync(file));
    const service = await started({ archive: own });
    rmSync(own);
    writeFileSync(own, 'something else');
    expect((await exchange(service)).body).toBe(HOME);
    await service.stop?.();
    await expect(started({ archive: own })).rejects.toThrow(`cannot serve the archive ${own}: it is no ZIP file`);
  });

  it('must be there, and be one of the hashes', async () => {
    await expect(started({ archive: path.join(top, 'gone.zip') })).rejects.toThrow('gone.zip: it does not exist');
    await expect(started({ hashes: ['ab'.repeat(32)] })).rejects.toThrow(
      /its SHA-256 is [0-9a-f]{64}, which is none of/,
    );
    await expect(started({ archive: top })).rejects.toThrow('it is no file');
  });

  it('says what it has, and what it does not serve', async () => {
    const { log, entries } = recordingLog();
    await archive({}, log).start?.();
    expect(entries).toMatchObject([
      { level: 'info', archive: file, entries: ENTRIES.length - 1, msg: 'archive opened' },
      { level: 'warn', ignored: 1, repeated: 0, msg: 'archive has entries that are not served' },
    ]);
  });
});

webServiceContract('archive', { create: () => archive(), validators: true, upgrades: false });
