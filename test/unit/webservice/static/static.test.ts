import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createWebService } from '../../../../src/webservice/registry.js';
import type { StaticConfig } from '../../../../src/webservice/static/schema.js';
import type { WebService } from '../../../../src/http/service.js';
import { webServiceContract } from '../../../contract/web-service.js';
import { recordingLog } from '../../../support/cookie-store.js';
import { exchange } from '../../../support/exchange.js';
import { serviceDeps, staticConfig } from '../../../support/web.js';

const HELLO = 'Hello, world!';
const MODIFIED = new Date('2026-01-02T03:04:05Z');

/** `web/` lies below a dot directory, as the one of the default node does; `secret.txt` lies beside it. */
let top: string;
let web: string;

beforeAll(() => {
  top = mkdtempSync(path.join(tmpdir(), 'crossbar-ts-static-'));
  web = path.join(top, '.crossbar', 'web');
  const files: Readonly<Record<string, string>> = {
    'index.html': '<h1>home</h1>',
    'hello.txt': HELLO,
    'empty.txt': '',
    'a b & <c>.txt': 'odd name',
    '100%.txt': 'percent',
    'snowman-☃.txt': 'snow',
    'page.MD': '# page',
    '.env': 'SECRET=1',
    '.git/config': 'secret',
    '.well-known/security.txt': 'Contact: us',
    'sub/index.html': 'sub home',
    'sub/start.html': 'start here',
    'bare/file.js': 'export {};',
    'bare/javascript:alert(1)': 'not a link',
    'bare/.hidden': 'hidden',
    'bare/zdir/x.txt': 'x',
    'indexdir/index.html/x': 'a directory with the name of a default file',
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(web, name)), { recursive: true });
    writeFileSync(path.join(web, name), text);
  }
  writeFileSync(path.join(top, 'secret.txt'), 'outside');
  mkdirSync(path.join(top, '.crossbar', 'web-private'));
  writeFileSync(path.join(top, '.crossbar', 'web-private', 'x.txt'), 'outside');
  symlinkSync('hello.txt', path.join(web, 'inside-link.txt'));
  symlinkSync('../../secret.txt', path.join(web, 'outside-link.txt'));
  symlinkSync('../..', path.join(web, 'outside-dir'));
  symlinkSync('../web-private', path.join(web, 'sibling'));
  symlinkSync('loop', path.join(web, 'loop'));
  symlinkSync('gone.txt', path.join(web, 'dangling'));
  execFileSync('mkfifo', [path.join(web, 'pipe')]);
  utimesSync(path.join(web, 'hello.txt'), MODIFIED, MODIFIED);
});

afterAll(() => rmSync(top, { recursive: true, force: true }));

async function serve(options: Partial<StaticConfig['options']> = {}, directory = web): Promise<WebService> {
  const service = createWebService(staticConfig(directory, options), serviceDeps());
  await service.start?.();
  return service;
}

describe('a file', () => {
  it('is sent with its type, its validators and 12 hours of caching', async () => {
    const { status, headers, body } = await exchange(await serve(), { rest: '/hello.txt' });
    expect(status).toBe(200);
    expect(body).toBe(HELLO);
    expect(headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(HELLO.length),
      'cache-control': 'max-age=43200, public',
      'last-modified': MODIFIED.toUTCString(),
      'accept-ranges': 'bytes',
    });
    expect(headers['etag']).toMatch(/^W?\/?".+"$/);
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });

  it.each([
    ['/hello.txt', 200],
    ['/nothing.txt', 404],
    ['/sub', 302],
  ])(
    'may be read by pages of other sites where the config says so, and never as the visitor: %s',
    async (rest, status) => {
      const service = await serve({ allow_cross_origin: true });
      const answer = await exchange(service, { rest, headers: { origin: 'https://example.com' } });
      expect(answer.status).toBe(status);
      expect(answer.headers['access-control-allow-origin']).toBe('*');
      expect(answer.headers).not.toHaveProperty('access-control-allow-credentials');
      const closed = await exchange(await serve(), { rest, headers: { origin: 'https://example.com' } });
      expect(closed.headers).not.toHaveProperty('access-control-allow-origin');
    },
  );

  it.each([
    ['/hello.txt?x=1', HELLO],
    ['/empty.txt', ''],
    ['/a%20b%20&%20%3Cc%3E.txt', 'odd name'],
    ['/100%25.txt', 'percent'],
    ['/snowman-%E2%98%83.txt', 'snow'],
    ['/inside-link.txt', HELLO],
    ['/.well-known/security.txt', 'Contact: us'],
    ['/sub/start.html', 'start here'],
  ])('is found at %s', async (url, text) => {
    const [rest = '', query = ''] = url.split(/(?=\?)/);
    const { status, body } = await exchange(await serve(), { rest, query });
    expect([status, body]).toEqual([200, text]);
  });

  it.each([
    '/nothing.txt',
    '/hello.txt/',
    '/hello.txt/x',
    '/.env',
    '/.git/config',
    '/.git/',
    '/sub/../hello.txt',
    '/..%2f..%2fsecret.txt',
    '/%2e%2e%2f%2e%2e%2fsecret.txt',
    '/..%5c..%5csecret.txt',
    '/%252e%252e/secret.txt',
    '/sub%2findex.html',
    '//hello.txt',
    '/sub//index.html',
    '/outside-link.txt',
    '/outside-dir/secret.txt',
    '/outside-dir/',
    '/sibling/x.txt',
    '/loop',
    '/dangling',
    '/pipe',
    `/${'x'.repeat(300)}`,
    '/~root',
    '/etc/passwd',
  ])('is not found at %s', async (rest) => {
    const { status, body } = await exchange(await serve({ enable_directory_listing: true }), { rest });
    expect(status).toBe(404);
    expect(body).not.toMatch(/secret|outside|root:/i);
  });

  it('has the type that the config gives its extension, whatever the case', async () => {
    const service = await serve({ mime_types: { '.md': 'text/markdown; charset=utf-8', '.TXT': 'text/x-plain' } });
    expect((await exchange(service, { rest: '/page.MD' })).headers['content-type']).toBe(
      'text/markdown; charset=utf-8',
    );
    expect((await exchange(service, { rest: '/hello.txt' })).headers['content-type']).toBe('text/x-plain');
  });

  it.each([
    [-1, 'max-age=0, public'],
    [0, 'max-age=0, public'],
    [60, 'max-age=60, public'],
    [null, undefined],
  ])('is cached by cache_timeout %j as %j', async (cache_timeout, header) => {
    const { headers } = await exchange(await serve({ cache_timeout }), { rest: '/hello.txt' });
    expect(headers['cache-control']).toBe(header);
  });
});

describe('a part of a file', () => {
  it.each([
    ['bytes=0-4', 206, 'Hello', 'bytes 0-4/13'],
    ['bytes=7-', 206, 'world!', 'bytes 7-12/13'],
    ['bytes=-6', 206, 'world!', 'bytes 7-12/13'],
    ['bytes=5-5', 206, ',', 'bytes 5-5/13'],
    ['bytes=0-100', 206, HELLO, 'bytes 0-12/13'],
    ['bytes=0-1,5-6', 200, HELLO, undefined],
    ['bytes=5-2', 416, undefined, 'bytes */13'],
    ['bytes=13-', 416, undefined, 'bytes */13'],
    ['lines=1-2', 200, HELLO, undefined],
    ['bytes=x', 200, HELLO, undefined],
  ])('%s is answered with %d', async (range, status, text, contentRange) => {
    const answer = await exchange(await serve(), { rest: '/hello.txt', headers: { range } });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-range']).toBe(contentRange);
    if (text !== undefined) expect(answer.body).toBe(text);
    if (status === 416) expect(answer.headers).not.toHaveProperty('etag');
  });

  it('is the whole when If-Range knows another file', async () => {
    const headers = { range: 'bytes=0-4', 'if-range': '"other"' };
    expect((await exchange(await serve(), { rest: '/hello.txt', headers })).status).toBe(200);
  });
});

describe('a conditional request', () => {
  it.each([
    ['if-modified-since', MODIFIED.toUTCString(), 304],
    ['if-modified-since', new Date(MODIFIED.getTime() - 1000).toUTCString(), 200],
    ['if-none-match', '"other"', 200],
    ['if-none-match', '*', 304],
    ['if-match', '"other"', 412],
    ['if-unmodified-since', new Date(0).toUTCString(), 412],
  ])('with %s: %s is answered with %d', async (name, value, status) => {
    const answer = await exchange(await serve(), { rest: '/hello.txt', headers: { [name]: value } });
    expect(answer.status).toBe(status);
    if (status === 304) expect(answer.body).toBe('');
    if (status === 412) expect(answer.headers['cache-control']).toBe('no-store');
  });
});

describe('a directory', () => {
  it.each([
    ['/', '<h1>home</h1>'],
    ['/sub/', 'sub home'],
  ])('at %s is answered with its index.html', async (rest, text) => {
    const { status, headers, body } = await exchange(await serve(), { rest });
    expect([status, body]).toEqual([200, text]);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
  });

  it('is answered with the index of the config', async () => {
    expect((await exchange(await serve({ index: 'start.html' }), { rest: '/sub/' })).body).toBe('start here');
    expect((await exchange(await serve({ index: 'start.html' }), { rest: '/' })).status).toBe(404);
  });

  it('is not answered with the default file, but where it has no page and is not listed', async () => {
    const service = await serve({ default_file: 'hello.txt' });
    expect((await exchange(service, { rest: '/sub/' })).body).toBe('sub home');
    expect((await exchange(service, { rest: '/bare/' })).body).toBe(HELLO);
  });

  it.each([
    ['/', '/sub', '/sub/?a=b'],
    ['/docs', '/sub', '/docs/sub/?a=b'],
    ['/docs', '', '/docs/?a=b'],
    ['/', '/s%75b', '/s%75b/?a=b'],
  ])('mounted at %s and asked for as %j redirects to %s', async (mount, rest, location) => {
    const { status, headers } = await exchange(await serve(), { mount, rest, query: '?a=b' });
    expect(status).toBe(302);
    expect(headers['location']).toBe(location);
  });

  it.each(['//example.com', '//example.com/', '/%2fexample.com', '/\\example.com', '/%5cexample.com'])(
    'never redirects to another host: %s',
    async (rest) => {
      expect((await exchange(await serve(), { rest })).status).toBe(404);
    },
  );

  it.each(['/bare/', '/indexdir/'])('without a page is not listed by default: %s', async (rest) => {
    expect((await exchange(await serve(), { rest })).status).toBe(404);
  });

  it('is listed when the config says so', async () => {
    const service = await serve({ enable_directory_listing: true });
    const { status, headers, body } = await exchange(service, { mount: '/docs', rest: '/bare/' });
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' });
    expect(body).toContain('<h1>/docs/bare/</h1>');
    const links = [...body.matchAll(/<a href="([^"]*)">([^<]*)</g)].map(([, href, text]) => [href, text]);
    expect(links).toEqual([
      ['../', '..'],
      ['./zdir/', 'zdir/'],
      ['./file.js', 'file.js'],
      ['./javascript%3Aalert(1)', 'javascript:alert(1)'],
    ]);
    for (const [href = ''] of links.slice(2)) {
      expect((await exchange(service, { rest: `/bare/${href.slice(2)}` })).status).toBe(200);
    }
  });

  it('shows odd names harmlessly in its listing', async () => {
    const odd = path.join(top, 'odd');
    mkdirSync(odd);
    for (const name of ['a b & <c>.txt', '.env']) writeFileSync(path.join(odd, name), '');
    const { body } = await exchange(await serve({ enable_directory_listing: true }, odd), { rest: '/' });
    expect(body).toContain('<a href="./a%20b%20%26%20%3Cc%3E.txt">a b &amp; &lt;c&gt;.txt</a>');
    expect(body).not.toContain('.env');
    expect(body).not.toContain('href="../"');
  });
});

describe('a path that does not exist', () => {
  it.each([
    '/nothing',
    '/deep/down/?x=1',
    '/hello.txt/x',
    '/bare/',
    '/.git/config',
    '/outside-dir/secret',
    '/..%2f..%2fsecret',
  ])('is answered with the default file, where the config names one, and never with another: %s', async (rest) => {
    const service = await serve({ default_file: 'index.html' });
    const { status, body, headers } = await exchange(service, { mount: '/app', rest });
    expect([status, body]).toEqual([200, '<h1>home</h1>']);
    expect(headers['cache-control']).toBe('no-cache');
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
  });

  it('is not found where the config names no default file, or one that is not there', async () => {
    expect((await exchange(await serve(), { rest: '/nothing' })).status).toBe(404);
    for (const default_file of [
      'none.html',
      '.env',
      '..',
      'outside-link.txt',
      '../web-private/x.txt',
      'outside-dir/secret.txt',
    ]) {
      expect((await exchange(await serve({ default_file }), { rest: '/nothing' })).status).toBe(404);
    }
  });

  it.each([
    // What browsers say when a visitor goes somewhere, and for a script, a style, an image and `fetch`; then curl.
    ['/rooms/7', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 200],
    ['/rooms/v1.2', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 200],
    ['/rooms/v1.2', 'application/xhtml+xml', 200],
    ['/rooms/7/', '*/*', 200],
    ['/rooms/7', 'text/*', 200],
    ['/rooms/7', undefined, 200],
    ['/rooms/7', 'application/json', 404],
    ['/rooms/7', 'text/html;q=0, */*', 404],
    ['/rooms/7', 'image/avif,image/webp', 404],
    ['/assets/gone.js', undefined, 404],
    ['/assets/gone.js', '*/*', 404],
    ['/assets/gone.mp3', 'text/html', 404],
    ['/assets/gone.7z', 'text/html', 404],
    ['/old.html', 'text/html', 404],
    ['/.env', 'text/html', 404],
    ['/outside-link.txt', 'text/html', 404],
    ['/assets/gone.css', 'text/css,*/*;q=0.1', 404],
    ['/assets/gone.png', 'image/avif,image/webp,*/*;q=0.8', 404],
    ['/data.json', 'application/json', 404],
  ])('is a page unless a file is asked for: %s by a client that takes %j is %d', async (rest, accept, expected) => {
    const service = await serve({ default_file: 'index.html' });
    const { status, headers } = await exchange(service, { rest, headers: accept === undefined ? {} : { accept } });
    expect(status).toBe(expected);
    expect(headers['cache-control']).toBe(expected === 200 ? 'no-cache' : 'no-store');
  });

  it('may be answered with a file in a directory below', async () => {
    const { status, body } = await exchange(await serve({ default_file: 'sub/start.html' }), { rest: '/nothing' });
    expect([status, body]).toEqual([200, 'start here']);
  });

  it('leaves directories to their listing, and to their own slash', async () => {
    const service = await serve({ default_file: 'index.html', enable_directory_listing: true });
    expect((await exchange(service, { rest: '/bare/' })).body).toContain('file.js');
    expect((await exchange(service, { rest: '/sub' })).status).toBe(302);
  });
});

describe('the directory of the config', () => {
  it('may be a link', async () => {
    const link = path.join(top, 'link-to-web');
    symlinkSync(web, link);
    expect((await exchange(await serve({}, link), { rest: '/hello.txt' })).body).toBe(HELLO);
  });

  it('may come after the start: each request looks again, and the log says so once', async () => {
    const later = path.join(top, 'later');
    const { log, entries } = recordingLog();
    const service = createWebService(staticConfig(later), serviceDeps({ log }));
    await service.start?.();
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await exchange(service, { rest: '/x.txt' })).status);
    mkdirSync(later);
    writeFileSync(path.join(later, 'x.txt'), 'at last');
    const { status, body } = await exchange(service, { rest: '/x.txt' });
    expect([...statuses, status, body]).toEqual([404, 404, 404, 200, 'at last']);
    expect(entries).toMatchObject([
      {
        ...{ level: 'warn', directory: later, reason: 'it does not exist' },
        msg: 'static directory cannot be served, each request looks again',
      },
      { level: 'info', directory: later, msg: 'static directory is there now' },
    ]);
  });

  it('is not found when it comes as a link to what is private', async () => {
    const [later, home] = [path.join(top, 'later-private'), path.join(top, 'home')];
    mkdirSync(home);
    writeFileSync(path.join(home, 'x.txt'), 'secret');
    const service = createWebService(staticConfig(later), serviceDeps({ privatePaths: [home] }));
    await service.start?.();
    symlinkSync(home, later);
    expect((await exchange(service, { rest: '/x.txt' })).status).toBe(404);
  });

  it.each([['', '/'], ['/']])('may be one file, which is served at the mount itself: %j', async (...rests) => {
    const service = await serve({ default_file: 'index.html' }, path.join(web, 'hello.txt'));
    for (const rest of rests) {
      const { status, body, headers } = await exchange(service, { mount: '/hello', rest });
      expect([status, body, headers['content-type']]).toEqual([200, HELLO, 'text/plain; charset=utf-8']);
    }
    for (const rest of ['/x', '/index.html', '/../hello.txt']) {
      expect((await exchange(service, { mount: '/hello', rest })).status).toBe(404);
    }
  });

  it.each(['.env', '.crossbar/key.priv', 'certs/key.pem', 'certs/key.pem.bak'])(
    'is no file that is private to the node, or hidden: %s',
    async (name) => {
      const home = mkdtempSync(path.join(top, 'node-'));
      const file = path.join(home, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, 'secret');
      const privatePaths = [path.join(home, '.crossbar'), path.join(home, 'certs', 'key.pem')];
      const service = createWebService(staticConfig(file), serviceDeps({ privatePaths }));
      await expect(service.start?.()).rejects.toThrow(`cannot serve the static directory ${file}: `);
    },
  );

  it('is no pipe', async () => {
    const service = await serve({}, path.join(web, 'pipe'));
    expect((await exchange(service, { rest: '' })).status).toBe(404);
  });

  it('may be the root of the file system', async () => {
    const service = await serve({ default_file: 'none' }, '/');
    const self = import.meta.filename.split('/').map(encodeURIComponent).join('/');
    const { status, headers } = await exchange(service, { method: 'HEAD', rest: self });
    expect(status).toBe(200);
    expect(Number(headers['content-length'])).toBe(statSync(import.meta.filename).size);
  });
});

webServiceContract('static', {
  create: () => createWebService(staticConfig(web, { enable_directory_listing: true }), serviceDeps()),
  validators: true,
  upgrades: false,
});
