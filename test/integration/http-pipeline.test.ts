/**
 * Clients that send requests without waiting for answers, over every transport that speaks HTTP: answered in order, one
 * after the other, whatever they ask for in between; they cost a descriptor and little memory, and nothing when they go.
 */
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';

/** As much as a client can send before a node that does not read makes it wait. */
const MANY = 1800;
const FILE_BYTES = 35_000;
const MIB = 1024 * 1024;

let node: Daemon;

beforeAll(async () => {
  const web = path.join(temporaryDirectory(), 'web');
  mkdirSync(web);
  writeFileSync(path.join(web, 'page.html'), 'p'.repeat(FILE_BYTES));
  // More than the sockets between two ends hold.
  writeFileSync(path.join(web, 'big.bin'), Buffer.alloc(16 * MIB, 'b'));
  const files = { type: 'static', directory: web };
  const cookie = { store: { type: 'memory' } };
  node = await startDaemon({
    config: nodeConfig({
      paths: { files, tracked: { ...files, cookie } },
      transports: [
        { type: 'websocket', endpoint: LOOPBACK, cookie },
        {
          type: 'universal',
          endpoint: LOOPBACK,
          rawsocket: {},
          websocket: { ws: { type: 'websocket' } },
          web: { paths: { '/': { type: 'json', value: { here: true } }, files } },
        },
      ],
    }),
  });
});
afterAll(() => node.dispose());

/** transport -> its place in the config, a page that is answered at once, and a WebSocket */
const TRANSPORTS = [
  { type: 'web', index: 0, page: '/', slow: '/tracked/page.html', ws: '/ws' },
  { type: 'websocket', index: 1, page: '/', slow: '/', ws: '/ws' },
  { type: 'universal', index: 2, page: '/', slow: '/files/page.html', ws: '/ws' },
] as const;
const WITH_FILES = TRANSPORTS.filter(({ type }) => type !== 'websocket');

function portOf(index: number): number {
  return Number(node.listening()[index]?.['port']);
}

function request(target: string, ...headers: readonly string[]): string {
  return [`GET ${target} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, '', ''].join('\r\n');
}

const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: wamp.2.json',
];
const CONNECT = 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n';

/** A connection that keeps what it gets. */
class Wire {
  readonly socket: Socket;
  text = '';

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
  }

  static async open(index: number): Promise<Wire> {
    const socket = connect({ host: '127.0.0.1', port: portOf(index) });
    await once(socket, 'connect');
    return new Wire(socket);
  }

  /** Reads until `done` says so of all that came, or the connection ends. */
  until(done: (text: string) => boolean): Promise<string> {
    const { socket } = this;
    return new Promise((resolve) => {
      const end = (): void => resolve(this.text);
      const look = (): void => {
        if (done(this.text) || socket.readableEnded || socket.destroyed) end();
      };
      socket.on('data', (chunk: Buffer) => {
        this.text += chunk.toString('latin1');
        look();
      });
      socket.once('end', end).once('close', end);
      look();
    });
  }

  toEnd(): Promise<string> {
    return this.until(() => false);
  }
}

/** The statuses of all answers, in order. No body of ours contains a status line. */
function statusesOf(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

async function exchange(index: number, text: string, count: number): Promise<number[]> {
  const wire = await Wire.open(index);
  wire.socket.write(text);
  const answers = await wire.until((got) => statusesOf(got).length >= count);
  wire.socket.destroy();
  return statusesOf(answers);
}

/** An honest client. */
function ask(index: number, target = '/'): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: portOf(index), path: target, agent: false }, (res) => {
      res.resume().on('end', () => resolve(res.statusCode ?? 0));
    }).on('error', reject);
  });
}

/** How many descriptors the node has open. */
function descriptors(): number {
  return readdirSync(`/proc/${node.pid}/fd`).length;
}

function residentBytes(): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${node.pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

/** Asks until the node has no more than `count` descriptors open; each question is a round of its event loop. */
async function untilDescriptors(index: number, count: number): Promise<void> {
  while (descriptors() > count) await ask(index);
}

describe.each(TRANSPORTS)('requests in one packet, on a $type transport', ({ index, page, slow, ws }) => {
  it.each([
    ['an upgrade to h2c', request('/', 'Connection: Upgrade', 'Upgrade: h2c'), 200],
    ['a WebSocket handshake', request(ws, ...HANDSHAKE), 101],
    ['a handshake that is refused', request(ws, ...HANDSHAKE.slice(0, 2)), 426],
    ['a CONNECT', CONNECT, 405],
    ['what is no HTTP', 'garbage\r\n\r\n', 400],
    ['an expectation that nobody meets', request(page, 'Expect: wonders'), 417],
    ['a request without a host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ])('are answered in their order when %s comes behind them', async (_what, last, status) => {
    for (const first of [page, slow]) {
      const pages = [200, 200, 200];
      const text = request(first).repeat(pages.length) + last;
      expect(await exchange(index, text, pages.length + 1)).toEqual([...pages, status]);
    }
    expect(await ask(index)).toBe(200);
  });

  it('are answered in their order when they come in two pieces, cut anywhere around the end of the first', async () => {
    const first = request(slow);
    const text = first + request(page, 'Connection: Upgrade', 'Upgrade: h2c');
    for (let cut = first.length - 6; cut < first.length + 6; cut += 1) {
      const wire = await Wire.open(index);
      wire.socket.setNoDelay(true);
      wire.socket.write(text.slice(0, cut), () => void setImmediate(() => wire.socket.write(text.slice(cut))));
      expect(statusesOf(await wire.toEnd()), `cut at ${cut}`).toEqual([200, 200]);
    }
  });

  it('with a body before the handshake wait for the answer as well', async () => {
    const post = (headers: string, body: string): string =>
      `POST ${slow} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\n\r\n${body}`;
    const bodies = [
      post('Content-Length: 9', 'a\r\n\r\nb\r\n\r\n'.slice(0, 9)),
      post('Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'),
      post('Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n'),
    ];
    for (const body of bodies) {
      expect(await exchange(index, body + request(ws, ...HANDSHAKE), 2)).toEqual([405, 101]);
    }
  });

  it('wait for the answer behind a body whose length stands behind thousands of headers', async () => {
    const post = `POST ${slow} HTTP/1.1\r\nHost: 127.0.0.1\r\n${'x: y\r\n'.repeat(2500)}Content-Length: 20\r\n\r\n`;
    const upgrade = request(page, 'Connection: Upgrade', 'Upgrade: h2c');
    expect(await exchange(index, `${post}${'b'.repeat(20)}${upgrade}`, 2)).toEqual([405, 200]);
    expect(node.logs.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('take what a client sends right behind its handshake for the WebSocket', async () => {
    const wire = await Wire.open(index);
    const hello = Buffer.from(JSON.stringify([1, 'realm1', { roles: { caller: {} } }]));
    // Unmasked is masked with zeros.
    const frame = Buffer.concat([Buffer.of(0x81, 0x80 | hello.length, 0, 0, 0, 0), hello]);
    wire.socket.write(Buffer.concat([Buffer.from(request(page) + request(ws, ...HANDSHAKE)), frame]));
    expect(await wire.until((text) => text.includes('[2,'))).toMatch(/HTTP\/1\.1 200[^]*HTTP\/1\.1 101[^]*\[2,/);
    wire.socket.destroy();
  });

  it(`are all answered, be it ${MANY}`, async () => {
    expect(await exchange(index, request(page).repeat(MANY), MANY)).toEqual(Array.from({ length: MANY }, () => 200));
  });

  it('cost little memory when nobody reads the answers, and nothing when the client has gone', async () => {
    await exchange(index, request(slow).repeat(20), 20);
    const before = { descriptors: descriptors(), bytes: residentBytes() };
    const wires: Wire[] = [];
    for (let count = 0; count < 16; count += 1) {
      const wire = await Wire.open(index);
      wire.socket.pause();
      await new Promise((resolve) => wire.socket.write(request(slow).repeat(MANY), resolve));
      expect(await ask(index)).toBe(200);
      wires.push(wire);
    }
    const honest = await Promise.all(Array.from({ length: 40 }, () => ask(index, slow)));
    expect(honest).toEqual(honest.map(() => 200));
    expect(descriptors() - before.descriptors).toBeLessThan(4 * wires.length);
    expect(residentBytes() - before.bytes).toBeLessThan(4 * MIB * wires.length);
    for (const { socket } of wires) socket.destroy();
    await untilDescriptors(index, before.descriptors + 4);
  });
});

describe.each(WITH_FILES)('a file on a $type transport', ({ index }) => {
  it('is closed when the client goes, whatever else it asked for', async () => {
    const before = descriptors();
    for (let round = 0; round < 3; round += 1) {
      const wire = await Wire.open(index);
      wire.socket.write(request('/files/page.html').repeat(1000));
      await once(wire.socket, 'data');
      wire.socket.destroy();
    }
    await untilDescriptors(index, before + 4);
  });

  it('comes whole with an upgrade that is ignored', async () => {
    const wire = await Wire.open(index);
    wire.socket.write(request('/files/big.bin', 'Connection: Upgrade', 'Upgrade: h2c'));
    expect((await wire.toEnd()).length).toBeGreaterThan(16 * MIB);
  });
});
