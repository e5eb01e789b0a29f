/**
 * What a stranger can send on one connection to a port that speaks HTTP: many requests at once, upgrades behind them, and
 * going away in the middle. Over every transport that has HTTP.
 */
import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { nodeDirectory, startDaemon } from '../support/daemon.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { within } from '../support/wamp-client.js';

const FILE_BYTES = 1_000_000;

let daemon: Daemon;
const open: Socket[] = [];

/** In the order of {@link KINDS}. */
beforeAll(async () => {
  const files = { type: 'static', directory: '../files' };
  const socket = { type: 'websocket' };
  const cbdir = nodeDirectory(
    nodeConfig({
      paths: { files },
      transports: [
        { type: 'websocket', endpoint: LOOPBACK },
        { type: 'universal', endpoint: LOOPBACK, websocket: { ws: socket }, web: { paths: { '/': files } } },
        { type: 'web', endpoint: LOOPBACK, paths: { '/': files, ws: { ...socket, cookie: {} } } },
      ],
    }),
  );
  const directory = path.join(path.dirname(cbdir), 'files');
  mkdirSync(directory);
  writeFileSync(path.join(directory, 'large.bin'), Buffer.alloc(FILE_BYTES, 'x'));
  daemon = await startDaemon({ cbdir });
});
afterAll(() => daemon.dispose());
afterEach(() => {
  for (const each of open.splice(0)) each.destroy();
});

const KINDS = [
  { kind: 'web', index: 0, socket: '/ws' },
  { kind: 'websocket', index: 1, socket: '/' },
  { kind: 'universal', index: 2, socket: '/ws' },
  { kind: 'web with cookies', index: 3, socket: '/ws' },
] as const;

function portOf(index: number): number {
  return Number(daemon.listening()[index]?.['port']);
}

function get(target: string, ...headers: readonly string[]): string {
  return [`GET ${target} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, '', ''].join('\r\n');
}

function webSocket(target: string, ...headers: readonly string[]): string {
  return get(
    target,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol: wamp.2.json',
    ...headers,
  );
}

const H2C = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'];

function connectTo(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => undefined); // a reset is one of the ways to be refused
  open.push(socket);
  return socket;
}

/** What the server sends until `enough` is true or it closes. */
function received(socket: Socket, enough: (text: string) => boolean = () => false): Promise<string> {
  return within(
    new Promise((resolve) => {
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        if (enough(text)) resolve(text);
      });
      socket.on('close', () => resolve(text));
    }),
    'the answer',
  );
}

const statuses = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));

async function answers(port: number): Promise<boolean> {
  const socket = connectTo(port);
  socket.write(get('/', 'Connection: close'));
  return statuses(await received(socket)).length === 1;
}

function openFiles(): number {
  const directory = `/proc/${daemon.pid}/fd`;
  return readdirSync(directory).filter((fd) => {
    try {
      return readlinkSync(path.join(directory, fd)).endsWith('large.bin');
    } catch {
      return false; // closed meanwhile
    }
  }).length;
}

describe.each(KINDS)('on a transport of type $kind', ({ index, socket: socketPath }) => {
  it('an upgrade to something else behind a request in the same packet does not end the node', async () => {
    const port = portOf(index);
    const socket = connectTo(port);
    socket.write(get('/') + get('/', ...H2C));
    const text = await received(socket);
    expect(statuses(text)).toHaveLength(2);
    expect(await answers(port)).toBe(true);
  });

  it('a WebSocket handshake behind a request in the same packet is answered behind it', async () => {
    const socket = connectTo(portOf(index));
    socket.write(get('/') + webSocket(socketPath));
    const text = await received(socket, (so) => statuses(so).length === 2 && so.endsWith('\r\n\r\n'));
    expect(statuses(text)[1]).toBe(101);
    expect(statuses(text)[0]).not.toBe(101);
  });

  it('a handshake that offers another protocol as well is one', async () => {
    const socket = connectTo(portOf(index));
    socket.write(webSocket(socketPath).replace('Upgrade: websocket', 'Upgrade: h2c, websocket'));
    expect(statuses(await received(socket, (so) => so.endsWith('\r\n\r\n')))).toEqual([101]);
  });

  it('a refused handshake behind a request in the same packet leaves that its answer', async () => {
    const socket = connectTo(portOf(index));
    socket.write(get('/') + webSocket(socketPath, 'Sec-WebSocket-Version: 99'));
    const text = await received(socket);
    expect(statuses(text)).toHaveLength(2);
    expect([400, 426]).toContain(statuses(text)[1]);
  });

  it('CONNECT behind a request in the same packet leaves that its answer', async () => {
    const socket = connectTo(portOf(index));
    socket.write(`${get('/')}CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n`);
    expect(statuses(await received(socket)).slice(1)).toEqual([405]);
  });

  it('nonsense behind a request in the same packet leaves that its answer', async () => {
    const socket = connectTo(portOf(index));
    socket.write(`${get('/')}\u0001\u0002\r\n\r\n`);
    expect(statuses(await received(socket)).slice(1)).toEqual([400]);
  });
});

describe('a client that asks for a file a thousand times at once', () => {
  const targets = KINDS.filter(({ kind }) => kind !== 'websocket').map(({ kind, index }) => ({
    kind,
    index,
    file: index === 0 ? '/files/large.bin' : '/large.bin',
  }));

  it.each(targets)('and goes leaves no file open: $kind', async ({ index, file }) => {
    const port = portOf(index);
    for (let round = 0; round < 5; round++) {
      const socket = connectTo(port);
      socket.write(get(file).repeat(1000));
      await new Promise((resolve) => socket.once('data', resolve).once('close', resolve));
      socket.destroy();
    }
    expect(await answers(port)).toBe(true);
    await expect.poll(openFiles, { timeout: 20_000 }).toBe(0);
  });

  it.each(targets)('and does not read holds no more than one file open: $kind', async ({ index, file }) => {
    const port = portOf(index);
    const sockets = Array.from({ length: 4 }, () => connectTo(port));
    for (const socket of sockets) {
      socket.pause();
      socket.write(get(file).repeat(60));
    }
    // The node has looked at all of them when it answers somebody who came later, twice.
    for (let i = 0; i < 2; i++) expect(await answers(port)).toBe(true);
    expect(openFiles()).toBeLessThanOrEqual(sockets.length);
  });

  it('gets all answers, in order, when it asks a reasonable number of times', async () => {
    const socket = connectTo(portOf(0));
    socket.write(get('/files/large.bin').repeat(20) + get('/', 'Connection: close'));
    const text = await received(socket);
    expect(statuses(text)).toEqual(Array.from({ length: 21 }, () => 200));
    expect(text.length).toBeGreaterThan(20 * FILE_BYTES);
  });
});
