/** Values that a program does not expect: at the edges of numbers, texts and depths, and names that JavaScript has a meaning for. */
import type { Odd } from './encode.js';
import { Pairs, Raw } from './encode.js';
import type { Random } from './random.js';

const NUMBERS: readonly Odd[] = [
  ...[0, -0, 1, -1, 1.5, 255, 256, 65_535, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53 - 1, 2 ** 53],
  ...[2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 63n), 10n ** 30n],
  ...[1e308, -1e308, 5e-324, NaN, Infinity, -Infinity],
];

const LEGAL_NUMBERS = NUMBERS.filter((number) => typeof number === 'number' && Number.isFinite(number));

/** Names that an object has without being given them. */
export const RESERVED = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', 'then'];

const TEXTS: readonly string[] = [
  ...RESERVED,
  ...[
    '',
    ' ',
    '\0',
    '\0AAECAw==',
    '\0not base64!',
    '\n',
    '\u2028',
    '\u{1f600}',
    '\ud800',
    'x\udfff',
    'e\u0301',
    '\ufeff',
  ],
  ...['true', 'null', '0', '[]', '%s%n', '../../etc/passwd', '\u202eabc', 'I\u0307', '\u00ad', 'joe', 'JOE'],
];

const URIS: readonly string[] = [
  ...['fuzz.a', 'fuzz.b', 'fuzz.c', 'fuzz.a.b', 'fuzz.a.b.c', 'fuzz.ä', 'fuzz.A'],
  ...['', '.', '..', 'fuzz.', '.fuzz', 'fuzz..b', 'fuzz..', '...', 'fuzz a', 'fuzz#a', 'fuzz.a\0', 'fuzz.\ud800'],
  ...['wamp', 'wamp.', 'wamp.session.list', 'wamp.session.on_join', 'wamp.registration.on_create', 'wamp.no.such'],
  ...['crossbar', 'crossbar.node.get_info', 'honest.add', 'honest', 'honest.', 'realm1', '__proto__', 'constructor'],
];

export function oddNumber(random: Random): Odd {
  return random.chance(0.3) ? Math.floor((random.next() - 0.3) * 2 ** random.between(1, 60)) : random.pick(NUMBERS);
}

export function oddText(random: Random): string {
  const text = random.pick(TEXTS);
  if (random.chance(0.1)) return text.repeat(random.size(3000));
  // Marks in the order that makes normalization work hardest.
  if (random.chance(0.03)) return 'a' + '\u0315\u0300\u05ae\u0300'.repeat(random.size(4000));
  if (random.chance(0.1)) return random.bytes(random.size(2000)).toString('latin1');
  return text;
}

/** Often one that others use, too. */
export function oddUri(random: Random): string {
  if (random.chance(0.05)) return 'x'.repeat(random.size(4000));
  if (random.chance(0.05)) return 'a.'.repeat(random.size(600));
  if (random.chance(0.02)) return '.'.repeat(random.size(600));
  return random.pick(URIS);
}

/** Any value; containers are small, unless they are meant to be deep or wide. */
export function oddValue(random: Random, depth = 0): Odd {
  if (depth > 4 || random.chance(0.5)) return oddScalar(random);
  if (random.chance(0.05)) return deep(random.size(20_000), random);
  if (random.chance(0.05)) return wide(random.size(30_000), random);
  const length = random.between(0, 4);
  if (random.chance(0.5)) return Array.from({ length }, () => oddValue(random, depth + 1));
  return new Pairs(Array.from({ length }, () => [oddKey(random), oddValue(random, depth + 1)] as const));
}

/** A value that every serializer has, and that the node has to hand on as it is. */
export function legalValue(random: Random, depth = 0): Odd {
  if (depth > 3 || random.chance(0.6)) return legalScalar(random);
  if (random.chance(0.03)) return Array.from({ length: random.size(5000) }, () => random.pick([0, '', null, [], {}]));
  if (random.chance(0.02)) return nested(random.between(1, 55));
  const length = random.between(0, 4);
  if (random.chance(0.5)) return Array.from({ length }, () => legalValue(random, depth + 1));
  return new Pairs(Array.from({ length }, () => [legalText(random), legalValue(random, depth + 1)] as const));
}

function legalScalar(random: Random): Odd {
  const kind = random.between(0, 4);
  if (kind === 0) return random.pick(LEGAL_NUMBERS);
  if (kind === 1) return random.bytes(random.size(64));
  if (kind === 2) return random.pick([null, true, false]);
  return kind === 3 ? legalText(random) : random.pick(URIS);
}

export function legalText(random: Random): string {
  return random.chance(0.05) ? random.pick(TEXTS).repeat(random.size(3000)) : random.pick(TEXTS);
}

function nested(levels: number): Odd {
  return levels === 0 ? [] : [nested(levels - 1)];
}

export function oddScalar(random: Random): Odd {
  const kind = random.between(0, 4);
  if (kind === 0) return oddNumber(random);
  if (kind === 1) return random.bytes(random.size(64));
  if (kind === 2) return random.pick([null, true, false]);
  return kind === 3 ? oddText(random) : oddUri(random);
}

function oddKey(random: Random): Odd {
  return random.chance(0.9) ? oddText(random) : oddScalar(random);
}

/** Lists in lists, or dictionaries in dictionaries; now and then not closed. */
function deep(levels: number, random: Random): Raw {
  const close = random.chance(0.8) ? levels : random.between(0, levels);
  if (random.chance(0.5)) {
    return raw(
      '['.repeat(levels) + ']'.repeat(close),
      repeated([0x91], levels, [0xc0]),
      repeated([0x81], levels, [0xf6]),
      Buffer.from(`${'['.repeat(levels)}Z${']'.repeat(close)}`),
    );
  }
  const json = '{"a":'.repeat(levels) + '0' + '}'.repeat(close);
  const ubjson = Buffer.from(`${'{U\x01a'.repeat(levels)}Z${'}'.repeat(close)}`);
  return raw(json, repeated([0x81, 0xa1, 0x61], levels, [0xc0]), repeated([0xa1, 0x61, 0x61], levels, [0xf6]), ubjson);
}

/** A list of many small containers; now and then it claims to have more. */
function wide(count: number, random: Random): Raw {
  return listOf(count, random, random.chance(0.8) ? count : 0xffff_ffff);
}

/** @param claimed how many there are by the head of the list, where it has one. */
export function listOf(count: number, random: Random, claimed = count): Raw {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(claimed);
  const signed = Buffer.alloc(4);
  signed.writeInt32BE(Math.min(claimed, 0x7fff_ffff));
  const [json, msgpack, cbor, ubjson] = random.pick([
    ['{}', 0x80, 0xa0, '{}'],
    ['[]', 0x90, 0x80, '[]'],
    ['0', 0x00, 0x00, 'Z'],
    ['""', 0xa0, 0x60, 'SU\0'],
  ] as const);
  return raw(
    `[${`${json},`.repeat(count - 1)}${json}]`,
    Buffer.concat([Buffer.of(0xdd), head, Buffer.alloc(count, msgpack)]),
    Buffer.concat([Buffer.of(0x9a), head, Buffer.alloc(count, cbor)]),
    Buffer.concat([Buffer.from('[#l'), signed, Buffer.from(ubjson.repeat(count))]),
  );
}

function raw(json: string, msgpack: Buffer, cbor: Buffer, ubjson: Buffer): Raw {
  return new Raw({ json: Buffer.from(json), msgpack, cbor, ubjson });
}

function repeated(unit: readonly number[], times: number, last: readonly number[]): Buffer {
  return Buffer.concat([Buffer.alloc(times * unit.length, Buffer.from(unit)), Buffer.from(last)]);
}
