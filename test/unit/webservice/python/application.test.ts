/** The services `wsgi` and `resource` in front of a host that is a server of the test: what it is asked, and what clients are told. */
import { mkdtempSync, rmSync } from 'node:fs';
import { METHODS } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { CookieSection } from '../../../../src/webservice/cookies.js';
import type { ApplicationHost, ApplicationOrder } from '../../../../src/webservice/python/application-host.js';
import { applicationHead } from '../../../../src/webservice/python/head.js';
import { servesPython } from '../../../../src/webservice/python/places.js';
import type { ResourceConfig, WsgiConfig } from '../../../../src/webservice/python/schema.js';
import { createWebService } from '../../../../src/webservice/registry.js';
import { webServiceContract } from '../../../contract/web-service.js';
import { openExchange } from '../../../support/exchange.js';
import type { ExchangeRequest } from '../../../support/exchange.js';
import { startHttp } from '../../../support/http-server.js';
import { answering, clientOf } from '../../../support/proxy.js';
import { RawBackend } from '../../../support/raw-backend.js';
import { cookieConfig, serviceDeps } from '../../../support/web.js';

const TAKEN = METHODS.filter((method) => method !== 'CONNECT' && method !== 'TRACE');
const OPTIONS: WsgiConfig['options'] = { timeout: 60, max_requests: 1000, max_body: 1000, pass_cookie: false };

const wsgi = (options: Partial<WsgiConfig['options']> = {}): WsgiConfig => ({
  ...{ type: 'wsgi', module: 'shop', object: 'application', minthreads: 0, maxthreads: 20 },
  options: { ...OPTIONS, ...options },
});
const resource: ResourceConfig = { type: 'resource', classname: 'pages.Start', options: OPTIONS };

const base = mkdtempSync(path.join(tmpdir(), 'python-'));
afterAll(() => rmSync(base, { recursive: true }));

/** A host whose applications all listen at one place. */
function hostAt(socket: string, orders: ApplicationOrder[] = []): ApplicationHost {
  return {
    start(order) {
      orders.push(order);
      return Promise.resolve(socket);
    },
  };
}

const common = path.join(base, 'common');
const backend = new RawBackend(
  answering(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nAllow: ${TAKEN.join(', ')}\r\nContent-Length: 2\r\n\r\nok`),
);
beforeAll(() => backend.listen(common));
afterAll(() => backend.stop());

const create = (config: WsgiConfig | ResourceConfig) =>
  createWebService(config, serviceDeps({ applications: hostAt(common) }));

webServiceContract('wsgi', { create: () => create(wsgi()), methods: TAKEN, validators: false, upgrades: false });

webServiceContract('resource', { create: () => create(resource), methods: TAKEN, validators: false, upgrades: false });

describe('an application', () => {
  let count = 0;

  /** A server of the test, the service in front of it on all paths, and a client. */
  async function setUp(act: ConstructorParameters<typeof RawBackend>[0], config: WsgiConfig = wsgi()) {
    const socket = path.join(base, String(++count));
    const server = new RawBackend(act);
    await server.listen(socket);
    onTestFinished(() => server.stop());
    const deps = serviceDeps({ applications: hostAt(socket) });
    const cookies = new CookieSection(cookieConfig(), deps);
    const service = createWebService(config, { ...deps, cookies });
    const { port, server: front } = await startHttp(service);
    onTestFinished(() => front.stop());
    return { server, port, client: clientOf(port) };
  }

  it('is ordered with what its config says', async () => {
    const orders: ApplicationOrder[] = [];
    const deps = serviceDeps({ applications: hostAt(common, orders) });
    await createWebService(wsgi(), deps).start?.();
    await createWebService(resource, deps).start?.();
    expect(orders).toEqual([
      {
        spec: {
          type: 'wsgi',
          module: 'shop',
          object: 'application',
          minthreads: 0,
          maxthreads: 20,
          max_requests: 1000,
        },
        facts: { service: 'wsgi', application: 'shop.application' },
      },
      {
        spec: { type: 'resource', classname: 'pages.Start', extra: {} },
        facts: { service: 'resource', application: 'pages.Start' },
      },
    ]);
  });

  it('does not start where nobody runs Python', async () => {
    await expect(createWebService(wsgi(), serviceDeps()).start?.()).rejects.toThrow('no Python runs here');
  });

  it('gets what the client sent, and of the client only what the node says', async () => {
    const { server, client } = await setUp(answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    client.socket.write(
      'GET /a%20b?x=%31 HTTP/1.1\r\nHost: us.example:81\r\nX-Two: 1\r\nx-two: 2\r\nCookie: cbtid=secret; q=1\r\n' +
        'Connection: X-Mine, keep-alive\r\nX-Mine: 1\r\nTE: trailers\r\nProxy: evil\r\nX_Under: 1\r\n' +
        'Crossbar-Ts-Request: {"client":["6.6.6.6",1]}\r\nCROSSBAR_TS_REQUEST: x\r\nX-Forwarded-For: 6.6.6.6\r\n' +
        'X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n\r\n',
    );
    const [line, ...lines] = (await (await server.connection()).heads()).text.split('\r\n');
    const { localPort, remotePort } = client.socket;
    const facts = { client: ['127.0.0.1', localPort], host: ['us.example', remotePort], secure: false, mounted: 0 };
    expect(line).toBe('GET /a%20b?x=%31 HTTP/1.1');
    expect(lines).toEqual([
      ...['Host: us.example:81', 'X-Two: 1', 'x-two: 2', 'Cookie: q=1'],
      ...['X-Forwarded-For: 127.0.0.1', 'X-Real-IP: 127.0.0.1', 'X-Forwarded-Host: us.example:81'],
      ...[`X-Forwarded-Port: ${remotePort}`, 'X-Forwarded-Proto: http'],
      ...[`Crossbar-Ts-Request: ${JSON.stringify(facts)}`, 'Connection: keep-alive', '', ''],
    ]);
    await client.until(({ text }) => text.endsWith('ok'));
  });

  it('sets its cookies, but not the one of the node, and does not tell which Twisted it is', async () => {
    const { client } = await setUp(
      answering(
        'HTTP/1.1 200 OK\r\nServer: TwistedWeb/22.4.0\r\nSet-Cookie: a=1\r\nSet-Cookie: cbtid=evil\r\nSet-Cookie: b=2\r\n' +
          'Content-Length: 2\r\n\r\nok',
      ),
    );
    client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const { text } = await client.until(({ text: got }) => got.endsWith('ok'));
    expect(text).not.toMatch(/Twisted|evil/);
    expect(text.match(/^Set-Cookie: \w+/gm)).toEqual(['Set-Cookie: cbtid', 'Set-Cookie: a', 'Set-Cookie: b']);
  });

  it('may say who it is itself', async () => {
    const { client } = await setUp(answering('HTTP/1.1 200 OK\r\nServer: mine\r\nContent-Length: 2\r\n\r\nok'));
    client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.until(({ text }) => text.endsWith('ok'))).text).toContain('\r\nServer: mine\r\n');
  });

  it('is gone: 502', async () => {
    const { server, client } = await setUp(() => undefined);
    await server.stop();
    client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.heads()).text).toMatch(/^HTTP\/1.1 502 /);
    server.stop = () => Promise.resolve();
  });

  it('does not answer in time: 504', async () => {
    const { client } = await setUp(() => undefined, wsgi({ timeout: 0.01 }));
    client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.heads()).text).toMatch(/^HTTP\/1.1 504 /);
  });

  it.each([
    [413, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n'],
    [413, `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n${'x'.repeat(1001)}\r\n0\r\n\r\n`],
    [400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
    [400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    [501, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
  ])('is not asked what is refused with %i: %j', async (status, head) => {
    const { client, server } = await setUp(() => undefined);
    client.socket.write(head);
    expect((await client.heads()).text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    // What it had got by then was no request yet.
    expect(server.connections.every(({ text }) => !/\r\n0\r\n/.test(text))).toBe(true);
  });

  it('has bodies of sixteen large requests put aside, and no more; an answer makes room', async () => {
    const body = 'x'.repeat(1000);
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    let answers = false;
    const { client, server, port } = await setUp((connection) => {
      connection.socket.on('data', () => {
        if (answers && connection.text.endsWith(body)) connection.socket.write(answer);
      });
    });
    const clients = [client, ...Array.from({ length: 15 }, () => clientOf(port))];
    const post = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n${body}`;
    for (const [index, one] of clients.entries()) {
      one.socket.write(post);
      await (await server.connection(index)).until(({ text }) => text.endsWith(body));
    }
    const late = clientOf(port);
    late.socket.write(post);
    expect((await late.heads()).text).toMatch(/^HTTP\/1.1 503 [^]*Retry-After: 5/);
    server.connections[3]?.socket.write(answer);
    await clients[3]?.until(({ text }) => text.endsWith('ok'));
    clients[4]?.socket.destroy();
    await server.connections[4]?.gone();
    answers = true;
    for (const again of [clientOf(port), clientOf(port)]) {
      again.socket.write(post);
      await again.until(({ text }) => text.endsWith('ok'));
    }
  });
});

describe('what an application is told', () => {
  const factsOf = (request: ExchangeRequest, encrypted = false): unknown => {
    const { request: opened } = openExchange(request);
    Object.assign(opened.req.socket, { encrypted });
    const head = applicationHead(opened, new Set());
    return JSON.parse(head[head.indexOf('Crossbar-Ts-Request') + 1] ?? '');
  };

  it.each<[string, ExchangeRequest, object]>([
    ['nothing, on a socket of the file system', {}, { client: ['', 0], host: ['localhost', 80], mounted: 0 }],
    [
      'an address of IPv6',
      { headers: { host: '[::1]:8080' }, client: { remoteAddress: '2001:db8::1', remotePort: 9 } },
      { client: ['2001:db8::1', 9], host: ['::1', 80] },
    ],
    ['IPv4 that came by IPv6', { client: { remoteAddress: '::ffff:1.2.3.4' } }, { client: ['1.2.3.4', 0] }],
    ['a host that is none', { headers: { host: 'a b"\u00e4' } }, { host: ['localhost', 80] }],
    ['where it is', { mount: '/a/b' }, { mounted: 2 }],
  ])('is %s', (_what, request, expected) => {
    expect(factsOf(request)).toMatchObject({ secure: false, ...expected });
  });

  it('is that the client came by TLS', () => {
    expect(factsOf({ headers: { host: 'a' } }, true)).toMatchObject({ secure: true, host: ['a', 443] });
  });

  it('has a name for the host only where the client gave one', () => {
    expect(applicationHead(openExchange().request, new Set())).not.toContain('Host');
  });
});

describe('a transport', () => {
  const app = { type: 'wsgi' };
  it.each<[boolean, unknown]>([
    [true, { type: 'web', paths: { '/': app } }],
    [true, { type: 'web', paths: { '/': { type: 'path', paths: { a: { type: 'resource' } } } } }],
    [true, { type: 'universal', web: { paths: { a: app } } }],
    [false, { type: 'web', paths: { '/': { type: 'json', value: { type: 'wsgi', paths: { a: app } } } } }],
    [false, { type: 'websocket' }],
    [false, { type: 'web', paths: 3 }],
    [false, null],
    [false, 'wsgi'],
  ])('has Python: %j, %j', (expected, transport) => {
    expect(servesPython(transport)).toBe(expected);
  });
});
