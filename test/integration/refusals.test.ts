/**
 * Clients that are turned away before they are a WebSocket: for each reason one line in the log that says who, from which
 * page, to which path, why, and what would let them in.
 */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon, LogRecord } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';

let node: Daemon;

beforeAll(async () => {
  const tracked = { type: 'websocket', cookie: {} };
  node = await startDaemon({
    config: nodeConfig({
      websocket: {
        serializers: ['json'],
        options: { allowed_origins: ['https://good.example'], allow_null_origin: false },
      },
      paths: {
        secure: { type: 'websocket', cookie: { secure: true } },
        self: tracked,
        lone: { type: 'websocket', options: { allow_null_origin: false } },
      },
      transports: [{ type: 'websocket', endpoint: LOOPBACK }],
    }),
  });
});
afterAll(() => node.dispose());

/** Sends bytes and reads until the connection ends, or a head has come. */
function send(bytes: string | Buffer, index = 0): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: Number(node.listening()[index]?.['port']) });
  socket.write(bytes);
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('HTTP/1.1 101')) socket.destroy();
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket'];
const VERSION = 'Sec-WebSocket-Version: 13';
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
const JSON_WAMP = 'Sec-WebSocket-Protocol: wamp.2.json';
const HANDSHAKE = [...UPGRADE, VERSION, KEY, JSON_WAMP];

function request(target: string, headers: readonly string[], method = 'GET'): string {
  const host = headers.some((header) => header.startsWith('Host: ')) ? [] : ['Host: 127.0.0.1'];
  return [`${method} ${target} HTTP/1.1`, ...host, ...headers, '', ''].join('\r\n');
}

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

const refused = (path: string, facts: object): ((record: LogRecord) => boolean) => {
  const wanted: [string, unknown][] = Object.entries({ level: 'warn', msg: 'WebSocket refused', path, ...facts });
  return (record) =>
    wanted.every(([key, value]) =>
      value instanceof RegExp ? value.test(String(record[key])) : Object.is(record[key], value),
    );
};

describe('a refused handshake leaves a line for', () => {
  it.each<[string, string, number, string, object]>([
    [
      'a foreign origin',
      request('/ws?token=secret', [...HANDSHAKE, 'Origin: https://evil.example']),
      403,
      '/ws',
      { origin: 'https://evil.example', remedy: /"https:\/\/evil\.example".*"allowed_origins"/ },
    ],
    [
      'a null origin',
      request('/lone', [...HANDSHAKE, 'Origin: file://']),
      403,
      '/lone',
      { origin: 'file://', remedy: /"allow_null_origin": true/ },
    ],
    [
      'a subprotocol that is not spoken here',
      request('/ws', [...UPGRADE, VERSION, KEY, 'Sec-WebSocket-Protocol: wamp.2.cbor, chat']),
      400,
      '/ws',
      { reason: /wamp\.2\.json/, offered: 'wamp.2.cbor, chat', remedy: /"serializers"/ },
    ],
    [
      'no subprotocol',
      request('/self', [...UPGRADE, VERSION, KEY]),
      400,
      '/self',
      { remedy: /"require_websocket_subprotocol": false/ },
    ],
    [
      'another version',
      request('/ws', [...UPGRADE, 'Sec-WebSocket-Version: 12', KEY, JSON_WAMP]),
      426,
      '/ws',
      { reason: /version 12/ },
    ],
    [
      'a bad key',
      request('/ws', [...UPGRADE, VERSION, 'Sec-WebSocket-Key: x', JSON_WAMP]),
      400,
      '/ws',
      { reason: /Key/ },
    ],
    ['another method', request('/ws', HANDSHAKE, 'PUT'), 405, '/ws', { reason: /PUT/ }],
    ['a path that is none', request('/self/deeper/..', HANDSHAKE), 400, '/self/deeper/..', {}],
    ['a path without a WebSocket', request('/here', HANDSHAKE), 400, '/here', { remedy: /\/lone.*\/self.*\/ws|\/ws/ }],
    [
      'a proxy that loses the upgrade',
      request('/ws', [VERSION, KEY, 'Connection: close', 'Origin: https://good.example']),
      426,
      '/ws',
      { origin: 'https://good.example', remedy: /proxy/ },
    ],
    [
      'a proxy that loses only the line Connection',
      request('/lone', ['Upgrade: websocket', VERSION, KEY, 'Connection: close']),
      426,
      '/lone',
      { remedy: /proxy/ },
    ],
  ])('%s', async (_what, bytes, status, path, facts) => {
    expect(statusOf(await send(bytes))).toBe(status);
    const record = await node.waitForLog(refused(path, { status, ...facts }));
    expect(record).toMatchObject({ peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as unknown });
    expect(node.output).not.toContain('token=secret');
  });

  it('each reason only once a minute, however often it comes', async () => {
    const before = node.logs.length;
    for (let round = 0; round < 20; round += 1)
      await send(request('/ws', [...HANDSHAKE, 'Origin: https://evil.example']));
    // A reason that was not there yet: what was written before it is there.
    await send('CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n');
    await node.waitForLog(({ msg, status }) => msg === 'HTTP connection refused' && status === 405);
    expect(node.logs.slice(before).filter(({ msg }) => msg === 'WebSocket refused')).toEqual([]);
  });
});

describe('a connection that does not speak HTTP leaves a line for', () => {
  it.each<[string, string | Buffer, number, object]>([
    ['headers that are too large', request('/ws', [`Cookie: ${'x'.repeat(17_000)}`]), 431, { remedy: /16384 bytes/ }],
    ['nonsense', 'nonsense\r\n\r\n', 400, {}],
    ['TLS', Buffer.from('16030100a5010000a10303', 'hex'), 400, { remedy: /"tls"/ }],
    ['RawSocket', Buffer.from('7ff10000', 'hex'), 400, { remedy: /"rawsocket"/ }],
  ])('%s', async (_what, bytes, status, facts) => {
    expect(statusOf(await send(bytes))).toBe(status);
    const [key, remedy] = Object.entries(facts as Record<string, RegExp>)[0] ?? ['msg', /./];
    await node.waitForLog(
      (record) =>
        record.level === 'warn' &&
        record.msg === 'HTTP connection refused' &&
        record['status'] === status &&
        remedy.test(String(record[key])),
    );
  });
});

describe('a plain request to a WebSocket', () => {
  it('of a browser gets the page', async () => {
    expect(await send(request('/ws', ['Connection: close', 'Accept: text/html']))).toMatch(/^HTTP\/1\.1 200[^]*<h1>/);
  });

  it('that lost its upgrade on the way is told what a proxy has to pass on', async () => {
    for (const [index, path] of [
      [0, '/ws'],
      [1, '/'],
    ] as const) {
      const answer = await send(request(path, [VERSION, KEY, 'Connection: close']), index);
      expect(answer).toMatch(/^HTTP\/1\.1 426/);
      expect(answer).toMatch(/^upgrade: websocket/im);
      for (const line of [
        'proxy_http_version 1.1;',
        'proxy_set_header Upgrade $http_upgrade;',
        'Connection "upgrade";',
      ]) {
        expect(answer).toContain(line);
      }
    }
  });
});

describe('a handshake is taken', () => {
  const sent = (path: string, ...headers: readonly string[]): Promise<string> =>
    send(request(path, [...HANDSHAKE, ...headers]));

  it.each([
    ['from the scheme wss of the same host, as Starscream on iOS says it', '/self', ['Origin: wss://127.0.0.1']],
    [
      'from the same host through a proxy',
      '/self',
      ['Host: site.example', 'Origin: https://site.example', 'X-Forwarded-For: 1.2.3.4'],
    ],
    [
      'from the same host under a name that only this network knows',
      '/self',
      ['Host: mybox:8080', 'Origin: http://mybox:8080'],
    ],
    ['from a local file where such pages may connect', '/anything', ['Origin: file://']],
  ])('%s', async (_what, path, headers) => {
    const answer =
      path === '/anything' ? await send(request('/', [...HANDSHAKE, ...headers]), 1) : await sent(path, ...headers);
    expect(answer).toMatch(/^HTTP\/1\.1 101/);
  });
});

describe('a cookie that browsers drop', () => {
  it.each([
    ['for https, given to a page by http', '/secure', 'http', '"secure": false'],
    ['for http, given to a page by https', '/self', 'https', '"secure": true'],
  ])('%s, is told once', async (_what, path, scheme, remedy) => {
    const isIt = ({ level, msg, remedy: said }: LogRecord): boolean =>
      level === 'warn' && msg === 'cookie does not fit the page' && String(said).includes(remedy);
    for (let round = 0; round < 3; round += 1) {
      const host = ['Host: shop.example', `Origin: ${scheme}://shop.example`, 'X-Forwarded-For: 192.0.2.1'];
      expect(await send(request(path, [...HANDSHAKE, ...host]))).toMatch(/^HTTP\/1\.1 101/);
    }
    await node.waitForLog(isIt);
    expect(node.logs.filter(isIt)).toHaveLength(1);
  });
});

it('a page that is of this host only by a name pointed at this machine is told once', async () => {
  const isIt = ({ level, msg }: LogRecord): boolean =>
    level === 'warn' && msg === 'a page was taken for one of this host by its Host header alone';
  for (let round = 0; round < 3; round += 1) {
    await send(request('/self', [...HANDSHAKE, 'Host: evil.example', 'Origin: http://evil.example']));
  }
  expect(await node.waitForLog(isIt)).toMatchObject({ host: 'evil.example', origin: 'http://evil.example' });
  expect(node.logs.filter(isIt)).toHaveLength(1);
});
