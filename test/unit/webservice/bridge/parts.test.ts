/** What the bridge judges a request by: its type, its query, where it comes from, and whether it has been there before. */
import { describe, expect, it } from 'vitest';

import { hookBody, hookBytes } from '../../../../src/serializer/json/hook.js';
import { faultOfType } from '../../../../src/webservice/bridge/content-type.js';
import { Networks } from '../../../../src/transport/proxies/networks.js';
import { parseNetwork } from '../../../../src/webservice/bridge/networks.js';
import { isInteger, requestQuery, timestampMs } from '../../../../src/webservice/bridge/query.js';
import { ReplayTable } from '../../../../src/webservice/bridge/replays.js';
import { RequestSignature, isFromGithub } from '../../../../src/webservice/bridge/signature.js';

const UNREADABLE = 'the Content-Type cannot be read, or has a parameter twice';
const OTHER_CHARSET = 'the charset of the body must be utf-8';

describe('the type of a body', () => {
  it.each([
    [undefined, undefined],
    ['application/json', undefined],
    ['APPLICATION/JSON', undefined],
    ['application/json;', undefined],
    ['application/json; ', undefined],
    ['application/json;charset=utf-8', undefined],
    ['application/json ; charset = "utf-8" ; x=y', undefined],
    ['application/json; charset="ut\\f8"', undefined],
    ['application/json; x=', undefined],
    ['application/json; x= ; charset=utf-8', undefined],
    ['application/json; x=""; charset=UTF8', undefined],
    ['application/json; x="a;b=\\"c"', undefined],
    ['application/json; charset=', OTHER_CHARSET],
    ['application/json; charset=latin1', OTHER_CHARSET],
    ['application/json; charset=utf-8; CHARSET=utf-8', UNREADABLE],
    ['application/json; charset', UNREADABLE],
    ['application/json; =utf-8', UNREADABLE],
    ['application/json; x="a', UNREADABLE],
    ['application/json; x=a b', UNREADABLE],
    ['application/json; x="a"b', UNREADABLE],
    ['application/json;;', UNREADABLE],
    ['', 'the Content-Type must be application/json'],
    ['application/jsonp', 'the Content-Type must be application/json'],
  ])('%j', (header, fault) => {
    expect(faultOfType(header, true)).toBe(fault);
  });

  it('may be any where a body need not be JSON', () => {
    expect(faultOfType('text/plain', false)).toBeUndefined();
    expect(faultOfType('text/plain; charset=latin1', false)).toBe(OTHER_CHARSET);
  });

  // In steps that grow with the square of the length, each of these would take minutes.
  it.each([
    ['blanks behind a name', `x=${' '.repeat(300_000)}"`],
    ['blanks before a name', `${' '.repeat(300_000)}"`],
    ['blanks behind a value', `x=y${' '.repeat(300_000)}z`],
    ['a name', `${'x'.repeat(300_000)}"`],
    ['a value', `x=${'y'.repeat(300_000)}"`],
    ['a quoted value', `x="${'\\y'.repeat(150_000)}`],
  ])('is not searched long in %s', (_what, parameter) => {
    expect(faultOfType(`application/json; ${parameter}`, true)).toBe(UNREADABLE);
  });
});

describe('the query of a request', () => {
  it('is taken from the URL, decoded, and the first of a name counts', () => {
    expect(requestQuery('?key=a%20b&key=c&timestamp=&seq=+1&nonce=%2B1&x=y')).toEqual({
      ...{ key: 'a b', timestamp: '', seq: ' 1', nonce: '+1', signature: undefined },
    });
    expect(requestQuery('')).toEqual(requestQuery('?'));
  });

  it.each([
    ['2026-01-02T03:04:05Z', Date.UTC(2026, 0, 2, 3, 4, 5)],
    ['2026-01-02T03:04:05.5Z', Date.UTC(2026, 0, 2, 3, 4, 5, 500)],
    ['2026-01-02T03:04:05.678901Z', Date.UTC(2026, 0, 2, 3, 4, 5) + 678.901],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['2026-02-29T00:00:00Z', undefined],
    ['2026-01-02T24:00:00Z', undefined],
    ['2026-01-02T03:04:60Z', undefined],
    ['2026-13-02T03:04:05Z', undefined],
    ['2026-01-02T03:04:05+00:00', undefined],
    ['2026-01-02 03:04:05Z', undefined],
    [' 2026-01-02T03:04:05Z', undefined],
    ['2026-01-02T03:04:05Z\n', undefined],
    ['', undefined],
  ])('has the time %j', (text, ms) => {
    const found = timestampMs(text);
    if (ms === undefined) expect(found).toBeUndefined();
    else expect(found).toBeCloseTo(ms, 2);
  });

  it.each([
    ...[['0'], ['-1'], ['+1'], ['9'.repeat(40)]].map(([text]) => [text, true] as const),
    ...[[''], ['1.0'], ['1e3'], ['0x1'], [' 1'], ['--1'], ['9'.repeat(41)], ['१']].map(
      ([text]) => [text, false] as const,
    ),
  ])('%j is an integer: %s', (text = '', expected) => {
    expect(isInteger(text)).toBe(expected);
  });
});

describe('a network', () => {
  it.each([
    ['192.168.1.7', '192.168.1.7', '192.168.1.8'],
    ['192.168.1.0/24', '192.168.1.255', '192.168.2.0'],
    ['192.168.1.77/24', '192.168.1.1', '192.168.0.255'],
    ['192.168.1.1/255.255.255.0', '192.168.1.200', '192.168.2.1'],
    ['192.168.1.1/0.0.0.255', '192.168.1.200', '192.168.2.1'],
    ['10.0.0.0/255.255.255.255', '10.0.0.0', '10.0.0.1'],
    ['2001:db8::/32', '2001:db8:ffff::1', '2001:db9::'],
    ['2001:db8::1', '2001:DB8:0:0:0:0:0:1', '2001:db8::2'],
    ['::1', '::1', '127.0.0.1'],
    ['127.0.0.0/8', '::ffff:127.9.9.9', '::7f00:1'],
    ['0.0.0.0/0', '255.255.255.255', '::1'],
    ['::/0', 'fe80::1', '10.0.0.1'],
  ])('%s has %s and not %s', (text, inside, outside) => {
    const network = parseNetwork(text);
    if (network === undefined) throw new Error('no network');
    const networks = new Networks([network]);
    expect([networks.has(inside), networks.has(outside)]).toEqual([true, false]);
  });

  it.each([
    ...[
      '',
      'localhost',
      '192.168.1',
      '192.168.1.1.1',
      '192.168.1.256',
      '192.168.1.0/33',
      '192.168.1.0/',
      '192.168.1.0/-1',
    ],
    ...[
      '192.168.1.0/24/24',
      '192.168.1.0/255.0.255.0',
      '2001:db8::/129',
      '2001:db8::/ffff::',
      'fe80::1%eth0',
      '010.0.0.1',
    ],
    ...[' 10.0.0.1', '10.0.0.1/8 ', '::ffff:10.0.0.1/ffff'],
  ])('is not %j', (text) => {
    expect(parseNetwork(text)).toBeUndefined();
  });

  it('has nobody without an address, nor with what is none', () => {
    const networks = new Networks([parseNetwork('0.0.0.0/0'), parseNetwork('::/0')].flatMap((found) => found ?? []));
    for (const address of [undefined, '', 'unix', '1.2.3', '::ffff:1.2.3']) expect(networks.has(address)).toBe(false);
  });
});

describe('the table of signatures', () => {
  const digest = (number: number): Buffer => {
    const bytes = Buffer.alloc(32, 0xff);
    bytes.writeUInt32BE(number);
    return bytes;
  };

  it('knows each one until its time is over, and then has its room again', () => {
    const table = new ReplayTable(1600);
    expect(table.see(digest(1), 1600, 0)).toBe('new');
    expect(table.see(digest(1), 1600, 1)).toBe('again');
    expect(table.see(digest(1), 9999, 1600)).toBe('again');
    expect(table.size).toBe(1);
    // A part of the time is forgotten as a whole.
    expect(table.see(digest(1), 3400, 1800)).toBe('new');
    expect(table.size).toBe(1);
  });

  it('takes no more than it may, and still knows what it has', () => {
    const table = new ReplayTable(1600, 3);
    for (const number of [1, 2, 3]) expect(table.see(digest(number), 1600, 0)).toBe('new');
    expect([table.see(digest(4), 1600, 0), table.see(digest(2), 1600, 0), table.size]).toEqual(['full', 'again', 3]);
    expect(table.see(digest(4), 4000, 2000)).toBe('new');
    expect(table.size).toBe(1);
  });

  it('does not mind a clock that is set back', () => {
    const table = new ReplayTable(1600);
    expect(table.see(digest(1), 11_600, 10_000)).toBe('new');
    expect(table.see(digest(1), 6600, 5000)).toBe('again');
  });
});

describe('a signature', () => {
  // Several slices, and a rest.
  const body = Buffer.alloc(3 * 1_048_576 + 17, 'body');

  it('of a large body is that of all its bytes', async () => {
    const signature = new RequestSignature('key', 'secret');
    const query = { key: 'key', timestamp: '2026-01-02T03:04:05Z', seq: '1', nonce: '2' };
    const given = '1Srd6AhJ2feylZPBCitZvUXxZXRF_Hx0ThkUDlIJkjI';
    expect(await signature.verify({ ...query, signature: given }, body)).toBeInstanceOf(Buffer);
    expect(await signature.verify({ ...query, signature: given }, body.subarray(0, -1))).toBeUndefined();
  });

  it('lets others have their turn while a large body is looked at', async () => {
    let turns = 0;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    const headers = { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` };
    expect(await isFromGithub({ headers, body, secret: 'secret' })).toBe(false);
    clearImmediate(next);
    expect(turns).toBeGreaterThanOrEqual(3);
  });
});

describe('what a webhook publishes', () => {
  const values = (body: Buffer): unknown => {
    const message = hookBody.decode(hookBytes({ topic: 'com.example.hook', headers: { 'X-A': ['1\n', '2'] }, body }));
    if (!('payload' in message) || !('topic' in message)) throw new Error('no PUBLISH');
    expect([message.topic, message.options]).toEqual(['com.example.hook', { acknowledge: true }]);
    const [hook] = message.payload.args;
    return hook;
  };

  it.each([
    ['', { body: '' }],
    ['a\nb\n', { body: 'a\nb\n' }],
    ['"\\\u0001é😀', { body: '"\\\u0001é😀' }],
    ['\uFEFFx', { body: '\uFEFFx' }],
    ['a\0b', { body: 'a\0b' }],
    // In JSON it would be taken for bytes.
    ['\0AAEC', { body: Buffer.from('\0AAEC'), encoding: 'base64' }],
  ])('of %j is text, unless it looks like none', (text, expected) => {
    expect(values(Buffer.from(text))).toEqual({ headers: { 'X-A': ['1\n', '2'] }, ...expected });
  });

  it('of bytes is bytes', () => {
    expect(values(Buffer.from([0xc3]))).toMatchObject({ body: Buffer.from([0xc3]), encoding: 'base64' });
  });

  it('is the same where a large one is taken apart elsewhere', () => {
    const given = { topic: 'com.example.hook', headers: {}, body: Buffer.from('é"') };
    const parts = hookBody.takeApart?.(hookBytes(given));
    if (parts?.bytes === undefined) throw new Error('it is not taken apart');
    const message = hookBody.putTogether?.(Buffer.from(parts.bytes), parts);
    const whole = hookBody.decode(hookBytes(given));
    if (message === undefined || !('payload' in message) || !('payload' in whole)) throw new Error('no PUBLISH');
    expect(message.payload.args).toEqual(whole.payload.args);
  });
});
