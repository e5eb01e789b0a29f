/** The HTTP server of a web transport over real sockets: what a browser sees, and what it does with bad clients. */
import { mkdtempSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { CookieStores } from '../../src/cookie/stores.js';
import { createLogger, silentLogger } from '../../src/log/logger.js';
import type { Logger } from '../../src/log/logger.js';
import type { EndpointConfig } from '../../src/transport/endpoint-schema.js';
import type { PathsConfig } from '../../src/webservice/schema.js';
import { EndpointServer } from '../../src/transport/endpoint.js';
import type { TransportServer } from '../../src/transport/transport-type.js';
import { HttpAcceptor } from '../../src/http/acceptor.js';
import { createWebServer, createWebSocketServer } from '../../src/webservice/server.js';
import type { BoundAddress } from '../../src/transport/listen/listen.js';
import type { WebServerDeps } from '../../src/webservice/server.js';
import { SHIPPED } from '../../src/worker/registry.js';
import type { WebService } from '../../src/http/service.js';
import { NOBODY_TO_ASK } from '../support/client.js';
import {
  cookieConfig,
  emptyRouter,
  idleDrain,
  jsonConfig,
  staticConfig,
  webConfig,
  webSocketConfig,
  webSocketOptions,
} from '../support/web.js';
import { itNeeds } from '../support/needs.js';

const HELLO = 'Hello, world!';
/** More than the sockets between two ends hold, so that sending it takes a client that reads. */
const BIG_BYTES = 32 * 1024 * 1024;

let top: string;
let web: string;
const running: { stop(): Promise<void> }[] = [];
const open: Socket[] = [];

beforeAll(() => {
  top = mkdtempSync(path.join(tmpdir(), 'crossbar-ts-web-'));
  web = path.join(top, 'web');
  mkdirSync(path.join(web, 'sub'), { recursive: true });
  writeFileSync(path.join(web, 'index.html'), '<h1>home</h1>');
  writeFileSync(path.join(web, 'hello.txt'), HELLO);
  writeFileSync(path.join(web, 'sub', 'a b.txt'), 'spaced');
  writeFileSync(path.join(web, 'big.bin'), Buffer.alloc(BIG_BYTES, 'x'));
  writeFileSync(path.join(top, 'secret.txt'), 'outside');
});
afterAll(() => rmSync(top, { recursive: true, force: true }));
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  for (const server of running.splice(0)) await server.stop();
});

function serverDeps(parts: Partial<WebServerDeps> = {}): WebServerDeps {
  const log = parts.log ?? silentLogger();
  return {
    router: emptyRouter(),
    load: NOBODY_TO_ASK.load,
    logins: NOBODY_TO_ASK.logins,
    families: SHIPPED,
    stores: new CookieStores({ clock: Date.now, log }),
    log,
    drain: idleDrain(),
    ...parts,
  };
}

function portOf(bound: BoundAddress): number {
  if ('path' in bound) throw new Error(`${bound.path} is no TCP port`);
  return bound.port;
}

async function startWeb(
  paths: PathsConfig,
  parts?: Parameters<typeof webConfig>[1],
  deps?: Partial<WebServerDeps>,
): Promise<{ port: number; server: TransportServer }> {
  const server = createWebServer(webConfig(paths, parts), serverDeps(deps));
  running.push(server);
  const port = portOf(await server.start());
  return { port, server };
}

/** A server whose whole path tree is one service of the test. */
async function startService(
  root: WebService,
  { log = silentLogger(), displayTracebacks = false } = {},
): Promise<{ port: number; server: EndpointServer }> {
  const dispatcher = { clock: Date.now, headers: {}, accessLog: false, displayTracebacks };
  const acceptor = new HttpAcceptor({ root, log, http: {}, dispatcher });
  const server = new EndpointServer(webConfig({}).endpoint, acceptor, log);
  running.push(server);
  const port = portOf(await server.start());
  return { port, server };
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent;
}

function ask(port: number, target: string, { method = 'GET', headers = {}, agent }: Ask = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    httpRequest({ host: '127.0.0.1', port, path: target, method, headers, agent }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () => {
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks).toString() });
      });
    })
      .on('error', reject)
      .end();
  });
}

function connectTo(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port });
  open.push(socket);
  return socket;
}

/** Everything the server sends until it closes. */
function untilClosed(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks).toString('latin1')));
    socket.on('error', reject);
  });
}

/** Sends bytes as they are and returns what comes back until the server closes. */
function raw(port: number, text: string): Promise<string> {
  const socket = connectTo(port);
  socket.write(text, 'latin1');
  return untilClosed(socket);
}

const statusOf = (response: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(response)?.[1]);

/** The status lines of all responses in a pipeline. */
const statusesOf = (responses: string): number[] =>
  [...responses.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

function closing(target: string, method = 'GET'): string {
  return `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
}

function upgrade(target: string, ...headers: readonly string[]): string {
  return [
    `GET ${target} HTTP/1.1`,
    'Host: x',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol: wamp.2.json',
    ...headers,
    '',
    '',
  ].join('\r\n');
}

/** Upgrades, and returns the head of the 101. */
function upgraded(port: number, target: string, ...headers: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(`ws://127.0.0.1:${String(port)}${target}`, 'wamp.2.json', {
      headers: Object.fromEntries(headers.map((line) => line.split(': '))),
    });
    let setCookie = '';
    ws.on('upgrade', (res) => (setCookie = (res.headers['set-cookie'] ?? []).join()));
    ws.on('open', () => {
      open.push((ws as unknown as { _socket: Socket })._socket);
      resolve(setCookie);
    });
    ws.on('error', reject);
  });
}

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A logger, its lines, and a promise of the next line with a message. */
function recorder(level: 'info' | 'debug' = 'info'): {
  log: Logger;
  lines: Line[];
  line: (msg: string) => Promise<Line>;
} {
  const lines: Line[] = [];
  const waiting: { readonly msg: string; readonly resolve: (line: Line) => void }[] = [];
  const write = (text: string): void => {
    const line = JSON.parse(text) as Line;
    lines.push(line);
    for (const { msg, resolve } of waiting) if (msg === line.msg) resolve(line);
  };
  return {
    log: createLogger({ level, destination: { write } }),
    lines,
    line: (msg) => {
      const known = lines.find((line) => line.msg === msg);
      return known ? Promise.resolve(known) : new Promise((resolve) => waiting.push({ msg, resolve }));
    },
  };
}

describe('a web transport', () => {
  it('brings requests and upgrades to the service with the longest path', async () => {
    const { port } = await startWeb({
      '/': { type: 'nodeinfo', options: { roles: [] } },
      ws: webSocketConfig(),
      files: staticConfig(web),
      api: { type: 'path', paths: { config: jsonConfig({ a: 1 }), ws: webSocketConfig() } },
      old: { type: 'redirect', url: '/files/' },
      gone: { type: 'none' },
    });
    const statuses: Readonly<Record<string, number>> = {
      '/': 200,
      '/nothing': 404,
      '/ws': 200,
      '/ws/foo': 200,
      '/files/': 200,
      '/files': 302,
      '/files/sub/a%20b.txt': 200,
      '/api/config': 200,
      '/api': 404,
      '/old/x?y': 302,
      '/gone/x': 404,
    };
    for (const [target, status] of Object.entries(statuses)) {
      expect([target, (await ask(port, target)).status]).toEqual([target, status]);
    }
    for (const target of ['/ws', '/ws/', '/ws/foo?x=y', '/api/ws']) await upgraded(port, target);
    const refused: Readonly<Record<string, number>> = {
      '/': 400,
      '/files/': 400,
      '/api': 404,
      '/api/x': 404,
      '/%zz': 400,
    };
    for (const [target, status] of Object.entries(refused)) {
      expect([target, statusOf(await raw(port, upgrade(target)))]).toEqual([target, status]);
    }
    const info = await ask(port, '/', { headers: { accept: 'application/json' } });
    expect(JSON.parse(info.body)).toEqual({ product: 'crossbar-ts' });
  });

  it('names itself without a version, and sends HSTS only when told to', async () => {
    const plain = await startWeb({ x: jsonConfig(1) }, {}, { nodeInfo: { version: '9.9.9' } });
    const { headers } = await ask(plain.port, '/x');
    expect(headers).toMatchObject({ server: 'crossbar-ts', 'x-content-type-options': 'nosniff' });
    expect(headers).not.toHaveProperty('strict-transport-security');
    const strict = await startWeb({ x: jsonConfig(1) }, { options: { hsts: true, hsts_max_age: 60 } });
    expect((await ask(strict.port, '/nothing')).headers['strict-transport-security']).toBe('max-age=60');
  });

  it('ignores an upgrade to anything but WebSocket, as some HTTP clients offer it with every request', async () => {
    const { port } = await startWeb({ x: jsonConfig(1) });
    const lines = ['Host: x', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'];
    const response = await raw(port, `GET /x HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    expect(response).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(response).toContain('Connection: close');
    expect(response).toMatch(/\r\n\r\n1\n$/);
  });

  it.each([
    [closing('*', 'OPTIONS'), 204],
    ['CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n', 405],
    [closing('/x', 'TRACE'), 405],
    [closing('http://example.com/x'), 200],
    [closing('http://example.com'), 404],
    ['GET /x HTTP/1.0\r\n\r\n', 200],
  ])('answers %j with %d', async (text, status) => {
    const { port } = await startWeb({ x: jsonConfig(1) });
    expect(statusOf(await raw(port, text))).toBe(status);
  });
});

describe('a plain websocket transport', () => {
  it('is one WebSocket on every path, and says its version when told to', async () => {
    const options = webSocketOptions({ show_server_version: true });
    const { endpoint } = webConfig({});
    const server = createWebSocketServer(
      { ...webSocketConfig({ options }), type: 'websocket', id: 'transport001', endpoint },
      serverDeps({ nodeInfo: { version: '9.9.9' } }),
    );
    running.push(server);
    const port = portOf(await server.start());
    await upgraded(port, '/');
    await upgraded(port, '/any/path');
    const page = await ask(port, '/any');
    expect(page.status).toBe(200);
    expect(page.headers.server).toBe('crossbar-ts/9.9.9');
  });
});

describe('a path in a URL', () => {
  it.each([
    ['/../secret.txt', 400],
    ['/sub/../../secret.txt', 400],
    ['/./hello.txt', 400],
    ['/%2e%2e/secret.txt', 400],
    ['/%2E%2E/secret.txt', 400],
    ['/.%2e/secret.txt', 400],
    ['/%2e./secret.txt', 400],
    ['http://x/../secret.txt', 400],
    ['/..%2fsecret.txt', 404],
    ['/%2e%2e%2fsecret.txt', 404],
    ['/sub%2f..%2f..%2fsecret.txt', 404],
    ['/..%5csecret.txt', 404],
    ['/..\\secret.txt', 404],
    ['/%252e%252e/secret.txt', 404],
    ['/..%252fsecret.txt', 404],
    ['/%c0%ae%c0%ae/secret.txt', 400],
    ['/..;/secret.txt', 404],
    ['/hello.txt%00', 400],
    ['/hello.txt%00.html', 400],
    ['/hello.txt%0a', 400],
    ['/%zz', 400],
    ['/%', 400],
    ['/%ff', 400],
    ['/hello.txt#x', 400],
    ['//hello.txt', 404],
    ['/hello.txt?x=%zz', 200],
    ['/hello.txt?../..', 200],
    ['/%68ello.txt', 200],
    ['/sub/a%20b.txt', 200],
    ['/sub/a+b.txt', 404],
  ])('%s is answered with %d', async (target, status) => {
    const { port } = await startWeb({ '/': staticConfig(web) });
    const response = await raw(port, closing(target));
    expect(statusOf(response)).toBe(status);
    expect(response).not.toContain('outside');
  });
});

describe('a connection that does not speak HTTP well', () => {
  it.each([
    ['nonsense', 'hello\r\n\r\n', 400],
    ['a TLS greeting', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['a bare CR in a header', 'GET /x HTTP/1.1\r\nHost: x\rEvil: y\r\n\r\n', 400],
    ['a space before a colon', 'GET /x HTTP/1.1\r\nHost : x\r\n\r\n', 400],
    ['no Host', 'GET /x HTTP/1.1\r\n\r\n', 400],
    [
      'two kinds of length',
      closing('/x', 'POST').replace('\r\n\r\n', '\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n'),
      400,
    ],
    [
      'two lengths',
      closing('/x', 'POST').replace('\r\n\r\n', '\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n'),
      400,
    ],
    ['another version', 'GET /x HTTP/3.7\r\nHost: x\r\n\r\n', 400],
    ['a raw byte in the path', 'GET /\xe4 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['too long a header', `GET /x HTTP/1.1\r\nHost: x\r\nCookie: ${'a'.repeat(40_000)}\r\n\r\n`, 431],
    ['too many headers', `GET /x HTTP/1.1\r\nHost: x\r\n${'name: value\r\n'.repeat(5_000)}\r\n`, 431],
    ['a very long path', closing(`/${'a'.repeat(10_000)}`), 414],
    ['a far too long path', closing(`/${'a'.repeat(100_000)}`), 431],
  ])('%s: is refused, and the next is served', async (_name, text, status) => {
    const { port } = await startWeb({ x: jsonConfig(1) });
    expect(statusOf(await raw(port, text))).toBe(status);
    expect((await ask(port, '/x')).status).toBe(200);
  });

  it('is answered in order first when it began well', async () => {
    const { port } = await startWeb({ '/': staticConfig(web), x: jsonConfig(1) });
    const good = 'GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\nGET /x HTTP/1.1\r\nHost: x\r\n\r\n';
    const responses = await raw(port, `${good}rubbish\r\n\r\n`);
    expect(statusesOf(responses)).toEqual([200, 200, 400]);
    expect(responses.indexOf(HELLO)).toBeLessThan(responses.indexOf('\r\n\r\n1\n'));
  });

  it('may reset whenever it likes', async () => {
    const { port } = await startWeb({ '/': staticConfig(web), ws: webSocketConfig() });
    for (const text of [
      '',
      'GET /hel',
      closing('/big.bin'),
      upgrade('/ws'),
      upgrade('/'),
      'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
    ]) {
      const socket = connectTo(port);
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.write(text, () => socket.resetAndDestroy());
      await closed;
    }
    expect((await ask(port, '/hello.txt')).status).toBe(200);
  });

  it('is cut when its request does not arrive in time, however busily it sends', async () => {
    const options = webSocketOptions({ open_handshake_timeout: 1000 });
    const { port } = await startWeb({ ws: webSocketConfig({ options }), x: jsonConfig(1) });
    const silent = connectTo(port);
    const busy = connectTo(port);
    busy.write('GET /x HTTP/1.1\r\nHost: x\r\n');
    const drip = setInterval(() => busy.write('a: b\r\n'), 100);
    busy.on('close', () => clearInterval(drip));
    const [first, second] = await Promise.all([untilClosed(silent), untilClosed(busy)]);
    expect([statusOf(first), statusOf(second)]).toEqual([408, 408]);
    expect((await ask(port, '/x')).status).toBe(200);
  });

  it('is closed when it has nothing to ask for client_timeout seconds', async () => {
    const { port } = await startWeb({ x: jsonConfig(1) }, { options: { client_timeout: 1 } });
    const socket = connectTo(port);
    socket.write('GET /x HTTP/1.1\r\nHost: x\r\n\r\n');
    const response = await untilClosed(socket);
    expect(response).toContain('Keep-Alive: timeout=1');
    expect(statusesOf(response)).toEqual([200]);
  });
});

describe('pipelined requests', () => {
  it('are answered in their order', async () => {
    const { port } = await startWeb({ '/': staticConfig(web), a: jsonConfig('a'), b: jsonConfig('b') });
    const requests = ['/hello.txt', '/a', '/nothing', '/b'].map(
      (target) => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`,
    );
    const responses = await raw(port, `${requests.join('')}${closing('/hello.txt', 'HEAD')}`);
    expect(statusesOf(responses)).toEqual([200, 200, 404, 200, 200]);
    const order = [HELLO, '"a"', '404 Not Found\n', '"b"'].map((text) => responses.indexOf(text));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order).not.toContain(-1);
  });
});

describe('files over the wire', () => {
  it('come whole, in ranges, and not again when known', async () => {
    const { port } = await startWeb({ '/': staticConfig(web) });
    const whole = await ask(port, '/big.bin');
    expect(whole.body).toHaveLength(BIG_BYTES);
    const headers = { range: 'bytes=7-' };
    expect(await ask(port, '/hello.txt', { headers })).toMatchObject({ status: 206, body: 'world!' });
    const etag = whole.headers.etag ?? '';
    expect(await ask(port, '/big.bin', { headers: { 'if-none-match': etag } })).toMatchObject({
      status: 304,
      body: '',
    });
  });

  it('that shrink on the way end the connection instead of borrowing from the next response', async () => {
    const file = path.join(web, 'shrinking.bin');
    writeFileSync(file, Buffer.alloc(BIG_BYTES, 'x'));
    const { port } = await startWeb({ '/': staticConfig(web) });
    const socket = connectTo(port);
    socket.write(`GET /shrinking.bin HTTP/1.1\r\nHost: x\r\n\r\n${closing('/hello.txt')}`);
    await new Promise((resolve) => socket.once('readable', resolve));
    truncateSync(file, 1024);
    const received = await untilClosed(socket);
    expect(received).toContain(`Content-Length: ${String(BIG_BYTES)}`);
    expect(received.length).toBeLessThan(BIG_BYTES);
    expect(received).not.toContain(HELLO);
  });

  it('do not hold up the next request of a client that left half way', async () => {
    const { log, line } = recorder('debug');
    const { port } = await startWeb({ '/': staticConfig(web) }, {}, { log });
    const socket = connectTo(port);
    socket.write(closing('/big.bin'));
    socket.once('data', () => socket.destroy());
    expect(await line('request')).toMatchObject({ path: '/big.bin', status: 200, aborted: true });
    expect((await ask(port, '/hello.txt')).body).toBe(HELLO);
  });
});

describe('cookies on plain requests', () => {
  const sent = (reply: Reply): string | undefined => reply.headers['set-cookie']?.[0];
  const directivesOf = (reply: Reply): string[] => reply.headers['cache-control']?.split(', ') ?? [];
  const back = (setCookie: string | undefined): { cookie: string } => ({ cookie: setCookie?.split(';')[0] ?? '' });

  it.each([
    ['app.js', 'max-age=43200'],
    ['app.3f2a91bc.js', 'max-age=31536000, immutable'],
  ])('that come with %s are for one browser, however long it may keep the file', async (name, directives) => {
    writeFileSync(path.join(web, name), 'export {};');
    const { port } = await startWeb({ '/': staticConfig(web) }, { cookie: cookieConfig() });
    const first = await ask(port, `/${name}`);
    expect(sent(first)).toMatch(/^cbtid=/);
    expect(directivesOf(first)).toEqual([...directives.split(', '), 'private']);
    const again = await ask(port, `/${name}`, { headers: back(sent(first)) });
    expect(directivesOf(again)).toEqual(expect.arrayContaining([...directives.split(', '), 'public']));
  });

  it('are given with the page and known at the WebSocket', async () => {
    const { port } = await startWeb({ '/': staticConfig(web), ws: webSocketConfig() }, { cookie: cookieConfig() });
    const page = await ask(port, '/');
    expect(sent(page)).toMatch(/^cbtid=[A-Za-z0-9+/]{24};/);
    expect(page.headers['cache-control']).toBe('no-cache, private');
    const again = await ask(port, '/', { headers: back(sent(page)) });
    expect(again.headers).not.toHaveProperty('set-cookie');
    expect(again.headers['cache-control']).toBe('no-cache');
    expect(await upgraded(port, '/ws', `Cookie: ${back(sent(page)).cookie}`)).toBe('');
    expect(await upgraded(port, '/ws')).toMatch(/^cbtid=/);
  });

  it('may differ by path, and a file store is shared by all that name it', async () => {
    const store = {
      type: 'file',
      filename: path.join(top, 'cookies.dat'),
      purge_on_startup: false,
      sync: 'always',
      checksum: false,
    } as const;
    const stores = new CookieStores({ clock: Date.now, log: silentLogger() });
    const { port, server } = await startWeb(
      {
        a: { ...jsonConfig('a'), cookie: cookieConfig({ store }) },
        ws: webSocketConfig({ cookie: cookieConfig({ store }) }),
        b: { ...jsonConfig('b'), cookie: cookieConfig({ name: 'other' }) },
        c: jsonConfig('c'),
      },
      {},
      { stores },
    );
    const a = sent(await ask(port, '/a'));
    expect(await upgraded(port, '/ws', `Cookie: ${back(a).cookie}`)).toBe('');
    expect(sent(await ask(port, '/b', { headers: back(a) }))).toMatch(/^other=/);
    expect(sent(await ask(port, '/c'))).toBeUndefined();
    await server.stop();
    await stores.closeAll();
  });
});

describe('a fault of a service', () => {
  it.each([
    [false, /^500 Internal Server Error\nSomething went wrong in the node\.\n$/],
    [true, /Error: a fault\n +at /],
  ])('costs a 500, with display_tracebacks %j', async (displayTracebacks, body) => {
    const { log, line } = recorder();
    const root: WebService = {
      handle: (_request, res) => {
        res.setHeader('ETag', '"x"').setHeader('Content-Length', 5).setHeader('Set-Cookie', 'a=b');
        throw new Error('a fault');
      },
    };
    const { port } = await startService(root, { log, displayTracebacks });
    const reply = await ask(port, '/x?token=1');
    expect(reply.status).toBe(500);
    expect(reply.body).toMatch(body);
    expect(reply.headers).toMatchObject({ 'set-cookie': ['a=b'], 'cache-control': 'no-store, private' });
    expect(reply.headers).not.toHaveProperty('etag');
    const logged = await line('web service failed');
    expect(logged).toMatchObject({ level: 'error', method: 'GET', path: '/x', err: { message: 'a fault' } });
  });

  it('cuts a response that is half sent', async () => {
    const root: WebService = {
      handle: (_request, res) => {
        res.setHeader('Content-Length', 100);
        res.write('half');
        return Promise.reject(new Error('a fault'));
      },
    };
    const { log, line } = recorder();
    const { port } = await startService(root, { log });
    await expect(ask(port, '/')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await line('web service failed')).toMatchObject({ level: 'error' });
  });

  it('that goes on writing after the end does not end the node', async () => {
    const { log, line } = recorder();
    const root: WebService = {
      handle: (_request, res) => {
        res.end('done');
        res.write('more');
      },
    };
    const { port } = await startService(root, { log });
    expect((await ask(port, '/')).body).toBe('done');
    const logged = await line('web service failed');
    expect(logged).toMatchObject({ level: 'error', path: '/', err: { code: 'ERR_STREAM_WRITE_AFTER_END' } });
    expect((await ask(port, '/')).body).toBe('done');
  });

  it('at an upgrade costs the connection, not the node', async () => {
    const { log, line } = recorder();
    const root: WebService = {
      handle: (_request, res) => void res.end('fine'),
      upgrade: () => {
        throw new Error('a fault');
      },
    };
    const { port } = await startService(root, { log });
    expect(await raw(port, upgrade('/'))).toBe('');
    expect(await line('web service failed at an upgrade')).toMatchObject({ level: 'error', path: '/' });
    expect((await ask(port, '/')).body).toBe('fine');
  });

  it('costs nothing when the service has no upgrades', async () => {
    const { port } = await startService({ handle: (_request, res) => void res.end('fine') });
    expect(statusOf(await raw(port, upgrade('/')))).toBe(400);
  });
});

describe('the access log', () => {
  it('has a line for every request, without its query', async () => {
    const { log, line } = recorder();
    const { port } = await startWeb({ '/': staticConfig(web) }, { options: { access_log: true } }, { log });
    await ask(port, '/hello.txt?token=1');
    const logged = await line('request');
    expect(logged).toMatchObject({
      level: 'info',
      transport: 'transport001',
      method: 'GET',
      path: '/hello.txt',
      status: 200,
      bytes: 13,
    });
    expect(logged['ms']).toEqual(expect.any(Number));
  });

  it('is silent at level info by default', async () => {
    const { log, lines, line } = recorder('debug');
    const { port, server } = await startWeb({ x: jsonConfig(1) }, {}, { log });
    await ask(port, '/x');
    await server.stop();
    await line('closed');
    expect(lines.filter(({ level }) => level !== 'debug')).toEqual([]);
    expect(lines.map(({ msg }) => msg)).toContain('request');
  });
});

describe('starting', () => {
  it('says which port is taken, and stops what had started', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const endpoint: EndpointConfig = { type: 'tcp', port, interface: '127.0.0.1', backlog: 50, shared: false };
    const calls: string[] = [];
    const root: WebService = {
      handle: () => undefined,
      start: () => Promise.resolve(void calls.push('start')),
      stop: () => Promise.resolve(void calls.push('stop')),
    };
    const dispatcher = { clock: Date.now, headers: {}, accessLog: false, displayTracebacks: false };
    const log = silentLogger();
    const server = new EndpointServer(endpoint, new HttpAcceptor({ root, log, http: {}, dispatcher }), log);
    const message = `cannot listen on 127.0.0.1, port ${String(port)}: the port is in use by another program (EADDRINUSE)`;
    await expect(server.start()).rejects.toMatchObject({ name: 'ListenError', code: 'ERR_LISTEN', message });
    expect(calls).toEqual(['start', 'stop']);
    await server.stop();
    await new Promise((resolve) => taken.close(resolve));
  });

  it.each([
    ['203.0.113.1', /cannot listen on 203\.0\.113\.1, port 0: this machine has no such address/],
    ['no-such-host.invalid', /cannot listen on no-such-host\.invalid, port 0: /],
  ])('says what is wrong with the interface %s', async (host, message) => {
    const endpoint: EndpointConfig = { type: 'tcp', port: 0, interface: host, backlog: 50, shared: false };
    await expect(startWeb({}, { endpoint })).rejects.toThrow(message);
  });

  it('fails without opening the port when a service cannot start', async () => {
    const { log, lines } = recorder();
    const starting = startWeb({ x: staticConfig(top) }, {}, { log, privatePaths: [top] });
    await expect(starting).rejects.toThrow('private to the node');
    expect(lines).toEqual([]);
  });

  it('starts without the directory of a static service, which may come later', async () => {
    const later = path.join(top, 'built-later');
    const { log, line } = recorder();
    const { port } = await startWeb({ '/': staticConfig(later) }, {}, { log });
    expect(await line('static directory cannot be served, each request looks again')).toMatchObject({ level: 'warn' });
    expect((await ask(port, '/index.html')).status).toBe(404);
    mkdirSync(later);
    writeFileSync(path.join(later, 'index.html'), 'built');
    expect(await ask(port, '/')).toMatchObject({ status: 200, body: 'built' });
  });

  it('finds the address of a host name, and all addresses without one', async () => {
    const endpoint = { type: 'tcp', port: 0, backlog: 50, shared: false } as const;
    const named = createWebServer(
      webConfig({}, { endpoint: { ...endpoint, interface: 'localhost', version: 4 } }),
      serverDeps(),
    );
    const all = createWebServer(webConfig({}, { endpoint }), serverDeps());
    running.push(named, all);
    expect(await named.start()).toMatchObject({ address: '127.0.0.1' });
    expect(await all.start()).toMatchObject({ address: '0.0.0.0' });
  });

  const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));
  itNeeds('IPv6 on loopback', hasIpv6)('version 6 takes IPv4, too', async () => {
    const endpoint = { type: 'tcp', port: 0, backlog: 50, shared: false, version: 6 } as const;
    const six = createWebServer(webConfig({ x: jsonConfig(1) }, { endpoint }), serverDeps());
    running.push(six);
    const bound = await six.start();
    expect(bound).toMatchObject({ address: '::' });
    for (const host of ['127.0.0.1', '[::1]']) {
      expect((await fetch(`http://${host}:${String(portOf(bound))}/x`)).status).toBe(200);
    }
    const { port } = bound as { readonly port: number };
    const again = createWebServer(webConfig({}, { endpoint: { ...endpoint, port } }), serverDeps());
    await expect(again.start()).rejects.toThrow('all addresses of version 6 include those of version 4');
  });
});

describe('stopping', () => {
  it('ends idle connections and refuses new ones', async () => {
    const { log, lines } = recorder('debug');
    const { port, server } = await startWeb({ x: jsonConfig(1) }, {}, { log });
    const agent = new Agent({ keepAlive: true });
    await ask(port, '/x', { agent });
    const fresh = connectTo(port);
    const ended = new Promise((resolve) => fresh.once('close', resolve));
    await new Promise((resolve) => fresh.once('connect', resolve));
    // Answered behind it, so the server has accepted it by now.
    await ask(port, '/x', { agent });
    await server.stop();
    await ended;
    expect(lines).not.toContainEqual(expect.objectContaining({ msg: 'connections cut' }));
    await expect(ask(port, '/x')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    agent.destroy();
  });

  it('lets the response under way end, as the last of its connection', async () => {
    let answer: (() => void) | undefined;
    let arrived: (() => void) | undefined;
    const asked = new Promise<void>((resolve) => (arrived = resolve));
    const root: WebService = {
      handle: async (_request, res) => {
        arrived?.();
        await new Promise<void>((resolve) => (answer = resolve));
        res.end('done');
      },
      stop: () => Promise.resolve(answer?.()),
    };
    const { port, server } = await startService(root);
    const agent = new Agent({ keepAlive: true });
    const reply = ask(port, '/', { agent });
    await asked;
    await server.stop();
    expect(await reply).toMatchObject({ status: 200, body: 'done', headers: { connection: 'close' } });
    agent.destroy();
  });

  it('cuts a client that does not read its response, and WebSockets that do not leave', async () => {
    const root: WebService = {
      handle: (_request, res) => void res.end(Buffer.alloc(BIG_BYTES)),
      upgrade: (_request, socket) => void socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
    };
    const { port, server } = await startService(root);
    const stalled = connectTo(port);
    stalled.pause().write(closing('/'));
    const stuck = connectTo(port);
    stuck.write(upgrade('/'));
    await new Promise((resolve) => stuck.once('data', resolve));
    const closed = new Promise((resolve) => stuck.once('close', resolve));
    await server.stop();
    await closed;
  });

  it('closes its WebSockets', async () => {
    const { port, server } = await startWeb({ ws: webSocketConfig() });
    const ws = new WebSocket(`ws://127.0.0.1:${String(port)}/ws`, 'wamp.2.json');
    await new Promise((resolve) => ws.once('open', resolve));
    const closed = new Promise((resolve) => ws.once('close', resolve));
    await server.stop();
    await closed;
  });

  it('is done once, whenever it is asked for, and for good', async () => {
    const { server } = await startWeb({ x: jsonConfig(1) });
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    expect(() => server.start()).toThrow('does not start again');
    const unstarted = createWebServer(webConfig({}), serverDeps());
    await unstarted.stop();
    const starting = createWebServer(webConfig({}), serverDeps());
    const started = starting.start();
    await starting.stop();
    const port = portOf(await started);
    await expect(ask(port, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('goes on when a service fails to stop', async () => {
    const { log, line } = recorder();
    const root: WebService = { handle: () => undefined, stop: () => Promise.reject(new Error('it hangs')) };
    const { server } = await startService(root, { log });
    await server.stop();
    expect(await line('web service failed to stop')).toMatchObject({ level: 'error', err: { message: 'it hangs' } });
  });
});
