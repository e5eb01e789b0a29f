/** Echoes: the worker `websocket-testee`, and the transports `websocket.testee` and `stream.testee`. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';

import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import type { Daemon } from '../support/daemon.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { LOOPBACK, openRealm } from '../support/node-config.js';
import { rawHttp, upgradeLines, within } from '../support/wamp-client.js';

const testee = (id: string, options: object = {}, endpoint: object = LOOPBACK): object => ({
  type: 'websocket-testee',
  id,
  transport: { type: 'websocket', endpoint, url: 'ws://localhost:9001', options },
});

function nodeOf(...workers: readonly object[]): object {
  const transports = [
    { type: 'flashpolicy', endpoint: { type: 'tcp', port: 843 }, allowed_domain: '*', allowed_ports: [8080] },
    { type: 'websocket.testee', id: 'socket', endpoint: LOOPBACK },
    { type: 'stream.testee', id: 'stream', endpoint: LOOPBACK },
  ];
  return { version: 2, workers: [{ type: 'router', realms: [openRealm('realm1')], transports }, ...workers] };
}

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({
    config: nodeOf(
      testee('plain', { max_message_size: 1_000_000, compression: { deflate: {} } }),
      testee('narrow', {
        max_message_size: 1024,
        max_frame_size: 512,
        max_connections: 1,
        echo_close_codereason: true,
      }),
      testee('rough', { max_message_size: 1024, fail_by_drop: true, enable_webstatus: false }),
      testee('known', { allowed_origins: ['https://example.com'] }),
      testee('pinging', { auto_ping_interval: 1000, auto_ping_timeout: 1000 }),
    ),
  });
});
afterAll(async () => {
  const faults = daemon.logs.filter(({ level }) => level === 'error' || level === 'fatal');
  await daemon.dispose();
  expect(faults).toEqual([]);
});

/** @param name of a worker, or of a transport of the router. */
function portOf(name: string): number {
  const found = daemon.listening().find(({ worker, transport }) => worker === name || transport === name);
  if (found === undefined) throw new Error(`${name} does not listen`);
  return found['port'] as number;
}

async function opened(name: string, options: ClientOptions = {}): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${portOf(name)}/any/path`, options);
  await within(once(socket, 'open'), 'handshake');
  return socket;
}

async function echoOf(socket: WebSocket, message: string | Buffer): Promise<[Buffer, boolean]> {
  socket.send(message);
  return (await within(once(socket, 'message'), 'echo')) as [Buffer, boolean];
}

async function endOf(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await within(once(socket, 'close'), 'close')) as [number, Buffer];
  return { code, reason: reason.toString() };
}

describe.each(['plain', 'socket'])('%s: a WebSocket', (name) => {
  it.each([false, true])('sends text and octets back as they are (compression: %s)', async (perMessageDeflate) => {
    const socket = await opened(name, { perMessageDeflate });
    expect(socket.extensions !== '').toBe(perMessageDeflate && name === 'plain');
    for (const text of ['', 'Grüße, 世界', 'x'.repeat(200_000)]) {
      const [data, isBinary] = await echoOf(socket, text);
      expect([data.toString(), isBinary]).toEqual([text, false]);
    }
    const octets = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 256));
    const [data, isBinary] = await echoOf(socket, octets);
    expect([data.equals(octets), isBinary]).toEqual([true, true]);
    socket.close(1000);
    await endOf(socket);
  });

  it('joins pieces, answers pings, and a close frame with 1000', async () => {
    const socket = await opened(name);
    socket.send('one ', { fin: false });
    socket.ping('still there?');
    const [payload] = (await within(once(socket, 'pong'), 'pong')) as [Buffer];
    expect(payload.toString()).toBe('still there?');
    expect((await echoOf(socket, 'message'))[0].toString()).toBe('one message');
    socket.close(3000, 'enough');
    expect(await endOf(socket)).toEqual({ code: 1000, reason: '' });
  });
});

describe('the options of a WebSocket', () => {
  it.each([
    [
      'a message that is too large',
      ['x'.repeat(512), 'x'.repeat(512), 'x'],
      'the message is larger than max_message_size',
    ],
    ['a frame that is too large', ['x'.repeat(513)], 'the frame is larger than max_frame_size'],
  ])('%s is closed with 1009', async (_what, frames, reason) => {
    const socket = await opened('narrow');
    frames.forEach((frame, i) => socket.send(frame, { fin: i === frames.length - 1 }));
    expect(await endOf(socket)).toEqual({ code: 1009, reason });
  });

  it('echo_close_codereason', async () => {
    const socket = await opened('narrow');
    socket.close(3000, 'enough');
    expect(await endOf(socket)).toEqual({ code: 3000, reason: 'enough' });
  });

  it('max_connections', async () => {
    const socket = await opened('narrow');
    expect((await rawHttp(portOf('narrow'), upgradeLines('/'))).status).toBe(503);
    socket.close();
    await endOf(socket);
  });

  it('fail_by_drop', async () => {
    const socket = await opened('rough');
    socket.on('error', () => undefined).send('x'.repeat(1025));
    expect(await endOf(socket)).toEqual({ code: 1006, reason: '' });
  });

  it('allowed_origins', async () => {
    const handshake = (origin: string) => rawHttp(portOf('known'), upgradeLines('/', [`Origin: ${origin}`]));
    expect((await handshake('https://example.org')).status).toBe(403);
    const { status, socket } = await handshake('https://example.com');
    socket.destroy();
    expect(status).toBe(101);
  });

  it('auto_ping_timeout', async () => {
    const socket = await opened('pinging', { autoPong: false });
    expect((await endOf(socket)).code).toBe(1006);
  });

  it('enable_webstatus', async () => {
    const page = await rawHttp(portOf('plain'), ['GET / HTTP/1.1', 'Host: x', 'Connection: close']);
    expect([page.status, page.body]).toEqual([200, expect.stringContaining('ws://localhost:9001')]);
    const other = await rawHttp(portOf('rough'), ['GET / HTTP/1.1', 'Host: x', 'Connection: close']);
    expect(other.status).toBe(426);
  });
});

it('a client that does not read is not read either', async () => {
  const socket = await opened('plain');
  socket.pause();
  const message = Buffer.alloc(900_000);
  let accepted = 0;
  // What the system takes on both sides, and a little: far less than this.
  for (let i = 0; i < 100; i++) socket.send(message, () => (accepted += 1));
  await echoOf(await opened('plain'), 'another client has its turn');
  expect(accepted).toBeLessThan(100);
  const all = new Promise<void>((resolve) => {
    let received = 0;
    socket.on('message', (data: Buffer) => {
      received += data.length;
      if (received === 100 * message.length) resolve();
    });
  });
  socket.resume();
  await within(all, 'everything');
});

it('stream.testee sends back every octet, and ends with the client', async () => {
  const socket = connect(portOf('stream'), '127.0.0.1');
  const octets = Buffer.from(Array.from({ length: 500_000 }, (_, i) => (i * 7) % 256));
  socket.end(octets);
  expect((await within(contentOf(socket), 'the stream')).equals(octets)).toBe(true);
});

async function contentOf(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

it('flashpolicy has no effect: it listens nowhere, and the others have their names and places', () => {
  const ofRouter = daemon.listening().filter(({ worker }) => worker === 'worker001');
  expect(ofRouter.map(({ transport }) => transport)).toEqual(['socket', 'stream']);
  expect(daemon.logs.filter(({ msg }) => msg === 'config note')).toMatchObject([
    { pointer: '/workers/0/transports/0', note: '"flashpolicy" has no effect: Flash is gone' },
  ]);
});

it('the node closes the connections when it stops', async () => {
  const other = await startDaemon({ config: nodeOf(testee('plain')) });
  const found = other.listening().find(({ worker }) => worker === 'plain');
  const socket = new WebSocket(`ws://127.0.0.1:${String(found?.['port'])}/`);
  await once(socket, 'open');
  const ended = endOf(socket);
  expect(await other.stop()).toBe(0);
  expect((await ended).code).toBe(1001);
});

describeNeeds('openssl', HAS_OPENSSL)('over TLS', () => {
  it('sends back what it gets', async () => {
    const certificates = new Certificates(temporaryDirectory());
    const tls = {
      key: certificates.file('server.key'),
      certificate: certificates.file('server.pem'),
      chain_certificates: [certificates.file('intermediate.pem')],
    };
    const other = await startDaemon({ config: nodeOf(testee('secure', {}, { ...LOOPBACK, tls })) });
    const port = other.listening().find(({ worker }) => worker === 'secure')?.['port'] as number;
    const ca = readFileSync(certificates.file('root.pem'));
    const socket = new WebSocket(`wss://localhost:${port}/`, {
      createConnection: () => connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca }),
    });
    await within(once(socket, 'open'), 'handshake');
    expect((await echoOf(socket, 'secret'))[0].toString()).toBe('secret');
    await other.dispose();
  });
});
