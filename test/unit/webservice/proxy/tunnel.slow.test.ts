/** WebSockets through both services, with backends that are no WebSockets where that tells more. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

import { Drain } from '../../../../src/transport/drain.js';
import { silentLogger } from '../../../../src/log/logger.js';
import { CookieSection } from '../../../../src/webservice/cookies.js';
import { clientOf, rawBackend, reverseProxyConfig, startProxy, webSocketProxyConfig } from '../../../support/proxy.js';
import type { RawBackend, RawConnection } from '../../../support/raw-backend.js';
import { cookieConfig, serviceDeps } from '../../../support/web.js';

const HANDSHAKE =
  'GET /a?b HTTP/1.1\r\nHost: us.example\r\nConnection: Upgrade, X-Gone\r\nX-Gone: 1\r\nUpgrade: websocket\r\nOrigin: http://us.example\r\n' +
  'Authorization: Basic x\r\nCookie: theirs=1; cbtid=secret; b=2\r\nSec-WebSocket-Version: 13\r\nX-Forwarded-For: 6.6.6.6\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: wamp.2.json\r\n\r\n';
const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-A: 1\r\nX-a: 2\r\n\r\n';

/** 1001 of a server, and of a client with a mask of zeros. */
const GOING_AWAY = '\x88\x02\x03\xe9';
const ANSWER = '\x88\x82\0\0\0\0\x03\xe9';

type Deps = Parameters<typeof startProxy>[1];
type Kind = 'reverseproxy' | 'websocket-reverseproxy';
const KINDS: readonly Kind[] = ['reverseproxy', 'websocket-reverseproxy'];

interface Opened {
  readonly backend: RawBackend;
  readonly client: RawConnection;
  readonly behind: RawConnection;
  readonly port: number;
}

/** A handshake that has reached the backend. */
async function ask(kind: Kind, deps: Deps = {}, more: { max_connections?: number } = {}): Promise<Opened> {
  const { backend, port: behindPort } = await rawBackend();
  const { port } = await startProxy(
    kind === 'reverseproxy'
      ? reverseProxyConfig({ host: '127.0.0.1', port: behindPort, path: '/base', options: more })
      : webSocketProxyConfig(`ws://127.0.0.1:${behindPort}/base/ws?q=1`, more),
    { cookieNames: new Set(['cbtid']), ...deps },
  );
  const client = clientOf(port);
  client.socket.write(HANDSHAKE);
  return { backend, client, behind: await (await backend.connection()).heads(), port };
}

/** Two ends that are one connection. */
async function open(kind: Kind, deps: Deps = {}, more = {}): Promise<Opened> {
  const opened = await ask(kind, deps, more);
  opened.behind.socket.write(SWITCH);
  await opened.client.heads();
  opened.behind.text = '';
  return opened;
}

describe.each(KINDS)('a WebSocket through %s', (kind) => {
  it('is asked for as the client asks, and answered as the backend answers', async () => {
    const { client, behind } = await ask(kind);
    const [line = '', ...lines] = behind.text.split('\r\n');
    expect(line).toBe(`GET ${kind === 'reverseproxy' ? '/base/a?b' : '/base/ws?q=1'} HTTP/1.1`);
    expect(lines.slice(1, -2)).toEqual([
      ...['Origin: http://us.example', 'Authorization: Basic x', 'Cookie: theirs=1; b=2', 'Sec-WebSocket-Version: 13'],
      ...['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Protocol: wamp.2.json'],
      ...['X-Forwarded-For: 127.0.0.1', 'X-Real-IP: 127.0.0.1', 'X-Forwarded-Host: us.example'],
      ...[`X-Forwarded-Port: ${client.socket.remotePort}`, 'X-Forwarded-Proto: http'],
      ...['Connection: Upgrade', 'Upgrade: websocket'],
    ]);
    behind.socket.write(`${SWITCH}early`);
    await client.until(({ text }) => text.endsWith('early'));
    expect(client.text).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nX-A: 1\r\nX-a: 2\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly',
    );
  });

  it('carries bytes both ways, and those that came before the answer', async () => {
    const { client, behind } = await ask(kind);
    client.socket.write('before');
    behind.socket.write(SWITCH);
    await behind.until(({ text }) => text.endsWith('before'));
    client.socket.write('\x00\xffafter', 'latin1');
    await behind.until(({ text }) => text.endsWith('before\x00\xffafter'));
    behind.socket.write('back');
    await client.until(({ text }) => text.endsWith('back'));
  });

  it('lets each end stop sending, and go on to receive', async () => {
    const { client, behind } = await open(kind);
    client.socket.end('last');
    await behind.until(({ isEnded, text }) => isEnded && text === 'last');
    behind.socket.write('more');
    await client.until(({ text }) => text.endsWith('more'));
    behind.socket.end('end');
    await client.until(({ text, isEnded }) => text.endsWith('moreend') && isEnded);

    const other = await open(kind);
    other.client.socket.allowHalfOpen = true;
    other.behind.socket.end('bye');
    await other.client.until(({ isEnded, text }) => isEnded && text.endsWith('bye'));
    other.client.socket.write('still');
    await other.behind.until(({ text }) => text === 'still');
  });

  it('ends at both ends when one of them is gone', async () => {
    const one = await open(kind);
    one.client.socket.resetAndDestroy();
    await one.behind.gone();
    const other = await open(kind);
    other.behind.socket.resetAndDestroy();
    await other.client.closed();
  });

  it('waits for the slower side', async () => {
    const { client, behind } = await open(kind);
    client.socket.pause();
    const chunk = Buffer.alloc(65_536, 'x');
    let written = 0;
    // Until nobody takes any more: the buffers of the system, and ours, are full.
    while (behind.socket.write(chunk) || (await Promise.race([once(behind.socket, 'drain'), quiet()])))
      written += chunk.length;
    expect(written).toBeLessThan(64 * 1024 * 1024);
    const before = client.text.length;
    client.socket.resume();
    await client.until(({ text }) => text.length - before >= written);
  });

  it('is given up by the backend before the answer: 502 or 503', async () => {
    const { client, behind } = await ask(kind);
    behind.socket.resetAndDestroy();
    await client.closed();
    expect(client.text).toMatch(kind === 'reverseproxy' ? /^HTTP\/1.1 502 / : /^HTTP\/1.1 503 /);
  });

  it('that the backend refuses is refused as it says', async () => {
    const { client, behind } = await ask(kind);
    behind.socket.write('HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic\r\nContent-Length: 3\r\n\r\nwho');
    await client.closed();
    expect(client.text).toBe(
      'HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic\r\nContent-Length: 3\r\nConnection: close\r\n\r\nwho',
    );
  });

  it('is not asked for any more when the client has left', async () => {
    const { client, behind } = await ask(kind);
    client.socket.resetAndDestroy();
    await behind.gone();
  });

  it('is one too many', async () => {
    const { port, client, behind } = await open(kind, {}, { max_connections: 1 });
    const second = clientOf(port);
    second.socket.write(HANDSHAKE);
    await second.closed();
    expect(second.text).toMatch(/^HTTP\/1.1 503 [^]*Too many WebSockets are open/);
    client.socket.destroy();
    await behind.gone();
  });

  it('ends with the node, and nobody is let in any more', async () => {
    const { drain } = serviceDeps();
    const { client, behind, port } = await open(kind, { drain });
    const late = clientOf(port);
    await once(late.socket, 'connect');
    await drain.run();
    await client.until(({ text }) => text.endsWith(GOING_AWAY));
    client.socket.write(ANSWER, 'latin1');
    await behind.until(({ text }) => text === ANSWER);
    behind.socket.end('nobody hears it');
    await Promise.all([client.closed(), behind.gone()]);
    expect(client.text.endsWith(GOING_AWAY)).toBe(true);
    late.socket.write(HANDSHAKE);
    await late.closed();
    expect(late.text).toMatch(/^HTTP\/1.1 503 [^]*The node is stopping/);
  });

  it('that ends with the node gets the rest of the frame that is open, and no more', async () => {
    const { drain } = serviceDeps();
    const { client, behind } = await open(kind, { drain });
    // A whole frame, one of 300 octets, of which 50 are missing, and its header comes in two pieces.
    behind.socket.write(Buffer.from([0x82, 0x02, 1, 2, 0x82]));
    await client.until(({ text }) => text.endsWith('\x82'));
    behind.socket.write(Buffer.concat([Buffer.from([0x7e, 0x01, 0x2c]), Buffer.alloc(250, 'a')]));
    await client.until(({ text }) => text.endsWith('a'.repeat(250)));
    await drain.run();
    behind.socket.write(Buffer.concat([Buffer.alloc(50, 'b'), Buffer.from([0x81, 0x01, 0x63])]));
    await client.until(({ text }) => text.endsWith(`${'b'.repeat(50)}${GOING_AWAY}`));
    client.socket.write(ANSWER, 'latin1');
    await behind.until(({ text }) => text === ANSWER);
    behind.socket.end();
    await client.closed();
  });

  it('that the backend is closing is not closed a second time', async () => {
    const { drain } = serviceDeps();
    const { client, behind } = await open(kind, { drain });
    behind.socket.write('\x88\x02\x03\xe8', 'latin1');
    await client.until(({ text }) => text.endsWith('\x03\xe8'));
    await drain.run();
    client.socket.write(ANSWER, 'latin1');
    await behind.until(({ text }) => text === ANSWER);
    behind.socket.end();
    await client.closed();
    expect(client.text.endsWith('\x03\xe8')).toBe(true);
  });

  it('that waits for the backend when the node stops is refused', async () => {
    const { drain } = serviceDeps();
    const { client, behind } = await ask(kind, { drain });
    await drain.run();
    await Promise.all([client.closed(), behind.gone()]);
    expect(client.text).toMatch(/^HTTP\/1.1 503 [^]*The node is stopping/);
  });

  it('carries messages, subprotocols and close codes of real WebSockets', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'b' });
    onTestFinished(() => server.close());
    await once(server, 'listening');
    server.on('connection', (ws) => {
      ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
      ws.on('close', () => undefined);
    });
    const { port: behindPort } = server.address() as AddressInfo;
    const { port } = await startProxy(
      kind === 'reverseproxy'
        ? reverseProxyConfig({ host: '127.0.0.1', port: behindPort })
        : webSocketProxyConfig(`ws://127.0.0.1:${behindPort}/`),
    );
    const ws = new WebSocket(`ws://127.0.0.1:${port}/`, ['a', 'b']);
    await once(ws, 'open');
    expect(ws.protocol).toBe('b');
    const big = Buffer.alloc(3_000_000, 7);
    ws.send(big);
    const [data] = (await once(ws, 'message')) as [Buffer];
    expect(data.equals(big)).toBe(true);
    const [peer] = server.clients;
    peer?.close(4321, 'because');
    const [code, reason] = (await once(ws, 'close')) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([4321, 'because']);
  });
});

/** Resolves with false when nothing has happened for some turns of the event loop. */
async function quiet(): Promise<false> {
  for (let turn = 0; turn < 2000; turn++) await new Promise((resolve) => setImmediate(resolve));
  return false;
}

describe('websocket-reverseproxy', () => {
  it('hands out a cookie with the answer, and knows it when it comes back', async () => {
    const deps = serviceDeps();
    const cookies = new CookieSection(cookieConfig(), deps);
    const { client, port, behind, backend } = await ask('websocket-reverseproxy', { ...deps, cookies });
    behind.socket.write(SWITCH);
    const [, cookie = ''] = /\r\nSet-Cookie: (cbtid=[^;]+)/.exec((await client.heads()).text) ?? [];
    expect(cookie).toMatch(/^cbtid=/);
    const again = clientOf(port);
    again.socket.write(HANDSHAKE.replace('cbtid=secret', cookie));
    const second = await (await backend.connection(1)).heads();
    expect(second.text).not.toContain('cbtid');
    second.socket.write(SWITCH);
    expect((await again.heads()).text).not.toContain('Set-Cookie');
  });

  it('lets in the pages that it is told to', async () => {
    const { port: behindPort, backend } = await rawBackend();
    const config = webSocketProxyConfig(`ws://127.0.0.1:${behindPort}/`, { allowed_origins: ['self'] });
    const { port } = await startProxy(config);
    const evil = clientOf(port);
    evil.socket.write(HANDSHAKE.replace('Origin: http://us', 'Origin: http://evil'));
    await evil.closed();
    expect(evil.text).toMatch(/^HTTP\/1.1 403 /);
    const own = clientOf(port);
    own.socket.write(HANDSHAKE);
    await backend.connection();
    expect(backend.connections).toHaveLength(1);
  });

  it('says to who asks without an upgrade that this is a WebSocket', async () => {
    const { port } = await startProxy(webSocketProxyConfig('ws://127.0.0.1:1/'));
    const client = clientOf(port);
    client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.heads()).text).toMatch(/^HTTP\/1.1 426 /);
  });
});

describe('the end of a node', () => {
  it('is not held up by a proxy without WebSockets', async () => {
    const drain = new Drain({
      ...{ log: silentLogger(), saysGoodbye: false, elapsed: () => performance.now(), random: Math.random },
      wait: () => Promise.resolve(),
    });
    const { service } = await startProxy(webSocketProxyConfig('ws://127.0.0.1:1/'), { drain });
    await Promise.all([drain.run(), service.stop?.()]);
  });
});
