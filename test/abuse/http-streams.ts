/** What may arrive at a port that speaks HTTP: requests one behind the other, right and wrong, upgrades, bodies, and anything. */
import { damaged } from './random.js';
import type { Random } from './random.js';
import { messageFrames, oddFrame } from './websocket-frames.js';

const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'DELETE', 'TRACE', 'PATCH', 'CONNECT', 'PRI'];
const ODD_METHODS = ['get', 'M-SEARCH', 'BREW', '', 'GET GET', 'G\0T', 'X'.repeat(300)];
const TARGETS = [
  ...['/', '/', '/files/page.html', '/files/', '/files/large.bin', '/files/missing', '/ws', '/ws', '/deflate', '/old'],
  ...['/info', '/api/value', '/api', '/api/', '/nothing', '/tracked/page.html', '/ws?x=1', '*'],
];
const ODD_TARGETS = [
  ...[
    '',
    'x',
    '//',
    '/../..',
    '/files/../../config.json',
    '/files/%2e%2e/%2e%2e/config.json',
    '/files/..%2f',
    '/%',
    '/%zz',
  ],
  ...[
    '/%00',
    '/files/page.html%00.txt',
    '/\\..\\',
    '/files//page.html',
    'http://evil.com/',
    'http://',
    '/?',
    '/#',
    '/ä',
  ],
  ...['/__proto__', '/constructor', '/api/__proto__', '/files/.hidden', '/;a=b', 'example.com:443', '/ws/', '/ws%2f'],
];
const VERSIONS = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/2.0',
  'HTTP/0.9',
  'HTTP/1.2',
  'X',
];
const UPGRADES = [
  'h2c',
  'websocket',
  'WebSocket',
  'websocket, h2c',
  'h2c, websocket',
  '',
  ',',
  'TLS/1.0',
  'a/b/c',
  '\u00ff',
  'w;q=1',
];
const CONNECTIONS = [
  'keep-alive',
  'close',
  'Upgrade',
  'keep-alive, Upgrade',
  'Upgrade, HTTP2-Settings',
  'x',
  '',
  'close, close',
];
const RANGES = [
  'bytes=0-1',
  'bytes=-1',
  'bytes=5-2',
  'bytes=0-0,2-3,5-',
  'bytes=999999999-',
  'x',
  `bytes=${'0-1,'.repeat(300)}`,
];
const PROTOCOLS = [
  'wamp.2.json',
  'wamp.2.msgpack, wamp.2.cbor',
  'wamp.2.json.batched',
  'x',
  '',
  'wamp.2.json,,',
  'a'.repeat(300),
];
const EXTENSIONS = [
  ...[
    'permessage-deflate',
    'permessage-deflate; client_max_window_bits',
    'permessage-deflate; server_max_window_bits=7',
  ],
  ...[
    'permessage-deflate; x=1',
    'x-webkit-deflate-frame',
    'permessage-deflate; client_max_window_bits="8"',
    ';',
    '=',
    '',
  ],
];
const ORIGINS = [
  'null',
  'http://127.0.0.1',
  'http://evil.com',
  'file://',
  '',
  'x',
  'https://[::1]:1',
  'http://a,http://b',
];

/** Cookies that the node gave, for later requests. */
export interface KnownCookies {
  readonly cookies: string[];
}

const MOST_COOKIES = 50;

/** Takes the cookies out of what the node has answered. */
export function learnCookies(known: KnownCookies, answer: string): void {
  for (const [, cookie] of answer.matchAll(/^set-cookie: ([^;\r]+)/gim)) {
    if (cookie !== undefined) known.cookies.push(cookie);
  }
  known.cookies.splice(0, known.cookies.length - MOST_COOKIES);
}

/** The octets of a whole connection. */
export function httpStream(random: Random, known: KnownCookies): Buffer {
  if (random.chance(0.05)) return random.bytes(random.size(3000));
  if (random.chance(0.02)) return Buffer.from(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${'\0'.repeat(20)}`);
  const oddness = random.pick([0, 0.02, 0.1, 0.4]);
  const parts = Array.from({ length: random.size(random.chance(0.1) ? 200 : 8) }, () =>
    request(random, known, oddness),
  );
  const stream = Buffer.concat(parts);
  return random.chance(oddness) ? damaged(stream, random) : stream;
}

function request(random: Random, known: KnownCookies, oddness: number): Buffer {
  if (random.chance(0.3)) return upgrade(random, known, oddness);
  const lines = [requestLine(random, oddness), ...commonHeaders(random, known, oddness)];
  const [bodyHeaders, body] = random.chance(0.4) ? bodyOf(random, oddness) : [[], Buffer.alloc(0)];
  return Buffer.concat([head([...lines, ...bodyHeaders], random, oddness), body]);
}

function requestLine(random: Random, oddness: number): string {
  const method = random.pick(random.chance(oddness) ? ODD_METHODS : METHODS);
  const target = random.pick(random.chance(oddness) ? ODD_TARGETS : TARGETS);
  const version = random.chance(0.8) ? 'HTTP/1.1' : random.pick(VERSIONS);
  return `${method} ${random.chance(0.01) ? target + 'x'.repeat(random.size(20_000)) : target} ${version}`;
}

function commonHeaders(random: Random, known: KnownCookies, oddness: number): string[] {
  const cookie =
    known.cookies.length > 0 && random.chance(0.7) ? random.pick(known.cookies) : `cbtid=${oddCookie(random)}`;
  const headers = [
    `Host: ${random.chance(oddness) ? random.pick(['', 'evil.com', '[::1', 'a b', '127.0.0.1:99999']) : '127.0.0.1'}`,
    random.chance(0.3) && `Cookie: ${random.chance(0.1) ? `${cookie}; `.repeat(random.size(40)) : cookie}`,
    random.chance(0.2) && `Connection: ${random.pick(CONNECTIONS)}`,
    random.chance(0.1) && `Upgrade: ${random.pick(UPGRADES)}`,
    random.chance(0.1) && `Range: ${random.pick(RANGES)}`,
    random.chance(0.1) && `If-None-Match: ${random.pick(['*', '"x"', 'W/"x"', '"', '"a", '.repeat(100)])}`,
    random.chance(0.1) && `If-Modified-Since: ${random.pick(['Thu, 01 Jan 2099 00:00:00 GMT', 'x', ''])}`,
    random.chance(0.1) && `Accept-Encoding: ${random.pick(['gzip', 'identity;q=0', '*', 'br, gzip'])}`,
    random.chance(0.05) && `Expect: ${random.pick(['100-continue', '200-ok', ''])}`,
    random.chance(0.1) && `Origin: ${random.pick(ORIGINS)}`,
    random.chance(oddness) && `X: ${'x'.repeat(random.size(40_000))}`,
    random.chance(oddness) && `${'x: y\r\n'.repeat(random.size(3000))}x: y`,
    random.chance(oddness) &&
      random.pick(['no colon', ': x', 'a b: c', ' folded', 'x\0: y', 'x: \0', 'x: \x7f', 'x : y']),
  ];
  return headers.filter((line) => line !== false);
}

function oddCookie(random: Random): string {
  return random.pick([
    '',
    'x',
    'A'.repeat(24),
    'A'.repeat(5000),
    '%00',
    '"A"',
    '__proto__',
    random.bytes(18).toString('base64url'),
  ]);
}

function head(lines: readonly string[], random: Random, oddness: number): Buffer {
  const end = random.chance(oddness * 0.3) ? random.pick(['\n', '\r', '\r\r\n']) : '\r\n';
  const before = random.chance(oddness * 0.3) ? '\r\n'.repeat(random.size(20)) : '';
  return Buffer.from(`${before}${lines.join(end)}${end}${end}`, 'latin1');
}

/** A body, with the headers that say how long it is: mostly that. */
function bodyOf(random: Random, oddness: number): readonly [readonly string[], Buffer] {
  const body = Buffer.alloc(random.size(50_000), 'b');
  const length = random.chance(oddness)
    ? random.pick(['-1', '1e3', '0x10', '99999999999999999999', '', '5, 5', '5'])
    : body.length;
  const sized = `Content-Length: ${length}`;
  if (random.chance(0.5)) return [random.chance(oddness) ? [sized, 'Content-Length: 7'] : [sized], body];
  const chunked = `Transfer-Encoding: ${random.chance(oddness) ? random.pick(['gzip', 'chunked, chunked', 'x', '']) : 'chunked'}`;
  return [random.chance(oddness) ? [chunked, sized] : [chunked], chunks(body, random, oddness)];
}

function chunks(body: Buffer, random: Random, oddness: number): Buffer {
  const parts: Buffer[] = [];
  for (let rest = body; rest.length > 0;) {
    const chunk = rest.subarray(0, random.between(1, 5000));
    rest = rest.subarray(chunk.length);
    const size = random.chance(oddness)
      ? random.pick(['-1', 'zz', 'ffffffffffffffff', '0x5', ''])
      : chunk.length.toString(16);
    const extension = random.chance(0.1) ? `;x=${'y'.repeat(random.size(random.chance(oddness) ? 20_000 : 50))}` : '';
    parts.push(Buffer.from(`${size}${extension}\r\n`), chunk, Buffer.from(random.chance(oddness) ? '\n' : '\r\n'));
  }
  const trailers = random.chance(0.1) ? 'X: y\r\n'.repeat(random.size(random.chance(oddness) ? 2000 : 5)) : '';
  return Buffer.concat([...parts, Buffer.from(`0\r\n${trailers}\r\n`)]);
}

/** Something that asks for another protocol, and what its client sends then without waiting. */
function upgrade(random: Random, known: KnownCookies, oddness: number): Buffer {
  const websocket = random.chance(0.6);
  const odd = (): boolean => random.chance(oddness);
  const lines = [
    `${odd() ? random.pick(METHODS) : 'GET'} ${random.pick(websocket ? ['/ws', '/deflate', '/'] : TARGETS)} HTTP/1.1`,
    ...commonHeaders(random, known, oddness).filter((line) => !/^(connection|upgrade):/i.test(line)),
    `Connection: ${odd() ? random.pick(CONNECTIONS) : 'Upgrade'}`,
    `Upgrade: ${websocket && !odd() ? 'websocket' : random.pick(UPGRADES)}`,
    ...(websocket ? handshakeHeaders(random, odd) : ['HTTP2-Settings: AAMAAABkAAQAAP__']),
  ];
  const [bodyHeaders, body] = random.chance(0.1) ? bodyOf(random, oddness) : [[], Buffer.alloc(0)];
  const behind = random.chance(0.5) ? framesBehind(random) : Buffer.alloc(0);
  return Buffer.concat([head([...lines, ...bodyHeaders], random, oddness), body, behind]);
}

function handshakeHeaders(random: Random, odd: () => boolean): string[] {
  const headers = [
    !odd() &&
      `Sec-WebSocket-Key: ${odd() ? random.pick(['', 'x', 'A'.repeat(5000)]) : random.bytes(16).toString('base64')}`,
    !odd() && `Sec-WebSocket-Version: ${odd() ? random.pick(['8', '12', '-1', '13, 8', '']) : '13'}`,
    !odd() && `Sec-WebSocket-Protocol: ${odd() ? random.pick(PROTOCOLS) : 'wamp.2.json'}`,
    random.chance(0.2) && `Sec-WebSocket-Extensions: ${random.pick(EXTENSIONS)}`,
  ];
  return headers.filter((line) => line !== false);
}

function framesBehind(random: Random): Buffer {
  const hello = messageFrames(Buffer.from('[1,"realm1",{"roles":{"caller":{}}}]'), false, random);
  const call = messageFrames(Buffer.from('[48,1,{},"wamp.session.count"]'), false, random);
  const others = Array.from({ length: random.size(5) }, () => (random.chance(0.5) ? call : oddFrame(random)));
  return Buffer.concat([hello, ...others]);
}

/** The first octets of something that is not HTTP, for ports where these decide what it is. */
export function firstOctets(random: Random): Buffer {
  const kind = random.between(0, 4);
  if (kind === 0) return random.bytes(random.size(600));
  if (kind === 1) return Buffer.concat([Buffer.of(0x7f), random.bytes(random.between(0, 12))]);
  if (kind === 2) return Buffer.concat([Buffer.of(0x7f, 0xf1, 0, 0), random.bytes(random.size(3000))]);
  if (kind === 3) return Buffer.concat([Buffer.of(0x16, 3, 1, 2, 0, 1), random.bytes(random.size(600))]);
  return Buffer.from(
    random.pick([
      'PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n',
      '\r\n\r\n',
      'SSH-2.0-x\r\n',
      'EHLO x\r\n',
      '<policy-file-request/>\0',
    ]),
  );
}
