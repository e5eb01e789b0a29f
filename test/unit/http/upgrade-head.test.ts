/**
 * What is read of a handshake without the HTTP server, against the server: every head that is taken the parser of Node.js takes, too, and
 * makes the same of it. That the heads of browsers and libraries are taken is shown as well, and what is not.
 *
 * `MODEL_RUNS` is the number of random heads of each kind: 2000 unless it is set.
 */
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { readUpgradeHead } from '../../../src/http/upgrade-head.js';

const RUNS = Number(process.env.MODEL_RUNS ?? 2000);
const MAX_BYTES = 4096;

const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
const PROTOCOLS = 'wamp.2.cbor, wamp.2.msgpack, wamp.2.json';

/** As they come, by who sends them. */
const HANDSHAKES: Readonly<Record<string, readonly string[]>> = {
  Chromium: [
    'GET /ws HTTP/1.1',
    'Host: localhost:8080',
    'Connection: Upgrade',
    'Pragma: no-cache',
    'Cache-Control: no-cache',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36',
    'Upgrade: websocket',
    'Origin: http://localhost:8080',
    'Sec-WebSocket-Version: 13',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Accept-Language: en-US,en;q=0.9',
    'Cookie: cbtid=AbCdEfGhIjKlMnOpQrStUvWx; other="a b"; empty=',
    KEY,
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
    `Sec-WebSocket-Protocol: ${PROTOCOLS}`,
  ],
  Firefox: [
    'GET /a/b/ws?token=%20x&y=[1] HTTP/1.1',
    'Host: example.com',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
    'Accept: */*',
    'Accept-Language: en-US,en;q=0.5',
    'Accept-Encoding: gzip, deflate',
    'Sec-WebSocket-Version: 13',
    'Origin: null',
    'Sec-WebSocket-Protocol: wamp.2.json',
    'Sec-WebSocket-Extensions: permessage-deflate',
    KEY,
    'DNT: 1',
    'Connection: keep-alive, Upgrade',
    'Sec-Fetch-Dest: empty',
    'Pragma: no-cache',
    'Upgrade: websocket',
  ],
  'autobahn-js in Node.js': [
    'GET /ws HTTP/1.1',
    'Sec-WebSocket-Version: 13',
    KEY,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Protocol: wamp.2.json',
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
    'Host: 127.0.0.1:8080',
  ],
  'autobahn of Python': [
    'GET / HTTP/1.1',
    'User-Agent: AutobahnPython/24.4.2',
    'Host: 127.0.0.1:8080',
    'Upgrade: WebSocket',
    'Connection: Upgrade',
    'Pragma: no-cache',
    'Cache-Control: no-cache',
    KEY,
    'Sec-WebSocket-Protocol: wamp.2.cbor.batched,wamp.2.cbor',
    'Sec-WebSocket-Version: 13',
  ],
  'websockets of Python': [
    'GET /ws HTTP/1.1',
    'Host: [::1]:8080',
    'Upgrade: websocket',
    'Connection: Upgrade',
    KEY,
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=12; client_max_window_bits=12',
    'User-Agent: Python/3.12 websockets/13.1',
  ],
  'a client behind nginx': [
    'GET /ws HTTP/1.1',
    'Upgrade: websocket',
    'Connection: upgrade',
    'Host: example.com',
    'X-Forwarded-For: 192.0.2.1, 198.51.100.7',
    'X-Forwarded-Proto: https',
    KEY,
    'Sec-WebSocket-Version: 13',
  ],
  'somebody who saves spaces': [
    'GET /ws HTTP/1.1',
    'host:x',
    'upgrade:websocket',
    'connection:upgrade,keep-alive',
    'x-empty:',
    'x-trailing:  a : b  ',
  ],
};

function bytesOf(lines: readonly string[]): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** What is made of a head. */
interface Read {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly httpVersion: string;
  readonly headers: object;
  readonly rawHeaders: readonly string[];
  /** What was sent behind it. */
  readonly rest: string;
}

/** @returns what we make of it; undefined where the server has to read it. */
function readByUs(chunk: Buffer): Read | undefined {
  const head = readUpgradeHead(chunk, MAX_BYTES);
  if (head === undefined) return undefined;
  const { url, headers, rawHeaders, bytes } = head;
  const rest = chunk.toString('hex', bytes);
  return { method: 'GET', url, httpVersion: '1.1', headers, rawHeaders, rest };
}

/** @returns what a server makes of it that is made as `acceptor.ts` makes one. */
async function readByNode(chunk: Buffer): Promise<Read | string> {
  const server = createServer({ requireHostHeader: false, maxHeaderSize: MAX_BYTES });
  server.maxHeadersCount = 0;
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const read = new Promise<Read | string>((resolve) => {
    server.on('upgrade', ({ method, url, httpVersion, headers, rawHeaders }: IncomingMessage, _socket, rest: Buffer) =>
      resolve({ method, url, httpVersion, headers: { ...headers }, rawHeaders, rest: rest.toString('hex') }),
    );
    server.on('request', () => resolve('a plain request'));
    server.on('connect', () => resolve('CONNECT'));
    server.on('clientError', ({ code }: NodeJS.ErrnoException) => resolve(`no HTTP: ${code ?? ''}`));
    socket.once('end', () => resolve('half a head'));
  });
  // Node.js documents this event as the way to give connections to an HTTP server.
  server.emit('connection', socket);
  socket.push(chunk);
  socket.push(null);
  const result = await read;
  socket.destroy();
  return result;
}

/** Whatever is taken is read as by the server. @returns whether it is taken. */
async function isTaken(chunk: Buffer): Promise<boolean> {
  const read = readByUs(chunk);
  if (read === undefined) return false;
  expect(read).toEqual(await readByNode(chunk));
  return true;
}

const CORPUS = Object.values(HANDSHAKES).map(bytesOf);
const PLAIN = ['GET /ws HTTP/1.1', 'Host: x', 'Upgrade: websocket', 'Connection: Upgrade', KEY];

describe('a handshake', () => {
  it.each(Object.entries(HANDSHAKES))('of %s is read, as the HTTP server reads it', async (_name, lines) => {
    for (const rest of ['', '\x82\xfe\x00\x01GET / HTTP/1.1\r\n\r\n']) {
      expect(await isTaken(Buffer.concat([bytesOf(lines), Buffer.from(rest, 'latin1')]))).toBe(true);
    }
  });

  it('is left to the server when it is long', () => {
    const padded = (bytes: number): Buffer => {
      const missing = bytes - bytesOf([...PLAIN, 'x: ']).length;
      return bytesOf([...PLAIN, `x: ${'y'.repeat(missing)}`]);
    };
    expect(padded(MAX_BYTES - 1)).toHaveLength(MAX_BYTES - 1);
    expect(readByUs(padded(MAX_BYTES - 1))).toBeDefined();
    expect(readByUs(padded(MAX_BYTES))).toBeUndefined();
  });
});

/** What is in a head beside the lines of {@link PLAIN}, or in place of the one at the index. */
const LEFT_TO_SERVER: readonly (readonly [what: string, line: string, instead?: number])[] = [
  ['another method', 'POST /ws HTTP/1.1', 0],
  ['another version', 'GET /ws HTTP/1.0', 0],
  ['a version of other letters', 'GET /ws http/1.1', 0],
  ['two spaces in the request line', 'GET  /ws HTTP/1.1', 0],
  ['a target with a host', 'GET http://x/ws HTTP/1.1', 0],
  ['a target with a fragment', 'GET /ws#x HTTP/1.1', 0],
  ['a target with a space', 'GET /w s HTTP/1.1', 0],
  ['a target beyond ASCII', 'GET /w\xe9s HTTP/1.1', 0],
  ['an empty line before it', '\r\nGET /ws HTTP/1.1', 0],
  ['no Host', 'x: y', 1],
  ['a second Host', 'HOST: y'],
  ['a second name of any kind', 'sec-websocket-key: x'],
  ['another upgrade', 'Upgrade: h2c', 2],
  ['a list of upgrades', 'Upgrade: websocket, h2c', 2],
  ['another connection', 'Connection: keep-alive', 3],
  ['a connection that names a header', 'Connection: upgrade, x', 3],
  ['a connection that ends', 'Connection: close, upgrade', 3],
  ['a length', 'Content-Length: 0'],
  ['chunks', 'Transfer-Encoding: chunked'],
  ['a wish to go on', 'Expect: 100-continue'],
  ['a header that may come in lists', 'Set-Cookie: a=b'],
  ['a connection of another name', 'Proxy-Connection: close'],
  ['a folded line', 'x: y\r\n z'],
  ['a space before the colon', 'x : y'],
  ['a space before the name', ' x: y'],
  ['a line without a colon', 'x'],
  ['an empty name', ': y'],
  ['an odd letter in a name', 'x(y: z'],
  ['a bare line feed', 'x: y\nz: a'],
  ['a bare carriage return', 'x: y\rz'],
  ['a zero', 'x: \x00'],
  ['a control character', 'x: \x1b[0m'],
  ['a tab', 'x:\ty'],
  ['a delete', 'x: \x7f'],
  ['a letter beyond ASCII', 'x: \xe9'],
  ['UTF-8', `x: ${Buffer.from('é').toString('latin1')}`],
  ['a name that objects have', 'constructor: x'],
  ['the name of a prototype', '__proto__: x'],
];

describe('the HTTP server reads', () => {
  it.each(LEFT_TO_SERVER.map(([what, line, instead]) => ({ what, line, instead })))('$what', ({ line, instead }) => {
    const lines = instead === undefined ? [...PLAIN, line] : PLAIN.map((own, at) => (at === instead ? line : own));
    expect(readByUs(bytesOf(PLAIN))).toBeDefined();
    expect(readByUs(bytesOf(lines))).toBeUndefined();
  });

  it('a head that has not come as a whole', () => {
    const head = bytesOf(PLAIN);
    for (let bytes = 0; bytes < head.length; bytes += 1) expect(readByUs(head.subarray(0, bytes))).toBeUndefined();
  });
});

const TOKEN = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,24}$/);
const VALUE = fc.stringMatching(/^[ -~]{0,60}$/);

/** Names that mean something to somebody, also to JavaScript. */
const NAME = fc.oneof(
  { weight: 8, arbitrary: TOKEN },
  fc.constantFrom('Cookie', 'Origin', 'Date', 'Via', 'Age', 'From', 'Accept', 'Upgrade', 'Trailer', 'constructor'),
  fc.constantFrom('Content-Length', 'Transfer-Encoding', 'Set-Cookie', '__proto__', 'Host', 'toString', 'TE'),
);

/** What stands between parts of a head, and what must not. */
const ODD = [
  ...[
    '\r\n',
    '\n',
    '\r',
    ' ',
    '\t',
    ':',
    ',',
    '\0',
    '\x7f',
    '\x80',
    '\xff',
    '\x0b',
    '\x0c',
    '\x1f',
    '#',
    '?',
    '"',
    '\\',
  ],
  ...['\r\n\r\n', '\r\n ', '\r\n\t', ' :', '\n\n', '\r\r\n', 'Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n'],
  ...[
    'Host: y\r\n',
    'Connection: close\r\n',
    'Upgrade: h2c\r\n',
    'Expect: x\r\n',
    ', close',
    ', websocket',
    'x-y: z\r\n',
  ],
  ...['HTTP/1.1', 'HTTP/1.0', 'GET ', 'CONNECT ', '/', '//', 'http://h', '%00', ';', '\xc3\xa9', 'A', 'a'.repeat(200)],
];

/** One change to a head. `at` is a place: in thousandths of its length, or the next octet that stands between parts. */
interface Change {
  readonly do: 'insert' | 'replace' | 'cut' | 'flip' | 'repeat';
  readonly at: number;
  readonly isBetween: boolean;
  readonly text: string;
  readonly bytes: number;
}

const CHANGE: fc.Arbitrary<Change> = fc.record({
  do: fc.constantFrom('insert', 'replace', 'cut', 'flip', 'repeat'),
  at: fc.nat(999),
  isBetween: fc.boolean(),
  text: fc.oneof(
    fc.constantFrom(...ODD),
    fc.nat(255).map((octet) => String.fromCharCode(octet)),
  ),
  bytes: fc.nat(12),
});

function placeIn(head: string, { at, isBetween }: Change): number {
  const place = Math.floor((at * head.length) / 1000);
  const next = isBetween ? head.slice(place).search(/[\r\n:, ]/) : 0;
  return place + Math.max(next, 0);
}

function changed(head: string, change: Change): string {
  const place = placeIn(head, change);
  const [before, behind] = [head.slice(0, place), head.slice(place)];
  switch (change.do) {
    case 'insert':
      return before + change.text + behind;
    case 'replace':
      return before + change.text + behind.slice(change.text.length);
    case 'cut':
      return before + behind.slice(change.bytes);
    case 'flip':
      return before + String.fromCharCode((behind.charCodeAt(0) || 0) ^ (1 << (change.bytes % 8))) + behind.slice(1);
    case 'repeat':
      return before + behind.slice(0, change.bytes * 4) + behind;
  }
}

describe('random heads', () => {
  it('are taken only where the server reads the same, whatever is changed in them', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...CORPUS),
        fc.array(CHANGE, { minLength: 1, maxLength: 3 }),
        fc.uint8Array({ maxLength: 8 }),
        async (head, changes, rest) => {
          const text = changes.reduce(changed, head.toString('latin1'));
          if (await isTaken(Buffer.concat([Buffer.from(text, 'latin1'), rest]))) taken += 1;
        },
      ),
      { numRuns: RUNS },
    );
    // Changes within a value do no harm, and are many.
    expect(taken).toBeGreaterThan(RUNS / 20);
    expect(taken).toBeLessThan(RUNS);
  });

  it('are taken whatever their headers are called, and say', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(NAME, VALUE), { maxLength: 40 }), fc.nat(4), async (headers, at) => {
        const more = headers.map(([name, value]) => `${name}:${value}`);
        if (await isTaken(bytesOf([...PLAIN.slice(0, at + 1), ...more, ...PLAIN.slice(at + 1)]))) taken += 1;
      }),
      { numRuns: RUNS },
    );
    expect(taken).toBeGreaterThan(RUNS / 20);
  });
});
