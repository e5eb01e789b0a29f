/**
 * Handshakes of WebSockets as they come from the network: in one piece, in many, with messages right behind them, from clients that send
 * nothing, or leave; over TCP and TLS, and beside other protocols.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import type { Daemon } from '../support/daemon.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { ALL_ROLES, WampClient } from '../support/wamp-client.js';

/** Longer than any test may take. */
const WS = { type: 'websocket', options: { open_handshake_timeout: 600_000 } };
const HURRIED = { options: { open_handshake_timeout: 1000 } };

const HANDSHAKE = [
  'GET /ws HTTP/1.1',
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: wamp.2.json',
  '',
  '',
].join('\r\n');

/** A text frame with a mask that changes nothing. */
function frameOf(text: string): Buffer {
  const bytes = Buffer.from(text);
  const head = Buffer.from([0x81, 0xfe, 0, 0, 0, 0, 0, 0]);
  head.writeUInt16BE(bytes.length, 2);
  return Buffer.concat([head, bytes]);
}

const HELLO = frameOf(JSON.stringify([1, 'realm1', { roles: ALL_ROLES }]));

let daemon: Daemon;
beforeAll(async () => {
  const others = { type: 'universal', rawsocket: {}, websocket: { ws: { options: WS.options } } };
  const transports: object[] = [
    { ...others, id: 'universal', endpoint: LOOPBACK },
    { type: 'websocket', ...HURRIED, id: 'hurried', endpoint: LOOPBACK },
  ];
  if (HAS_OPENSSL) {
    const certificates = new Certificates(temporaryDirectory());
    const tls = { key: certificates.file('server.key'), certificate: certificates.file('server.pem') };
    transports.push({ type: 'web', id: 'tls', endpoint: { ...LOOPBACK, tls }, paths: { ws: WS } });
  }
  daemon = await startDaemon({
    config: nodeConfig({ websocket: WS, transports }),
    args: ['--loglevel', 'debug'],
  });
});
afterAll(async () => {
  const faults = daemon.logs.filter(({ level }) => level === 'error' || level === 'fatal');
  await daemon.dispose();
  expect(faults).toEqual([]);
});

async function open(transport: string): Promise<Socket> {
  const record = daemon.listening().find((listening) => listening['transport'] === transport);
  const place = { host: '127.0.0.1', port: Number(record?.['port'] ?? daemon.port) };
  const isTls = transport === 'tls';
  const socket = isTls ? connectTls({ ...place, rejectUnauthorized: false }) : connect(place);
  await once(socket, isTls ? 'secureConnect' : 'connect');
  return socket.setNoDelay(true).on('error', () => undefined);
}

/** Reads until what came contains a text. */
async function until(socket: Socket, text: string): Promise<string> {
  let read = '';
  while (!read.includes(text)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    read += chunk.toString('latin1');
  }
  return read;
}

/** Reads to the end. */
async function rest(socket: Socket): Promise<string> {
  let read = '';
  socket.on('data', (chunk: Buffer) => (read += chunk.toString('latin1')));
  if (!socket.closed) await once(socket, 'close');
  return read;
}

function suite(transport: string): void {
  it('is answered in whatever pieces it comes', async () => {
    const cuts = [1, 3, 20, HANDSHAKE.indexOf('Key'), HANDSHAKE.length - 3, HANDSHAKE.length - 1, HANDSHAKE.length];
    for (const cut of cuts) {
      const socket = await open(transport);
      socket.write(HANDSHAKE.slice(0, cut));
      // The first piece is there before the second one is sent.
      await (await WampClient.join(daemon.url('/ws', 'ws'))).leave();
      socket.write(HANDSHAKE.slice(cut));
      expect(await until(socket, '\r\n\r\n')).toMatch(/^HTTP\/1\.1 101 .*\r\nServer: crossbar-ts\r\n\r\n$/s);
      socket.destroy();
    }
  });

  it('is answered with what comes behind it', async () => {
    for (const [first, second] of [
      [Buffer.concat([Buffer.from(HANDSHAKE), HELLO]), Buffer.alloc(0)],
      [Buffer.concat([Buffer.from(HANDSHAKE), HELLO.subarray(0, 9)]), HELLO.subarray(9)],
      [Buffer.from(HANDSHAKE), HELLO],
    ] as const) {
      const socket = await open(transport);
      socket.write(first);
      if (second.length > 0) await until(socket, '\r\n\r\n');
      socket.write(second);
      expect(await until(socket, '[2,')).toContain('[2,');
      socket.destroy();
    }
  });

  it('is refused as any other one', async () => {
    const socket = await open(transport);
    socket.write(HANDSHAKE.replace('Version: 13', 'Version: 7'));
    expect(await rest(socket)).toMatch(/^HTTP\/1\.1 426 /);
  });
}

describe('a handshake over TCP', () => suite('transport001'));
describe('a handshake beside RawSocket', () => suite('universal'));
describeNeeds('the openssl command', HAS_OPENSSL)('a handshake over TLS', () => suite('tls'));

describe('a connection', () => {
  it('that sends nothing, or half a handshake, is told that its time is over', async () => {
    const [silent, half] = [await open('hurried'), await open('hurried')];
    const [silentPeer, halfPeer] = [silent, half].map(({ localPort }) => `127.0.0.1:${localPort ?? 0}`);
    half.write(HANDSHAKE.slice(0, 50));
    const answers = await Promise.all([rest(silent), rest(half)]);
    expect(answers.map((answer) => answer.slice(0, 12))).toEqual(['HTTP/1.1 408', 'HTTP/1.1 408']);
    // Browsers open connections in advance: one on which nothing came is nothing to look into.
    const told = await daemon.waitForLog(({ peer }) => peer === silentPeer);
    expect(told).toMatchObject({ level: 'debug', msg: 'HTTP connection failed', code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    const refused = await daemon.waitForLog(({ peer }) => peer === halfPeer);
    expect(refused).toMatchObject({ level: 'warn', msg: 'HTTP connection refused', status: 408 });
  });

  it('that ends, or is reset, before it has sent anything is gone, and nobody else minds', async () => {
    const [ending, reset] = [await open('transport001'), await open('transport001')];
    const ended = rest(ending);
    ending.end();
    expect(await ended).toBe('');
    reset.resetAndDestroy();
    await daemon.waitForLog(({ msg, code }) => msg === 'HTTP connection failed' && code === 'ECONNRESET');
    await (await WampClient.join(daemon.url('/ws', 'ws'))).leave();
  });
});

it('connections that have sent nothing do not hold the end of a node up', async () => {
  const node = await startDaemon({ config: nodeConfig({ websocket: WS }), args: ['--loglevel', 'debug'] });
  const socket = connect({ host: '127.0.0.1', port: node.port });
  await once(socket, 'connect');
  // It has been accepted: others after it are served.
  await (await WampClient.join(node.url('/ws', 'ws'))).leave();
  const closed = rest(socket);
  node.signal('SIGTERM');
  expect(await closed).toBe('');
  expect((await node.exited).code).toBe(0);
  expect(node.logs.map(({ msg }) => msg)).not.toContain('connections cut');
  await node.dispose();
});
