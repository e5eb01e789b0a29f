/** What holds for every serializer: the contract, the vectors, translation between formats, noise. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serializers } from '../../support/serializers.js';
import type { Framing, Serializer } from '../../../src/serializer/serializer.js';
import { ProtocolViolation, WampError } from '../../../src/wamp/error.js';
import * as m from '../../../src/wamp/message.js';
import type { Payload } from '../../../src/wamp/payload.js';
import { payloadOf } from '../../../src/wamp/payload.js';
import { serializerContract } from '../../contract/serializer.js';
import { FORMATS, mapScalars } from '../../support/formats.js';
import type { Format } from '../../support/formats.js';

const UNFRAMED: Framing = { headerBytes: () => 0, writeHeader: () => undefined };

function serializerOf(type: string): Serializer {
  const serializer = serializers.get(type);
  if (serializer === undefined) throw new Error(`no serializer ${type}`);
  return serializer;
}

const json = serializerOf('json');
const pairs = FORMATS.flatMap((from) => FORMATS.map((to) => [from.type, to.type, from, to] as const));

function fixture(file: string): { readonly samples: readonly unknown[] } {
  const url = new URL(`../../fixtures/wamp/own-vectors/${file}`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as { samples: unknown[] };
}

const eventOf = (payload: Payload, details = m.NO_DETAILS): m.Event => ({
  type: m.EVENT,
  subscription: 1,
  publication: 2,
  details,
  payload,
  frames: [],
});

/** The payload of a PUBLISH with these bytes, as an EVENT shows it to a peer with another serializer. */
function passOn(from: Serializer, to: Serializer, publish: Buffer): Buffer {
  const { payload } = from.decode(publish) as m.Publish;
  return to.encode(eventOf(payload), UNFRAMED);
}

/** `values` of a publisher, as the subscriber reads them. */
function cross(from: Format, to: Format, ...values: unknown[]): unknown[] {
  const bytes = passOn(serializerOf(from.type), serializerOf(to.type), from.write([16, 1, {}, 'a.b', ...values]));
  return (to.read(bytes) as unknown[]).slice(4);
}

for (const { type, write, read } of FORMATS) serializerContract(serializerOf(type), write, read);

interface MessageVector {
  readonly name: string;
  readonly direction: 'C>R' | 'R>C' | 'both';
  readonly message: unknown[];
  readonly json: string;
  readonly msgpack_hex: string;
  readonly cbor_hex: string;
}

/** A vector in all formats; in UBJSON after the one in CBOR. */
const bytesOf = (vector: Pick<MessageVector, 'json' | 'msgpack_hex' | 'cbor_hex'>) => {
  const [, , inCbor, inUbjson] = FORMATS;
  const cbor = Buffer.from(vector.cbor_hex, 'hex');
  return {
    json: Buffer.from(vector.json),
    msgpack: Buffer.from(vector.msgpack_hex, 'hex'),
    cbor,
    ubjson: inUbjson?.write(inCbor?.read(cbor)) ?? cbor,
  };
};

const messageVectors = fixture('messages.json').samples as readonly MessageVector[];

describe.each(messageVectors.filter(({ direction }) => direction !== 'R>C'))('message $name', (vector) => {
  const bytes = bytesOf(vector);
  it.each(FORMATS)('is the same in $type, byte for byte in and out', ({ type }) => {
    const message = serializerOf(type).decode(bytes[type]);
    const { payload: expected, ...envelope } = json.decode(bytes.json) as Partial<m.Publish>;
    expect(message).toMatchObject(envelope);
    const { payload } = message as Partial<m.Publish>;
    expect([payload?.args, payload?.kwargs]).toEqual([expected?.args, expected?.kwargs]);
    expect(serializerOf(type).encode(message, UNFRAMED).toString('hex')).toBe(bytes[type].toString('hex'));
  });
  it.each(pairs)('crosses from %s to %s', (from, to) => {
    const message = serializerOf(from).decode(bytes[from]);
    expect(serializerOf(to).encode(message, UNFRAMED).toString('hex')).toBe(bytes[to].toString('hex'));
  });
});

describe('messages of the router', () => {
  const forOthers = messageVectors.filter(({ direction }) => direction === 'R>C');
  it.each(forOthers)('$name', (vector) => {
    expect(messageOf(vector.message)).toBeDefined();
    const own = messageOf(vector.message) as m.Message;
    for (const type of ['msgpack', 'cbor', 'ubjson'] as const) {
      expect(serializerOf(type).encode(own, UNFRAMED).toString('hex')).toBe(bytesOf(vector)[type].toString('hex'));
    }
  });
});

/** A message of a router, from its fields. */
function messageOf(fields: readonly unknown[]): unknown {
  const [type, a, b, c] = fields;
  const rest = (from: number) => payloadOf((fields[from] as unknown[] | undefined) ?? [], fields[from + 1] as never);
  switch (type) {
    case m.WELCOME: {
      const { roles, ...details } = b as m.Welcome['details'];
      return { type, session: a, roles, details };
    }
    case m.CHALLENGE:
      return { type, authmethod: a, extra: b };
    case m.ERROR:
      return { type, requestType: a, requestId: b, details: c, error: fields[4], payload: rest(5) };
    case m.PUBLISHED:
      return { type, requestId: a, publication: b };
    case m.SUBSCRIBED:
      return { type, requestId: a, subscription: b };
    case m.UNSUBSCRIBED:
    case m.UNREGISTERED:
      return { type, requestId: a, details: b };
    case m.EVENT:
      return { type, subscription: a, publication: b, details: c, payload: rest(4) };
    case m.REGISTERED:
      return { type, requestId: a, registration: b };
    case m.RESULT:
      return { type, requestId: a, details: b, payload: rest(3) };
    case m.INVOCATION:
      return { type, requestId: a, registration: b, details: c, payload: rest(4) };
    case m.INTERRUPT:
      return { type, requestId: a, options: b };
    default:
      return undefined;
  }
}

interface InvalidVector {
  readonly name: string;
  readonly serializer?: string;
  readonly hex?: string;
  readonly json?: string;
  readonly expect: string;
}

const invalidVectors = fixture('invalid-messages.json').samples as readonly InvalidVector[];

describe('invalid messages', () => {
  const samples = invalidVectors.filter(({ hex, serializer }) => hex && serializer);
  it.each(samples)('$name', ({ serializer = '', hex = '', expect: expected }) => {
    const decode = () => serializerOf(serializer).decode(Buffer.from(hex, 'hex'));
    if (expected.startsWith('abort')) expect(decode).toThrow(ProtocolViolation);
    else expect(decode()).toHaveProperty('type');
  });

  it.each(FORMATS.filter(({ type }) => type !== 'json'))('in $type, translated from JSON', ({ type, write }) => {
    const established = invalidVectors.filter(({ json: text }) => isJsonList(text));
    for (const { name, json: text = '' } of established) {
      const verdict = (decode: () => unknown): string => {
        try {
          decode();
          return 'fine';
        } catch (error) {
          expect(error, name).toBeInstanceOf(ProtocolViolation);
          return 'violation';
        }
      };
      const inJson = verdict(() => json.decode(Buffer.from(text)));
      const inOther = verdict(() => serializerOf(type).decode(write(JSON.parse(text))));
      expect(`${name}: ${inOther}`).toBe(`${name}: ${inJson}`);
    }
  });
});

function isJsonList(text: string | undefined): boolean {
  try {
    return text !== undefined && Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}

describe('byte strings and JSON', () => {
  const { samples, plain } = JSON.parse(
    readFileSync(new URL('../../fixtures/wamp/own-vectors/binary-json.json', import.meta.url), 'utf8'),
  ) as { samples: { hex: string; json_string_value: string; json_text: string }[]; plain: string[] };
  const [inJson, ...binaries] = FORMATS;

  for (const binary of binaries) {
    it.each(samples)(`${binary.type}: $hex`, ({ hex, json_string_value: text, json_text }) => {
      const bytes = Buffer.from(hex, 'hex');
      const published = binary.write([16, 1, {}, 'a.b', [bytes, [{ deep: bytes }]], { k: bytes }]);
      const asJson = passOn(serializerOf(binary.type), json, published).toString();
      expect(asJson).toBe(`[36,1,2,{},[${json_text},[{"deep":${json_text}}]],{"k":${json_text}}]`);
      expect(cross(inJson as Format, binary, [text, [{ deep: text }]], { k: text })).toEqual(
        mapScalars([[bytes, [{ deep: bytes }]], { k: bytes }], (value) => Uint8Array.from(value as Buffer)),
      );
    });
    it(`${binary.type}: strings stay strings, also when they only look like the convention`, () => {
      const strings = [...plain, '\0no base64', '\0AA', '\0AA==\n', '\0AB=='];
      expect(cross(inJson as Format, binary, strings)).toEqual([strings]);
      expect(cross(binary, inJson as Format, strings)).toEqual([strings]);
    });
  }
});

describe.each(pairs)('from %s to %s', (_from, _to, from, to) => {
  it('passes integers on as integers, up to 2^53 and beyond', () => {
    const numbers = [0, -1, 255, -32768, 2 ** 32, -(2 ** 40), 2 ** 53, -(2 ** 53)];
    const bytes = passOn(serializerOf(from.type), serializerOf(to.type), from.write([16, 1, {}, 'a.b', numbers]));
    expect(bytes.toString('hex')).toBe(to.write([36, 1, 2, {}, numbers]).toString('hex'));
  });

  it('passes integers of 64 bits on with all digits, larger ones as near as a double comes', () => {
    const digits =
      from.type === 'json' ? Buffer.from('[16,1,{},"a.b",[18446744073709551615,-9223372036854775807]]') : undefined;
    const integers = [18446744073709551615n, -9223372036854775807n];
    const publish = digits ?? from.write([16, 1, {}, 'a.b', integers]);
    const bytes = passOn(serializerOf(from.type), serializerOf(to.type), publish);
    if (to.type === 'json') expect(bytes.toString()).toContain('[18446744073709551615,-9223372036854775807]');
    else expect((to.read(bytes) as unknown[])[4]).toEqual(integers);
  });

  it('keeps every value that both can say, and nobody reaches a prototype', () => {
    const values = [null, true, 1.5, -0.1, 'ü€😀', [], {}, [[]], { a: { b: [{}] } }];
    expect(cross(from, to, values, { k: values })).toEqual([values, { k: values }]);
    const polluted =
      from.type === 'ubjson'
        ? from.write([16, 1, {}, 'a.b', [JSON.parse('{"__proto__":{"x":1}}')]])
        : Buffer.from(
            from.type === 'json'
              ? '[16,1,{},"a.b",[{"__proto__":{"x":1}},"\\u0000AA=="]]'
              : from.type === 'msgpack'
                ? '9510 01 80 a3612e62 91 81 a95f5f70726f746f5f5f 81a17801'.replaceAll(' ', '')
                : '8510 01 a0 63612e62 81 a1 695f5f70726f746f5f5f a1617801'.replaceAll(' ', ''),
            from.type === 'json' ? 'utf8' : 'hex',
          );
    const { payload } = serializerOf(from.type).decode(polluted) as m.Publish;
    expect(Object.keys(payload.args[0] as object)).toEqual(['__proto__']);
    expect((payload.args[0] as { x?: number }).x).toBeUndefined();
    expect(serializerOf(to.type).encode(eventOf(payload), UNFRAMED).includes('__proto__')).toBe(true);
  });

  it('carries an opaque payload in place of Arguments, when enc_algo announces it', () => {
    const options = { enc_algo: 'cryptobox', enc_serializer: 'json', enc_key: 'k' };
    const opaque = from.type === 'json' ? '\0EOP/kA==' : Buffer.from('10e3ff90', 'hex');
    const received = to.type === 'json' ? '\0EOP/kA==' : Uint8Array.from(Buffer.from('10e3ff90', 'hex'));
    const publish = from.write([16, 1, options, 'a.b', opaque]);
    expect(to.read(passOn(serializerOf(from.type), serializerOf(to.type), publish))).toEqual([36, 1, 2, {}, received]);
    for (const bad of [
      [16, 1, {}, 'a.b', opaque],
      [16, 1, options, 'a.b', opaque, {}],
      [16, 1, options, 'a.b', 5],
      [16, 1, { enc_algo: 1 }, 'a.b', opaque],
    ]) {
      expect(() => serializerOf(from.type).decode(from.write(bad))).toThrow(ProtocolViolation);
    }
  });

  it('translates once for all who speak the same', () => {
    const { payload } = serializerOf(from.type).decode(from.write([16, 1, {}, 'a.b', ['x', { k: 1 }]])) as m.Publish;
    let built = 0;
    const { passOn } = payload as unknown as { passOn: (to: unknown) => number };
    Object.assign(payload, {
      passOn: (to: unknown) => {
        built++;
        return passOn.call(payload, to);
      },
    });
    for (let i = 0; i < 3; i++) serializerOf(to.type).encode(eventOf(payload, { topic: `t${i}` }), UNFRAMED);
    expect(built).toBe(from.type === to.type ? 0 : 1);
  });
});

describe.each(FORMATS)('noise in $type', ({ type, write }) => {
  const serializer = serializerOf(type);
  const valid = [
    write([48, 9007199254740992, { timeout: 5, disclose_me: true }, 'com.myapp.proc', ['ü', 1.5, null], { k: [[]] }]),
    write([1, 'realm1', { roles: { caller: { features: { call_canceling: true } } }, authextra: { a: [1] } }]),
  ];

  /** A message, whose payload can be had in every format, or a violation. */
  function tame(bytes: Buffer): void {
    let message: m.ClientMessage;
    try {
      message = serializer.decode(bytes);
    } catch (error) {
      if (error instanceof ProtocolViolation) return;
      throw error;
    }
    for (const { type: to, read } of FORMATS) {
      const out = serializerOf(to).encode(message, UNFRAMED);
      if (to !== type && !Array.isArray(read(out))) throw new TypeError(`no list in ${to}`);
    }
  }

  it('is refused or harmless: random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => tame(Buffer.from(bytes))),
      { numRuns: 1000 },
    );
  });

  it('is refused or harmless: a random payload behind a good envelope', () => {
    const head = write([48, 1, {}, 'a.b', []]).subarray(0, -1);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => tame(Buffer.concat([head, bytes]))),
      { numRuns: 1000 },
    );
  });

  it('is refused or harmless: good messages with bytes changed, inserted and cut', () => {
    const edit = fc.record({ at: fc.nat(200), cut: fc.nat(3), insert: fc.uint8Array({ maxLength: 3 }) });
    fc.assert(
      fc.property(fc.constantFrom(...valid), fc.array(edit, { minLength: 1, maxLength: 3 }), (message, edits) => {
        let bytes = message;
        for (const { at, cut, insert } of edits) {
          const start = at % (bytes.length + 1);
          bytes = Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + cut)]);
        }
        tame(bytes);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('what only one format has', () => {
  const out = (type: string, from: string, payloadHex: string) =>
    passOn(serializerOf(from), serializerOf(type), Buffer.from(payloadHex.replaceAll(' ', ''), 'hex'));
  const MSGPACK = '95 10 01 80 a3612e62 ';
  const CBOR = '85 10 01 a0 63612e62 ';
  const UBJSON = '5b 5510 5501 7b7d 53 5503 612e62 ';
  const numbers = (...texts: string[]) =>
    `5b${texts.map((text) => `4855${Buffer.of(text.length).toString('hex')}${Buffer.from(text).toString('hex')}`).join('')}5d`;
  const inJson = (bytes: Buffer) => bytes.toString().slice('[36,1,2,{},'.length, -1);

  it.each([
    ['an extension', '91 d4 05 ff', '["\\u0000/w=="]'],
    ['a timestamp', '91 d6 ff 00000001', '["\\u0000AAAAAQ=="]'],
    ['NaN', '91 cb 7ff8000000000000', '[null]'],
    ['an infinity', '91 ca 7f800000', '[null]'],
    [
      'keys that are no strings',
      '91 84 01 02 c0 03 c4 01 ff 04 91 05 06',
      '[{"1":2,"null":3,"\\u0000/w==":4,"[5]":6}]',
    ],
    ['a string that looks like bytes', '91 a5 00 41413d3d', '["\\u0000AA=="]'],
  ])('MessagePack: %s', (_what, hex, expected) => {
    expect(inJson(out('json', 'msgpack', MSGPACK + hex))).toBe(expected);
    expect(FORMATS[2]?.read(out('cbor', 'msgpack', MSGPACK + hex))).toHaveLength(5);
    expect(out('msgpack', 'msgpack', MSGPACK + hex).toString('hex')).toBe(`95240102 80${hex}`.replaceAll(' ', ''));
  });

  it.each([
    ['undefined', '81 f7', '[null]'],
    ['a simple value', '82 e0 f8ff', '[null,null]'],
    ['a half float', '84 f93e00 f97c00 f90001 f9c400', '[1.5,null,5.960464477539063e-8,-4]'],
    ['a tag', '81 c0 63616263', '["abc"]'],
    ['big numbers', '82 c2 49010000000000000000 c3 41ff', '[18446744073709551616,-256]'],
    [
      'a big number beyond measure',
      `81 c2 5881 ${'01'.repeat(129)}`,
      `["\\u0000${Buffer.alloc(129, 1).toString('base64')}"]`,
    ],
    ['strings in parts', '82 7f 6161 60 6162 ff 5f 41ff ff', '["ab","\\u0000/w=="]'],
    ['lists and dictionaries without length', '9f 9f01ff bf6161 02ff ff', '[[1],{"a":2}]'],
    ['a negative number beyond 2^53', '81 3b ffffffffffffffff', '[-18446744073709551616]'],
  ])('CBOR: %s', (_what, hex, expected) => {
    expect(inJson(out('json', 'cbor', CBOR + hex))).toBe(expected);
    expect(FORMATS[1]?.read(out('msgpack', 'cbor', CBOR + hex))).toHaveLength(5);
    expect(out('cbor', 'cbor', CBOR + hex).toString('hex')).toBe(`8518240102 a0${hex}`.replaceAll(' ', ''));
  });

  it.each([
    ['a character', '5b 43 78 5d', '["x"]'],
    ['no-ops between values', '5b 4e 54 4e4e 5b 4e 5d 7b 4e 5501 61 4e 5a 4e 7d 4e 5d 4e', '[true,[],{"a":null}]'],
    ['a fraction of high precision', '5b 48 5506 312e32354531 48 5502 2d30 5d', '[12.5,0]'],
    [
      'digits beyond 64 bits',
      `5b 48 5515 ${Buffer.from('184467440737095516160').toString('hex')} 5d`,
      '[184467440737095500000]',
    ],
    [
      'numbers as JSON has them',
      numbers('0', '-0', '10', '1e5', '1E+2', '1.50e-1', '-12.25'),
      '[0,0,10,100000,100,0.15,-12.25]',
    ],
    ['a fraction that no double has', '5b 48 5505 3165393939 5d', '[null]'],
    ['byte strings', '5b 5b2455235502 00ff 5b2455235500 5d', '["\\u0000AP8=","\\u0000"]'],
    ['lists of one type', '5b 5b2469235502 ff01 5b2449235501 0100 5b2464235501 3fc00000 5d', '[[-1,1],[256],[1.5]]'],
    ['lists of strings', '5b 5b2453235502 5501 61 5500 5b2443235502 6162 5d', '[["a",""],["a","b"]]'],
    ['lists of lists', '5b 5b245b235502 5d 235501 54 5d', '[[[],[true]]]'],
    [
      'dictionaries of one type',
      '5b 7b2455235502 5501 61 01 5501 62 02 7b247b235501 5501 61 7d 5d',
      '[{"a":1,"b":2},{"a":{}}]',
    ],
    ['NaN and an infinity', '5b 64 7fc00000 44 7ff0000000000000 5d', '[null,null]'],
  ])('UBJSON: %s', (_what, hex, expected) => {
    const publish = `${UBJSON}${hex} 5d`;
    expect(inJson(out('json', 'ubjson', publish))).toBe(expected);
    const first = hex.replaceAll(' ', '').replace(/4e$/, '');
    expect(out('ubjson', 'ubjson', publish).toString('hex')).toContain(first);
    for (const to of ['msgpack', 'cbor'] as const) {
      const read = FORMATS.find(({ type }) => type === to)?.read(out(to, 'ubjson', publish)) as unknown[];
      expect(JSON.stringify(mapScalars(read[4], asJson))).toBe(JSON.stringify(JSON.parse(expected)));
    }
  });

  /** What JSON has for byte strings. */
  const asJson = (value: unknown): unknown =>
    value instanceof Uint8Array ? `\0${Buffer.from(value).toString('base64')}` : value;

  it.each([
    ['msgpack', 'a claimed list of millions', '95 10 01 80 a3612e62 dd 00989680 c0c0'],
    ['msgpack', 'a message of millions', 'dd ffffffff 10'],
    ['msgpack', 'a claimed dictionary of millions', '95 10 01 80 a3612e62 91 df 00989680 a0c0'],
    ['msgpack', 'options of millions', '95 10 01 df 00989680 a0c0'],
    ['msgpack', 'a claimed string of gigabytes', '95 10 01 80 a3612e62 91 db ffffffff 41'],
    ['msgpack', 'a reserved byte in a payload', '95 10 01 80 a3612e62 91 c1'],
    ['msgpack', 'a string that is not UTF-8', '95 10 01 80 a3612e62 91 a2 c328'],
    ['msgpack', 'a URI that is not UTF-8', '94 20 01 80 a2 c328'],
    ['msgpack', 'an id as float', '94 20 cb3ff0000000000000 80 a3612e62'],
    ['msgpack', 'an id beyond 2^53', '94 20 cf0020000000000001 80 a3612e62'],
    ['msgpack', 'a negative id', '94 20 ff 80 a3612e62'],
    ['msgpack', 'kwargs with a number as key', '96 10 01 80 a3612e62 90 81 01 02'],
    ['msgpack', 'something behind a payload', '95 10 01 80 a3612e62 90 c0'],
    ['cbor', 'a claimed list of millions', '85 10 01 a0 63612e62 9a 00989680 f6f6'],
    ['cbor', 'a list of 2^64', '85 10 01 a0 63612e62 9b ffffffffffffffff'],
    ['cbor', 'a claimed dictionary of millions', '85 10 01 a0 63612e62 81 ba 00989680 60f6'],
    ['cbor', 'a claimed string of gigabytes', '85 10 01 a0 63612e62 81 7a ffffffff 41'],
    ['cbor', 'a string in parts of another kind', '85 10 01 a0 63612e62 81 7f 41ff ff'],
    ['cbor', 'a string in parts within parts', '85 10 01 a0 63612e62 81 7f 7f ff ff'],
    ['cbor', 'a list without end', '85 10 01 a0 63612e62 9f 01'],
    ['cbor', 'an end in the middle of an entry', '85 10 01 a0 63612e62 81 bf 6161 ff'],
    ['cbor', 'an end without beginning', '85 10 01 a0 63612e62 81 ff'],
    ['cbor', 'reserved additional information', '85 10 01 a0 63612e62 81 1c'],
    ['cbor', 'a simple value written too long', '85 10 01 a0 63612e62 81 f810'],
    ['cbor', 'a string that is not UTF-8', '85 10 01 a0 63612e62 81 62 c328'],
    ['cbor', 'an id as float', '84 1820 f93c00 a0 63612e62'],
    ['cbor', 'a fraction as id', '84 1820 fb4200000000000001 a0 63612e62'],
    ['cbor', 'an id beyond 2^53 as float', '84 1820 fb4340000000000001 a0 63612e62'],
    ['cbor', 'kwargs with a number as key', '86 10 01 a0 63612e62 80 a1 01 02'],
    ['cbor', 'something behind the message', '84 1820 01 a0 63612e62 f6'],
    ['ubjson', 'a claimed list of millions', `${UBJSON} 5b 23 6c 00989680 5a5a 5d`],
    ['ubjson', 'a list of 2^63 values without bytes', `${UBJSON} 5b 24 5a 23 4c 7fffffffffffffff 5d`],
    ['ubjson', 'a claimed list of one type', `${UBJSON} 5b 5b 24 6c 23 6c 00989680 00000001 5d 5d`],
    ['ubjson', 'a list of one type without count', `${UBJSON} 5b 5b 24 6c 00000001 5d 5d 5d`],
    ['ubjson', 'a claimed dictionary of millions', `${UBJSON} 5b 7b 23 6c 00989680 5500 5a 5d 5d`],
    ['ubjson', 'a claimed string of gigabytes', `${UBJSON} 5b 53 6c 7fffffff 41 5d 5d`],
    ['ubjson', 'a string of negative length', `${UBJSON} 5b 53 69 ff 41 5d 5d`],
    ['ubjson', 'a length that is no integer', `${UBJSON} 5b 53 64 3f800000 41 5d 5d`],
    ['ubjson', 'a mark without meaning', `${UBJSON} 5b 58 5d 5d`],
    ['ubjson', 'an end without beginning', `${UBJSON} 5b 7d 5d 5d`],
    ['ubjson', 'a message without end', `${UBJSON} 5b 5d`],
    ['ubjson', 'a string that is not UTF-8', `${UBJSON} 5b 53 5502 c328 5d 5d`],
    ['ubjson', 'a key that is not UTF-8', `${UBJSON} 5b 7b 5502 c328 5a 7d 5d 5d`],
    ['ubjson', 'a character beyond ASCII', `${UBJSON} 5b 43 e9 5d 5d`],
    ['ubjson', 'a number that is none', `${UBJSON} 5b 48 5502 2b31 5d 5d`],
    ...[
      '',
      '-',
      '+1',
      '01',
      '-01',
      '1.',
      '.5',
      '1e',
      '1e+',
      '1.e5',
      '0x1',
      '1 ',
      ' 1',
      '1_0',
      'NaN',
      '1e5.0',
      '--1',
    ].map((text) => [
      'ubjson',
      `the number ${JSON.stringify(text)}`,
      `${UBJSON} 5b 48 55${Buffer.of(text.length).toString('hex')} ${Buffer.from(text).toString('hex')} 5d 5d`,
    ]),
    ['ubjson', 'a number that ends too early', `${UBJSON} 5b 48 5505 312e323545 5d 5d`],
    ['ubjson', 'a number of 1025 digits', `${UBJSON} 5b 48 490401 ${'39'.repeat(1025)} 5d 5d`],
    ['ubjson', 'an id as float', '5b 5520 44 3ff0000000000000 7b7d 53 5503 612e62 5d'],
    ['ubjson', 'an id as high-precision number', '5b 5520 48 5501 31 7b7d 53 5503 612e62 5d'],
    ['ubjson', 'an id beyond 2^53', '5b 5520 4c 0020000000000001 7b7d 53 5503 612e62 5d'],
    ['ubjson', 'a message of one type', '5b 24 49 23 5503 0020 0001 0002'],
    ['ubjson', 'something behind the message', `${UBJSON} 5d 5a`],
  ])('%s: %s is refused', (type, _what, hex) => {
    expect(() => serializerOf(type).decode(Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toThrow(ProtocolViolation);
  });

  it.each([
    ['msgpack', MSGPACK, '91', 'c0'],
    ['cbor', CBOR, '81', 'f6'],
    ['cbor', CBOR, '81', 'c0 f6'],
    ['cbor', CBOR, '9f', 'f6'],
    ['ubjson', UBJSON, '5b', '5a'],
  ])('%s: 64 levels are the limit, in arguments and in options (%s %s)', (type, head, list, leaf) => {
    const decode = (depth: number) => {
      const end = { '9f': 'ff', '5b': '5d' }[list] ?? '';
      const ends = end.repeat(list === '5b' ? depth + 1 : depth);
      const bytes = Buffer.from(`${head}${list.repeat(depth)}${leaf}${ends}`.replaceAll(' ', ''), 'hex');
      return serializerOf(type).decode(bytes);
    };
    const most = leaf === 'c0 f6' ? 63 : 64;
    expect(() => decode(most)).not.toThrow();
    expect(() => decode(most + 1)).toThrow(ProtocolViolation);
    expect(() => decode(100_000)).toThrow(ProtocolViolation);
  });
});

describe('payloads made to hurt', () => {
  /** A dictionary whose key is a dictionary whose key is ... */
  const keysInKeys = (depth: number, dict: string, leaf: string) => `${dict.repeat(depth)}${leaf}${'01'.repeat(depth)}`;
  it.each([
    ['msgpack', '95 10 01 80 a3612e62 91', '81', 'a161'],
    ['cbor', '85 10 01 a0 63612e62 81', 'a1', '6161'],
  ])('%s: dictionaries as keys do not fill the memory', (type, head, dict, leaf) => {
    const bytes = Buffer.from(`${head}${keysInKeys(40, dict, leaf)}`.replaceAll(' ', ''), 'hex');
    const { payload } = serializerOf(type).decode(bytes) as m.Publish;
    expect(() => payload.args).toThrow(WampError);
    expect(() => json.encode(eventOf(payload), UNFRAMED)).toThrow(WampError);
    expect(serializerOf(type).encode(eventOf(payload), UNFRAMED).length).toBeLessThan(bytes.length + 8);
  });

  it('JSON: escaped quotes and backslashes do not end a string too early', () => {
    const text = String.raw`[16,1,{},"a.b",["\u0000","\\","\"",[ ],{ "\\\"]" : 12345678901234567890 , "b":-1}, true ]]`;
    const { payload } = json.decode(Buffer.from(text)) as m.Publish;
    expect(payload.args).toEqual([Buffer.alloc(0), '\\', '"', [], { '\\"]': 12345678901234567890n, b: -1 }, true]);
  });
});

describe('what wampy writes', () => {
  it.each([
    ['msgpack', '94 20 cb4200000000000000 80 a3612e62'],
    ['cbor', '84 1820 fb4200000000000000 a0 63612e62'],
  ])('%s: an id that does not fit in 32 bits is a float', (type, hex) => {
    const message = serializerOf(type).decode(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    expect(message).toEqual({ type: m.SUBSCRIBE, requestId: 2 ** 33, options: {}, topic: 'a.b' });
  });

  const withFloats: Readonly<Record<string, (...floats: [string, string]) => string>> = {
    msgpack: (type, id) => `94 ${type ? `cb${type}` : '20'} cb${id} 80 a3612e62`,
    cbor: (type, id) => `84 ${type ? `fb${type}` : '1820'} fb${id} a0 63612e62`,
    ubjson: (type, id) => `5b ${type ? `44${type}` : '5520'} 44${id} 7b7d 5355 03612e62 5d`,
  };
  it.each(Object.entries(withFloats))('%s: floats are ids from 2^32 to 2^53, and nothing else', (type, bytesOf) => {
    const decode = (id: string, messageType = '') =>
      serializerOf(type).decode(Buffer.from(bytesOf(messageType, id).replaceAll(' ', ''), 'hex'));
    const float = (value: number): string => {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleBE(value);
      return bytes.toString('hex');
    };
    for (const id of [2 ** 32, 2 ** 53 - 1, 2 ** 53]) {
      expect(decode(float(id))).toEqual({ type: m.SUBSCRIBE, requestId: id, options: {}, topic: 'a.b' });
    }
    for (const none of [1, 2 ** 32 - 1, 2 ** 32 + 0.5, 2 ** 53 + 2, -(2 ** 33), Infinity, NaN]) {
      expect(() => decode(float(none))).toThrow(ProtocolViolation);
    }
    expect(() => decode(float(2 ** 33), float(2 ** 33))).toThrow(ProtocolViolation);
  });

  it.each(['msgpack', 'cbor', 'ubjson'])('%s: floats of a payload pass untouched, however large', (type) => {
    const serializer = serializerOf(type);
    const values = [2 ** 33, 2 ** 60, 1.5, 1];
    const head = { type: m.PUBLISH, requestId: 1, options: {}, topic: 'a.b' } as const;
    const sent = serializer.encode({ ...head, payload: payloadOf(values) }, UNFRAMED);
    const { payload } = serializer.decode(sent) as m.Publish;
    expect(payload.args).toEqual(values);
  });

  it.each([
    ['msgpack', '94 20 01 82 a56d61746368 c0 ac6765745f72657461696e6564 c3 a3612e62'],
    ['msgpack', '94 20 01 82 a56d61746368 d40000 ac6765745f72657461696e6564 c3 a3612e62'],
    ['cbor', '84 1820 01 a2 656d61746368 f7 6c6765745f72657461696e6564 f5 63612e62'],
  ])('%s: what is null or undefined is absent', (type, hex) => {
    const message = serializerOf(type).decode(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    expect(message).toEqual({ type: m.SUBSCRIBE, requestId: 1, options: { get_retained: true }, topic: 'a.b' });
  });
});

describe('depth', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  it('of JSON is no bound between peers of JSON; for others it is 64', () => {
    const { payload } = json.decode(Buffer.from(`[16,1,{},"a.b",${nested(64)}]`)) as m.Publish;
    for (const type of ['msgpack', 'cbor', 'ubjson']) {
      expect(() => serializerOf(type).encode(eventOf(payload), UNFRAMED)).not.toThrow();
      for (const text of [nested(65), nested(100_000), `["\\u0000",${nested(100_000)}]`]) {
        const { payload: deep } = json.decode(Buffer.from(`[16,1,{},"a.b",${text}]`)) as m.Publish;
        expect(() => serializerOf(type).encode(eventOf(deep), UNFRAMED)).toThrow(WampError);
      }
    }
  });
});
