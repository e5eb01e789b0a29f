/** The header of the PROXY protocol: what is taken of it, and what is refused. */
import { describe, expect, it } from 'vitest';

import { MAX_PROXY_HEADER, parseProxyHeader } from '../../../../src/transport/proxies/proxy-header.js';
import type { ProxyHeader } from '../../../../src/transport/proxies/proxy-header.js';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

/** @param rest addresses and fields, in hexadecimal digits. @param length as the header tells it. */
function binary(command: number, family: number, rest: string, length = rest.length / 2): Buffer {
  return Buffer.concat([
    SIGNATURE,
    Buffer.from([command, family, length >> 8, length & 255]),
    Buffer.from(rest, 'hex'),
  ]);
}

const V4 = 'c6336407cb0071091f9001bb';
const V6 = `20010db8000000000000000000000007${'0'.repeat(31)}11f9001bb`;
const MAPPED = `00000000000000000000ffffc6336407${'0'.repeat(31)}11f9001bb`;

const line = (text: string): ProxyHeader => parseProxyHeader(Buffer.from(text, 'latin1'));

describe('a header of version 1', () => {
  it.each([
    ['PROXY TCP4 198.51.100.7 203.0.113.9 8080 443\r\n', '198.51.100.7', 8080],
    ['PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n', '0.0.0.0', 0],
    ['PROXY TCP6 2001:DB8:0::7 ::1 8080 443\r\n', '2001:db8::7', 8080],
    ['PROXY TCP6 ::ffff:198.51.100.7 ::1 1 2\r\n', '198.51.100.7', 1],
    [
      `PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`,
      `${'ffff:'.repeat(7)}ffff`,
      65_535,
    ],
  ])('%j is of %s, port %d', (text, address, port) => {
    expect(line(text)).toEqual({ is: 'client', length: text.length, address, port });
    expect(line(`${text}GET / HTTP/1.1\r\n`)).toEqual({ is: 'client', length: text.length, address, port });
  });

  it.each(['PROXY UNKNOWN\r\n', `PROXY UNKNOWN ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`])(
    '%j tells of nobody',
    (text) => expect(line(`${text}\x7f`)).toEqual({ is: 'local', length: text.length }),
  );

  it.each([
    'PROXY TCP4 198.51.100.07 203.0.113.9 8080 443\r\n',
    'PROXY TCP4 198.51.100 203.0.113.9 8080 443\r\n',
    'PROXY TCP4 198.51.100.7 203.0.113.999 8080 443\r\n',
    'PROXY TCP4 2001:db8::7 ::1 8080 443\r\n',
    'PROXY TCP6 198.51.100.7 203.0.113.9 8080 443\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 8080 443\r\n',
    'PROXY TCP4 198.51.100.7 203.0.113.9 08080 443\r\n',
    'PROXY TCP4 198.51.100.7 203.0.113.9 65536 443\r\n',
    'PROXY TCP4 198.51.100.7 203.0.113.9 8080 65536\r\n',
    'PROXY TCP4 198.51.100.7 203.0.113.9 -1 443\r\n',
    'PROXY TCP4 198.51.100.7 203.0.113.9 8080\r\n',
    'PROXY TCP4 198.51.100.7 203.0.113.9 8080 443 1\r\n',
    'PROXY TCP4  198.51.100.7 203.0.113.9 8080 443\r\n',
    'PROXY TCP4 198.51.100.7 203.0.113.9 8080 443 \r\n',
    'PROXY TCP4 198.51.100.7\t203.0.113.9 8080 443\r\n',
    'PROXY TCP4 198.51.100.7 203.0.113.9 8080 443\n',
    'PROXY TCP4 198.51.100.7 203.0.113.9 8080 443\0\r\n',
    'PROXY UDP4 198.51.100.7 203.0.113.9 8080 443\r\n',
    'PROXY tcp4 198.51.100.7 203.0.113.9 8080 443\r\n',
    'PROXY UNKNOWNS\r\n',
    'PROXY constructor 1 2 3 4\r\n',
    'PROXY \r\n',
    'proxy TCP4 198.51.100.7 203.0.113.9 8080 443\r\n',
    `PROXY UNKNOWN ${'x'.repeat(100)}\r\n`,
    'PROXYTCP4',
    'GET / HTTP/1.1\r\n',
    '\x16\x03\x01',
    '\x7f\xf1\0\0',
  ])('%j is none', (text) => expect(line(text).is).toBe('bad'));

  it('is refused as soon as it is too long', () => {
    expect(line(`PROXY UNKNOWN ${'x'.repeat(106 - 14)}`).is).toBe('more');
    expect(line(`PROXY UNKNOWN ${'x'.repeat(107 - 14)}`).is).toBe('bad');
  });
});

describe('a header of version 2', () => {
  it.each([
    ['TCP over IPv4', binary(0x21, 0x11, V4), '198.51.100.7'],
    ['UDP over IPv4', binary(0x21, 0x12, V4), '198.51.100.7'],
    ['TCP over IPv6', binary(0x21, 0x21, V6), '2001:db8::7'],
    ['IPv4 in the clothes of IPv6', binary(0x21, 0x21, MAPPED), '198.51.100.7'],
    ['TCP over IPv4, with fields', binary(0x21, 0x11, `${V4}0100026832e00001ff`), '198.51.100.7'],
  ])('tells a client by %s', (_name, octets, address) => {
    expect(parseProxyHeader(octets)).toEqual({ is: 'client', length: octets.length, address, port: 8080 });
  });

  it.each([
    ['LOCAL', binary(0x20, 0x00, '')],
    ['LOCAL, whatever it carries', binary(0x20, 0xff, '0102')],
    ['a family that is not told', binary(0x21, 0x00, '')],
    ['a family that is not told, with fields', binary(0x21, 0x00, '0400020000')],
    ['a protocol that is not told', binary(0x21, 0x10, V4)],
    ['a socket file', binary(0x21, 0x31, '00'.repeat(216))],
  ])('tells of nobody: %s', (_name, octets) => {
    expect(parseProxyHeader(octets)).toEqual({ is: 'local', length: octets.length });
  });

  it('tells of TLS, and by what the proxy knows the connection', () => {
    const field = (type: string, value: string) => type + (value.length / 2).toString(16).padStart(4, '0') + value;
    const id = field('05', Buffer.from('a7-9\n').toString('hex'));
    const told = (client: string) => parseProxyHeader(binary(0x21, 0x11, V4 + field('20', `${client}00000000`) + id));
    expect(told('01')).toMatchObject({ is: 'client', isSecure: true, id: 'a7-9?' });
    expect(told('07')).toMatchObject({ isSecure: true });
    expect(told('00')).not.toHaveProperty('isSecure');
    const inside = field('20', `0100000000${field('21', '544c53')}`);
    expect(parseProxyHeader(binary(0x21, 0x11, V4 + inside))).toMatchObject({ isSecure: true });
  });

  it('is checked by its sum, if it has one', () => {
    // Sent by HAProxy 2.6 with `proxy-v2-options crc32c,unique-id,ssl`.
    const octets = binary(0x21, 0x11, '7f00004d7f00000191936dcf030004f55284ac0500002000050000000000');
    expect(parseProxyHeader(octets)).toMatchObject({ is: 'client', address: '127.0.0.77' });
    octets[19] = 78;
    expect(parseProxyHeader(octets).is).toBe('bad');
    expect(parseProxyHeader(binary(0x21, 0x11, `${V4}0300020000`)).is).toBe('bad');
  });

  it.each([
    ['another version', binary(0x11, 0x11, V4)],
    ['another command', binary(0x22, 0x11, V4)],
    ['another family', binary(0x21, 0x41, V4)],
    ['another protocol', binary(0x21, 0x13, V4)],
    ['too few octets for IPv4', binary(0x21, 0x11, V4.slice(2))],
    ['too few octets for IPv6', binary(0x21, 0x21, V4)],
    ['too few octets for a socket file', binary(0x21, 0x31, V6)],
    ['a field that goes on behind the end', binary(0x21, 0x11, `${V4}040003ffff`)],
    ['a field without a length', binary(0x21, 0x11, `${V4}0400`)],
    ['a field of TLS that is too short', binary(0x21, 0x11, `${V4}20000401000000`)],
    ['a field inside that of TLS that does not fit', binary(0x21, 0x11, `${V4}2000080100000000210002`)],
    ['fields of nobody that do not fit', binary(0x21, 0x00, '04')],
    ['too many octets', binary(0x21, 0x11, V4, 2049)],
    ['another beginning', Buffer.from('0d0a0d0a000d0a515549540b', 'hex')],
  ])('is none: %s', (_name, octets) => expect(parseProxyHeader(octets).is).toBe('bad'));

  it('may have 2,048 octets behind the first 16, and no more are waited for', () => {
    const field = `04${(2048 - 12 - 3).toString(16).padStart(4, '0')}${'00'.repeat(2048 - 12 - 3)}`;
    const octets = binary(0x21, 0x11, V4 + field);
    expect(octets.length).toBe(MAX_PROXY_HEADER);
    expect(parseProxyHeader(octets)).toMatchObject({ is: 'client', length: MAX_PROXY_HEADER });
  });
});

describe('a header in pieces', () => {
  const HEADERS = [
    Buffer.from('PROXY TCP4 198.51.100.7 203.0.113.9 8080 443\r\n'),
    Buffer.from('PROXY UNKNOWN\r\n'),
    binary(0x21, 0x11, `${V4}040003aabbcc`),
    binary(0x21, 0x21, V6),
    binary(0x20, 0x00, '0102'),
  ];

  it.each(HEADERS.map((octets) => [octets.toString('latin1'), octets] as const))(
    'is not judged before its last octet: %j',
    (_text, octets) => {
      for (let at = 0; at < octets.length; at++) expect(parseProxyHeader(octets.subarray(0, at)).is).toBe('more');
      expect(['client', 'local']).toContain(parseProxyHeader(octets).is);
    },
  );

  /** A generator of numbers below 1, the same ones in each run. */
  function randomFrom(seed: number): () => number {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
  }

  it('gets the same verdict as in one, whatever its octets are, and never waits for more than the longest', () => {
    const random = randomFrom(11);
    const pick = (below: number) => Math.floor(random() * below);
    const faults: string[] = [];
    const seen = new Set<string>();
    for (let round = 0; round < 4000; round++) {
      const octets = Buffer.concat([HEADERS[pick(HEADERS.length)] ?? SIGNATURE, Buffer.alloc(pick(8), pick(256))]);
      for (let changes = pick(4); changes > 0; changes--) octets[pick(octets.length)] = pick(256);
      let verdict: ProxyHeader = { is: 'more' };
      for (let at = 1; at <= octets.length && verdict.is === 'more'; at++)
        verdict = parseProxyHeader(octets.subarray(0, at));
      const whole = parseProxyHeader(octets);
      seen.add(whole.is);
      // What is wrong may be seen at an earlier octet, and be called by another name.
      const isSame = whole.is === 'bad' ? verdict.is === 'bad' : JSON.stringify(verdict) === JSON.stringify(whole);
      if (!isSame) faults.push(octets.toString('hex'));
    }
    expect(faults).toEqual([]);
    expect([...seen].sort()).toEqual(['bad', 'client', 'local', 'more']);
    for (const beginning of HEADERS) {
      const long = Buffer.concat([beginning.subarray(0, 14), Buffer.alloc(MAX_PROXY_HEADER, 0x20)]);
      expect(parseProxyHeader(long).is).not.toBe('more');
    }
  });
});
