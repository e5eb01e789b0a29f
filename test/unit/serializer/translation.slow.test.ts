/**
 * Translation from bytes to bytes: it must give the same bytes as building the values and writing them would, and whatever
 * a client sends, it must not take long.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpenDict } from '../../../src/serializer/open-dict.js';
import { serializers } from '../../support/serializers.js';
import type { Framing, Serializer } from '../../../src/serializer/serializer.js';
import { ErrorUri } from '../../../src/wamp/error.js';
import type { WampError } from '../../../src/wamp/error.js';
import * as m from '../../../src/wamp/message.js';
import { payloadOf } from '../../../src/wamp/payload.js';
import type { Payload } from '../../../src/wamp/payload.js';
import { FORMATS } from '../../support/formats.js';

const UNFRAMED: Framing = { headerBytes: () => 0, writeHeader: () => undefined };
const MIB = 1 << 20;

function serializerOf(type: string): Serializer {
  const serializer = serializers.get(type);
  if (serializer === undefined) throw new Error(`no serializer ${type}`);
  return serializer;
}

function written(to: string, payload: Payload): Buffer {
  const event: m.Event = { type: m.EVENT, subscription: 1, publication: 2, details: {}, payload, frames: [] };
  return serializerOf(to).encode(event, UNFRAMED);
}

/** The payload of a PUBLISH, in the bytes of its format. */
function published(from: string, bytes: Buffer): Payload {
  return (serializerOf(from).decode(bytes) as m.Publish).payload;
}

/** What the translation must be equal to. */
function fromValues(to: string, payload: Payload): Buffer {
  return written(to, payloadOf(payload.args, payload.kwargs));
}

const pairs = FORMATS.flatMap((from) => FORMATS.filter((to) => to !== from).map((to) => [from.type, to.type] as const));

/** Keys that JavaScript does not put in an order of its own. */
const key = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => !/^\d/.test(text) && text !== '__proto__');
const bytes = fc.uint8Array({ maxLength: 80 });

function anything(): fc.Arbitrary<unknown> {
  const leaf = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc.constantFrom(0, -0, 2 ** 53, -(2 ** 53), 2 ** 53 + 2, 1e-7, 5e-324, 1.5, -2147483648, 2147483648, 4294967295),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.double({ noInteger: true }),
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: fc.constantFrom('"', '\\', '\n', '\0', '\x1f', '\x7f', 'é', '\u2028', '😀', 'a', '/') }),
    bytes.map((data) => `\0${Buffer.from(data).toString('base64')}`),
    fc.string({ unit: fc.constantFrom('A', 'B', '=', 'g', '/') }).map((text) => `\0${text}`),
    bytes,
    fc.boolean(),
    fc.constant(null),
  );
  return fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaf,
      fc.array(tie('value'), { maxLength: 18, size: 'small' }),
      fc.dictionary(key, tie('value'), { maxKeys: 12, size: 'small' }),
    ),
  })).value;
}

/** JSON that no encoder of ours writes: spaces, escapes, numbers in other spellings. */
function looseJson(): fc.Arbitrary<string> {
  const space = fc.constantFrom('', ' ', '\n', '\t \r');
  const char = fc.constantFrom(
    ...[
      'a',
      '\\n',
      '\\/',
      '\\"',
      '\\\\',
      '\\u0000',
      '\\u0041',
      '\\u00e9',
      '\\u20AC',
      '\\ud83d\\ude00',
      '\\ud800',
      '\\uDC00',
      'é',
      '😀',
      '=',
    ],
  );
  const text = fc.array(char, { maxLength: 12 }).map((chars) => `"${chars.join('')}"`);
  const number = fc.constantFrom(
    ...['-0', '0', '1.0', '1e3', '1E+3', '-1.5e-3', '0.1', '123456789012345', '1234567890123456', '9007199254740993'],
    ...[
      '-9223372036854775808',
      '18446744073709551615',
      '18446744073709551616',
      '123456789012345678901234567890',
      '1e400',
    ],
    ...['0.30000000000000004', '0.1234567890123456789', '12345678901234567e-5', '-0.0', '2e-400'],
  );
  const leaf = fc.oneof(text, number, fc.constantFrom('true', 'false', 'null'));
  return fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc
        .tuple(fc.array(tie('value'), { maxLength: 18 }), space)
        .map(([items, gap]) => `[${gap}${items.join(`${gap},`)}${gap}]`),
      fc
        .tuple(
          fc.uniqueArray(fc.tuple(text, tie('value')), {
            maxLength: 12,
            selector: ([name]) => Buffer.from(JSON.parse(name) as string).toString(),
          }),
          space,
        )
        .map(
          ([entries, gap]) =>
            `{${gap}${entries.map(([name, value]) => `${name}${gap}:${gap}${value}`).join(`,${gap}`)}}`,
        ),
    ),
  })).value;
}

describe.each(pairs)('from %s to %s', (from, to) => {
  const format = FORMATS.find(({ type }) => type === from);

  it('is what the values would be written as, byte for byte', () => {
    const write = (values: unknown[]): Buffer =>
      from === 'json'
        ? Buffer.from(`[16,1,{},"a.b",${values.map(exactJson).join(',')}]`)
        : (format?.write([16, 1, {}, 'a.b', ...values]) as Buffer);
    fc.assert(
      fc.property(
        fc.array(anything(), { maxLength: 6 }),
        fc.dictionary(key, anything(), { maxKeys: 4 }),
        (args, kwargs) => {
          const payload = published(from, write([args, kwargs]));
          expect(written(to, payload).toString('hex')).toBe(fromValues(to, payload).toString('hex'));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('lets the last of several entries with the same key count, in small and in large dictionaries', () => {
    const keys = fc.array(
      fc.constantFrom('a', 'b', 'c', 'd', 'e', 'ff', 'é', '', ...Array.from({ length: 30 }, (_, i) => `k${i}`)),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(keys, (names) => {
        const bytes = repeatedKeys(from, names);
        const payload = published(from, bytes);
        const received = FORMATS.find(({ type }) => type === to)?.read(written(to, payload)) as unknown[];
        expect(received[4]).toEqual([Object.fromEntries(names.map((name, index) => [name, [index % 24]])), 1]);
      }),
    );
  });
});

/** PUBLISH up to its topic, in UBJSON. */
const UBJSON_PUBLISH = '[U\x10U\x01{}SU\x03a.b';

/** `[{NAME: [INDEX], ...}, 1]`, with keys that come twice. */
function repeatedKeys(type: string, names: readonly string[]): Buffer {
  if (type === 'json') {
    const entries = names.map((name, index) => `${JSON.stringify(name)}:[${index % 24}]`);
    return Buffer.from(`[16,1,{},"a.b",[{${entries.join(',')}},1]]`);
  }
  if (type === 'ubjson') {
    const entries = names.map((name, index) => {
      const text = Buffer.from(name);
      return Buffer.concat([
        Buffer.from('U'),
        Buffer.of(text.length),
        text,
        Buffer.from('[U'),
        Buffer.of(index % 24),
        Buffer.from(']'),
      ]);
    });
    return Buffer.concat([Buffer.from(UBJSON_PUBLISH), Buffer.from('[{'), ...entries, Buffer.from('}U\x01]]')]);
  }
  const isCbor = type === 'cbor';
  const parts = [
    Buffer.from(isCbor ? '851001a063612e6282b8' : '95100180a3612e6292de00', 'hex'),
    Buffer.of(names.length),
  ];
  for (const [index, name] of names.entries()) {
    const text = Buffer.from(name);
    parts.push(Buffer.of((isCbor ? 0x60 : 0xa0) + text.length), text, Buffer.of(isCbor ? 0x81 : 0x91, index % 24));
  }
  return Buffer.concat([...parts, Buffer.of(1)]);
}

/** JSON with all digits, and byte strings by the convention. */
function exactJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return JSON.stringify(`\0${Buffer.from(value).toString('base64')}`);
  if (Array.isArray(value)) return `[${value.map(exactJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([name, item]) => `${JSON.stringify(name)}:${exactJson(item)}`)
      .join(',')}}`;
  }
  return Object.is(value, -0) ? '-0' : JSON.stringify(value);
}

describe('JSON in any spelling', () => {
  it.each(['msgpack', 'cbor', 'ubjson'])('is translated to %s like its values', (to) => {
    fc.assert(
      fc.property(fc.array(looseJson(), { minLength: 1, maxLength: 8 }), (items) => {
        const payload = published('json', Buffer.from(`[16,1,{},"a.b" , [${items.join(' , ')}] ]`));
        expect(written(to, payload).toString('hex')).toBe(fromValues(to, payload).toString('hex'));
      }),
      { numRuns: 200 },
    );
  });
});

it('numbers with a fraction are the nearest ones to what stands there', () => {
  const decimal = fc
    .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.nat(26))
    .map(([negative, digits, places]) => {
      const padded = String(digits).padStart(places + 2, '0');
      const at = padded.length - places - 1;
      const whole = padded.slice(0, at).replace(/^0+(?=\d)/, '');
      return `${negative ? '-' : ''}${whole}.${padded.slice(at)}`;
    });
  fc.assert(
    fc.property(fc.array(decimal, { minLength: 1, maxLength: 50 }), (texts) => {
      const bytes = written('msgpack', published('json', Buffer.from(`[16,1,{},"a.b",[${texts.join(',')}]]`)));
      const read = FORMATS.find(({ type }) => type === 'msgpack')?.read(bytes) as unknown[][];
      expect(read[4]).toEqual(texts.map(Number));
    }),
    { numRuns: 500 },
  );
});

const UBJSON_MARKS = Array.from(Buffer.from('ZNTFiUIlLdDHCS[]{}$#UUU'));

describe.each([
  ['msgpack', '95100180a3612e6291', ''],
  ['cbor', '851001a063612e6281', ''],
  ['ubjson', Buffer.from(`${UBJSON_PUBLISH}[`).toString('hex'), '5d5d'],
])('any bytes that are a payload in %s', (from, start, end) => {
  const head = Buffer.from(start, 'hex');
  const tail = Buffer.from(end, 'hex');
  const marked = fc.array(fc.oneof(fc.constantFrom(...UBJSON_MARKS), fc.nat(3)), { maxLength: 30 });
  const tagged = fc.array(
    fc.oneof(
      fc.constantFrom(0xc2, 0xc3, 0xc6, 0x41, 0x40, 0x5f, 0xff, 0x7f, 0x61, 0xf9, 0x9f, 0xa1, 0xd4, 0xc7, 0x81, 0x92),
      fc.nat(255),
    ),
    { maxLength: 30 },
  );
  it.each(FORMATS.filter(({ type }) => type !== from))('are translated to $type like their values', ({ type: to }) => {
    fc.assert(
      fc.property(fc.oneof(from === 'ubjson' ? marked : tagged, fc.uint8Array({ maxLength: 30 })), (noise) => {
        let payload: Payload;
        try {
          payload = published(from, Buffer.concat([head, Buffer.from(noise), tail]));
        } catch {
          return fc.pre(false);
        }
        const outcome = (write: () => Buffer): string => {
          try {
            return write().toString('hex');
          } catch (error) {
            return (error as WampError).uri;
          }
        };
        // The order of keys, and which of two equal ones is where, is the one thing that values do not keep.
        fc.pre(!hasDict(from, Uint8Array.from(noise)));
        expect(outcome(() => written(to, payload))).toBe(outcome(() => fromValues(to, payload)));
      }),
      { numRuns: 300 },
    );
  });
});

/** Whether there may be a dictionary with several entries in these bytes. */
function hasDict(type: string, bytes: Uint8Array): boolean {
  const isHead = (byte: number): boolean =>
    type === 'ubjson'
      ? byte === 0x7b
      : type === 'cbor'
        ? byte >= 0xa2 && byte <= 0xbf
        : (byte >= 0x82 && byte < 0x90) || byte === 0xde || byte === 0xdf;
  return bytes.some(isHead);
}

/** PUBLISH of 1 MiB: `[[unit, unit, ...]]`. */
const jsonList = (unit: string): Buffer =>
  Buffer.from(`[16,1,{},"a.b",[[${`${unit},`.repeat((MIB - 64) / (unit.length + 1)).slice(0, -1)}]]]`);

function binaryList(head: string, unit: readonly number[]): Buffer {
  const count = Math.floor((MIB - 64) / unit.length);
  const start = Buffer.from(`${head}00000000`, 'hex');
  start.writeUInt32BE(count, start.length - 4);
  return Buffer.concat([start, Buffer.alloc(count * unit.length, Uint8Array.from(unit))]);
}

/** The same in UBJSON, where the message has an end, too. */
function ubjsonList(unit: string): Buffer {
  return Buffer.concat([binaryList(UBJSON_LIST, Array.from(Buffer.from(unit))), Buffer.from(']')]);
}

const MSGPACK_LIST = '95100180a3612e6291dd';
const MSGPACK_DICT = '95100180a3612e6291df';
const CBOR_LIST = '851001a063612e62819a';
const UBJSON_LIST = Buffer.from(`${UBJSON_PUBLISH}[#U\x01[#l`).toString('hex');

describe('payloads made to take long', () => {
  it.each([
    ['json', 'msgpack', 'lists', jsonList('[]')],
    ['json', 'cbor', 'numbers', jsonList('0')],
    ['json', 'msgpack', 'short strings', jsonList('"a"')],
    ['json', 'msgpack', 'fractions', jsonList('0.1')],
    ['ubjson', 'json', 'half a million strings', ubjsonList('Ca')],
    ['ubjson', 'cbor', 'empty lists', ubjsonList('[]')],
    ['ubjson', 'msgpack', 'byte strings', ubjsonList('[$U#U\x01a')],
    ['cbor', 'msgpack', 'half a million lists without length', binaryList(CBOR_LIST, [0x9f, 0xff])],
  ])('%s to %s: %s of a MiB are translated', (from, to, _what, bytes) => {
    expect(written(to, published(from, bytes)).length).toBeGreaterThan(100_000);
  });

  it.each([
    ['msgpack', 'json', 'nothing', binaryList(MSGPACK_LIST, [0xc0])],
    ['msgpack', 'cbor', 'empty lists', binaryList(MSGPACK_LIST, [0x90])],
    ['msgpack', 'json', 'keys that are no strings', binaryList(MSGPACK_DICT, [1, 0])],
    ['msgpack', 'cbor', 'lists as keys', binaryList(MSGPACK_DICT, [0x91, 1, 0])],
    ['ubjson', 'json', 'nothing', ubjsonList('Z')],
    ['ubjson', 'json', 'numbers of high precision', ubjsonList('HU\x011')],
    ['cbor', 'json', 'big numbers', binaryList(CBOR_LIST, [0xc2, 0x47, 1, 1, 1, 1, 1, 1, 1])],
  ])('%s to %s: a MiB of %s is refused, and found out once', (from, to, _what, bytes) => {
    const payload = published(from, bytes);
    const thrown: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      try {
        written(to, payload);
      } catch (error) {
        thrown.push(error);
      }
    }
    expect(thrown).toHaveLength(3);
    expect(thrown[0]).toMatchObject({ uri: ErrorUri.PAYLOAD_SIZE_EXCEEDED });
    expect(new Set(thrown).size).toBe(1);
  });
});

describe('a dictionary that is being written', () => {
  it('keeps no memory of a large one', () => {
    const dict = new OpenDict();
    const buffer = Buffer.alloc(400_000);
    dict.open(0);
    for (let at = 0; at < buffer.length; at += 4) {
      dict.startEntry(at);
      buffer.writeUInt32BE(at, at);
      dict.endKey(buffer, at + 4);
    }
    expect(dict.count).toBe(100_000);
    dict.open(0);
    expect(dict.count).toBe(0);
    expect(dict.isLarge).toBe(false);
  });
});
