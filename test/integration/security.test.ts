/**
 * Who gets in at the HTTP level: origins, subprotocols, WebSocket versions, methods. Every refusal is asked for with a
 * request written byte for byte, so that no client library stands in between.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import type { HttpAnswer } from '../support/wamp-client.js';
import { cookieValue, rawHttp, upgradeLines, WampClient } from '../support/wamp-client.js';

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({
    config: nodeConfig({
      paths: {
        sites: {
          type: 'websocket',
          options: {
            allowed_origins: ['https://example.com', 'https://*.example.net', 'http://localhost:*'],
            allow_null_origin: false,
          },
        },
        any: { type: 'websocket', options: { require_websocket_subprotocol: false, enable_webstatus: false } },
      },
    }),
    args: ['--loglevel', 'trace'],
  });
});
afterAll(() => daemon.dispose());

async function upgrade(path: string, ...lines: string[]): Promise<HttpAnswer> {
  const answer = await rawHttp(daemon.port, upgradeLines(path, lines));
  answer.socket.destroy();
  return answer;
}

describe('origins', () => {
  it.each([
    'https://example.com',
    'https://EXAMPLE.com',
    'https://example.com:443',
    'https://a.example.net',
    'https://a.b.example.net',
    'http://localhost:8080',
    'http://localhost:1',
  ])('lets %s in', async (origin) => {
    expect((await upgrade('/sites', `Origin: ${origin}`)).status).toBe(101);
  });

  it.each([
    'http://example.com',
    'https://example.com:8443',
    'https://example.com.evil.example',
    'https://evil.example/https://example.com',
    'https://notexample.net',
    'https://example.net',
    'https://evil.example?.example.net',
    'https://evil.example#.example.net',
    'https://evil.example/.example.net',
    'http://localhost.evil.example:80',
    'http://localhost:80@evil.example',
    'null',
    'file://',
    'garbage',
  ])('refuses %s', async (origin) => {
    const answer = await upgrade('/sites', `Origin: ${origin}`);
    expect(answer.status).toBe(403);
    expect(answer.header('Set-Cookie')).toBeUndefined();
  });

  it('lets clients without Origin in: they are no browsers', async () => {
    expect((await upgrade('/sites')).status).toBe(101);
  });

  it('refuses two Origin lines, one of which would do', async () => {
    const answer = await upgrade('/sites', 'Origin: https://evil.example', 'Origin: https://example.com');
    expect([400, 403]).toContain(answer.status);
  });

  it('lets all origins in by default, null too', async () => {
    expect((await upgrade('/ws', 'Origin: https://evil.example')).status).toBe(101);
    expect((await upgrade('/ws', 'Origin: null')).status).toBe(101);
  });
});

describe('subprotocols', () => {
  it.each<[offered: string, chosen: string]>([
    ['wamp.2.json', 'wamp.2.json'],
    ['wamp.2.msgpack, wamp.2.json', 'wamp.2.msgpack'],
    ['wamp.2.flatbuffers, wamp.2.cbor.batched, wamp.2.cbor', 'wamp.2.cbor.batched'],
    ['chat, wamp.2.json, superchat', 'wamp.2.json'],
  ])('takes the first of "%s" that it speaks', async (offered, chosen) => {
    const answer = await upgrade('/ws', `Sec-WebSocket-Protocol: ${offered}`);
    expect([answer.status, answer.header('Sec-WebSocket-Protocol')]).toEqual([101, chosen]);
  });

  it.each(['wamp.2.flatbuffers', 'WAMP.2.JSON', 'wamp.2', 'wamp.2.ubjson.batched'])(
    'refuses "%s" and says what it speaks',
    async (offered) => {
      const answer = await upgrade('/ws', `Sec-WebSocket-Protocol: ${offered}`);
      expect(answer.status).toBe(400);
      expect(`${answer.reason} ${answer.body}`).toContain('wamp.2.json');
    },
  );

  it('refuses a client that names none', async () => {
    const lines = upgradeLines('/ws').filter((line) => !line.startsWith('Sec-WebSocket-Protocol'));
    expect((await rawHttp(daemon.port, lines)).status).toBe(400);
  });

  it('takes it for JSON with require_websocket_subprotocol: false, and announces none', async () => {
    const client = await WampClient.connect(daemon.url('/any', 'ws'), { subprotocols: [] });
    expect(client.handshake.headers['sec-websocket-protocol']).toBeUndefined();
    const { welcome } = await client.hello();
    expect(welcome['realm']).toBe('realm1');
    await client.leave();
  });
});

describe('handshakes that are none', () => {
  it.each(['12', '14', '0', 'x'])('refuses WebSocket version %s and names 13', async (version) => {
    const answer = await upgrade('/ws', `Sec-WebSocket-Version: ${version}`);
    expect([400, 426]).toContain(answer.status);
    expect(answer.header('Sec-WebSocket-Version')).toMatch(/\b13\b/);
  });

  it.each(['Sec-WebSocket-Key: short', 'Sec-WebSocket-Key: '])('refuses "%s"', async (line) => {
    expect((await upgrade('/ws', line)).status).toBe(400);
  });

  it('refuses methods other than GET', async () => {
    const [, ...headers] = upgradeLines('/ws');
    expect((await rawHttp(daemon.port, ['POST /ws HTTP/1.1', ...headers])).status).toBe(405);
    const plain = ['POST /ws HTTP/1.1', 'Host: 127.0.0.1', 'Content-Length: 0', 'Connection: close'];
    expect((await rawHttp(daemon.port, plain)).status).toBe(405);
  });

  it('refuses an upgrade to something else, and one on a path without WebSocket', async () => {
    const other = await rawHttp(daemon.port, upgradeLines('/ws', ['Upgrade: h2c', 'Connection: Upgrade, close']));
    expect(other.status).not.toBe(101);
    expect((await upgrade('/')).status).toBe(400);
    expect((await upgrade('/nowhere')).status).toBeGreaterThanOrEqual(400);
  });

  it('shows a status page to a browser that opens the URL of the WebSocket', async () => {
    const answer = await rawHttp(daemon.port, ['GET /ws HTTP/1.1', 'Host: 127.0.0.1', 'Connection: close']);
    expect([answer.status, answer.header('Content-Type')]).toEqual([200, expect.stringContaining('text/html')]);
    expect(answer.body).toContain('WebSocket');
  });

  it('shows none with enable_webstatus: false', async () => {
    const answer = await rawHttp(daemon.port, ['GET /any HTTP/1.1', 'Host: 127.0.0.1', 'Connection: close']);
    expect(answer.status).toBe(426);
  });
});

it('keeps secrets of the handshake out of every log, at every level', async () => {
  const secret = 'Sup3rS3cretValue';
  const client = await WampClient.connect(daemon.url(`/ws?ticket=${secret}Query`, 'ws'), {
    headers: { authorization: `Basic ${secret}Basic`, cookie: `cbtid=${secret}Cookie; other=${secret}Other` },
  });
  await client.hello('realm1', { authextra: { password: `${secret}Extra` } });
  await client.leave();
  expect(client.handshake.setCookie.map(cookieValue)).toEqual([]);
  await daemon.stop();
  expect(daemon.output).not.toContain(secret);
});
