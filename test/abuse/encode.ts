/**
 * Writes values in the serializers in every way that these allow, and in some that they do not: numbers wider than they
 * need to be, keys twice or of another type than string, lengths left open, octets as they are.
 */
import type { AnySerializerName as SerializerName } from '../support/codec.js';
import type { Random } from './random.js';

/** What a client may put into a message. */
export type Odd =
  null | boolean | number | bigint | string | Buffer | readonly Odd[] | Pairs | Raw | { readonly [key: string]: Odd };

/** A dictionary with keys of any type, and twice if need be. */
export class Pairs {
  readonly entries: readonly (readonly [Odd, Odd])[];
  constructor(entries: readonly (readonly [Odd, Odd])[]) {
    this.entries = entries;
  }
}

/** Octets as they are, for each serializer. */
export class Raw {
  readonly octets: Readonly<Record<SerializerName, Buffer>>;
  constructor(octets: Readonly<Record<SerializerName, Buffer>>) {
    this.octets = octets;
  }
}

export function encode(serializer: SerializerName, value: Odd, random: Random): Buffer {
  if (value instanceof Raw) return value.octets[serializer];
  return ENCODERS[serializer](value, random);
}

type Plain = Exclude<Odd, Raw>;

const ENCODERS: Readonly<Record<SerializerName, (value: Plain, random: Random) => Buffer>> = {
  json: encodeJson,
  msgpack: encodeMsgpack,
  cbor: encodeCbor,
  ubjson: encodeUbjson,
};

function entriesOf(value: Pairs | { readonly [key: string]: Odd }): readonly (readonly [Odd, Odd])[] {
  return value instanceof Pairs ? value.entries : Object.entries(value);
}

/** Not `Array.isArray`: that does not know lists that are read only. */
function isList(value: Odd): value is readonly Odd[] {
  return Array.isArray(value);
}

function encodeJson(value: Plain, random: Random): Buffer {
  const inner = (part: Odd): string => encode('json', part, random).toString('latin1');
  if (isList(value)) return Buffer.from(`[${value.map(inner).join(random.chance(0.02) ? ' ,\t' : ',')}]`, 'latin1');
  if (Buffer.isBuffer(value)) return Buffer.from(JSON.stringify(`\0${value.toString('base64')}`));
  if (typeof value === 'object' && value !== null) {
    const members = entriesOf(value).map(([key, item]) => {
      const name = typeof key === 'string' ? key : inner(key);
      return `${Buffer.from(JSON.stringify(name)).toString('latin1')}:${inner(item)}`;
    });
    return Buffer.from(`{${members.join(',')}}`, 'latin1');
  }
  // NaN and Infinity are written as such: no JSON at all.
  if (typeof value === 'number') return Buffer.from(Object.is(value, -0) ? '-0' : String(value));
  return Buffer.from(typeof value === 'bigint' ? value.toString() : JSON.stringify(value));
}

function encodeMsgpack(value: Plain, random: Random): Buffer {
  if (value === null) return Buffer.of(0xc0);
  if (typeof value === 'boolean') return Buffer.of(value ? 0xc3 : 0xc2);
  if (typeof value === 'string') return withHead(Buffer.from(value), MSGPACK_HEADS.text, random);
  if (Buffer.isBuffer(value)) return withHead(value, MSGPACK_HEADS.bytes, random);
  if (isList(value)) {
    const items = value.map((item) => encode('msgpack', item, random));
    return Buffer.concat([msgpackHead(value.length, MSGPACK_HEADS.list, random), ...items]);
  }
  if (typeof value === 'object') {
    const entries = entriesOf(value);
    const items = entries.flat().map((item) => encode('msgpack', item, random));
    return Buffer.concat([msgpackHead(entries.length, MSGPACK_HEADS.dict, random), ...items]);
  }
  return msgpackNumber(value, random);
}

/** The first octets for lengths that fit in the first octet itself, in 1, 2 and 4 octets. */
interface Heads {
  readonly short?: readonly [first: number, below: number];
  readonly long: readonly (readonly [first: number, octets: 1 | 2 | 4])[];
}
const MSGPACK_HEADS = {
  text: { short: [0xa0, 32], long: [[0xd9, 1], [0xda, 2], [0xdb, 4]] }, // prettier-ignore
  bytes: { long: [[0xc4, 1], [0xc5, 2], [0xc6, 4]] }, // prettier-ignore
  list: { short: [0x90, 16], long: [[0xdc, 2], [0xdd, 4]] }, // prettier-ignore
  dict: { short: [0x80, 16], long: [[0xde, 2], [0xdf, 4]] }, // prettier-ignore
} as const satisfies Record<string, Heads>;

function msgpackHead(length: number, { short, long }: Heads, random: Random): Buffer {
  if (short !== undefined && length < short[1] && !random.chance(0.05)) return Buffer.of(short[0] + length);
  const [first, octets] = random.pick(long.filter((head) => length < 2 ** (8 * head[1])));
  return Buffer.concat([Buffer.of(first), unsigned(BigInt(length), octets)]);
}

function withHead(bytes: Buffer, heads: Heads, random: Random): Buffer {
  return Buffer.concat([msgpackHead(bytes.length, heads, random), bytes]);
}

function msgpackNumber(value: number | bigint, random: Random): Buffer {
  if (typeof value === 'number' && (!Number.isInteger(value) || Object.is(value, -0) || random.chance(0.0002))) {
    return random.chance(0.2) ? float(0xca, 4, value) : float(0xcb, 8, value);
  }
  const whole = BigInt(value);
  if (whole >= 0n && whole < 128n && !random.chance(0.1)) return Buffer.of(Number(whole));
  if (whole >= 0n && whole < 2n ** 64n) {
    const octets = random.pick(WIDTHS.filter((width) => whole < 2n ** BigInt(8 * width)));
    return Buffer.concat([Buffer.of(0xcc + Math.log2(octets)), unsigned(whole, octets)]);
  }
  if (whole < 0n && whole >= -(2n ** 63n)) {
    return Buffer.concat([Buffer.of(0xd3), unsigned(BigInt.asUintN(64, whole), 8)]);
  }
  return float(0xcb, 8, Number(value));
}

const WIDTHS = [1, 2, 4, 8] as const;

function encodeCbor(value: Plain, random: Random): Buffer {
  if (value === null) return Buffer.of(random.chance(0.05) ? 0xf7 : 0xf6);
  if (typeof value === 'boolean') return Buffer.of(value ? 0xf5 : 0xf4);
  if (typeof value === 'string') return cborOctets(3, Buffer.from(value), random);
  if (Buffer.isBuffer(value)) return cborOctets(2, value, random);
  if (isList(value)) return cborContainer(4, value, value.length, random);
  if (typeof value === 'object') {
    const entries = entriesOf(value);
    return cborContainer(5, entries.flat(), entries.length, random);
  }
  if (typeof value === 'number' && (!Number.isInteger(value) || Object.is(value, -0) || random.chance(0.0002))) {
    return random.chance(0.2) ? float(0xfa, 4, value) : float(0xfb, 8, value);
  }
  const whole = BigInt(value);
  if (whole >= 2n ** 64n || whole < -(2n ** 64n)) return float(0xfb, 8, Number(value));
  return whole >= 0n ? cborHead(0, whole, random) : cborHead(1, -1n - whole, random);
}

function cborHead(major: number, argument: bigint, random: Random): Buffer {
  if (argument < 24n && !random.chance(0.05)) return Buffer.of((major << 5) | Number(argument));
  const octets = random.pick(WIDTHS.filter((width) => argument < 2n ** BigInt(8 * width)));
  return Buffer.concat([Buffer.of((major << 5) | (24 + Math.log2(octets))), unsigned(argument, octets)]);
}

function cborOctets(major: 2 | 3, bytes: Buffer, random: Random): Buffer {
  if (!random.chance(0.03)) return Buffer.concat([cborHead(major, BigInt(bytes.length), random), bytes]);
  const at = random.between(0, bytes.length);
  const parts = [bytes.subarray(0, at), bytes.subarray(at)].map((part) =>
    Buffer.concat([cborHead(major, BigInt(part.length), random), part]),
  );
  return Buffer.concat([Buffer.of((major << 5) | 31), ...parts, Buffer.of(0xff)]);
}

function cborContainer(major: 4 | 5, items: readonly Odd[], length: number, random: Random): Buffer {
  const parts = items.map((item) => encode('cbor', item, random));
  if (random.chance(0.03)) return Buffer.concat([Buffer.of((major << 5) | 31), ...parts, Buffer.of(0xff)]);
  return Buffer.concat([cborHead(major, BigInt(length), random), ...parts]);
}

function encodeUbjson(value: Plain, random: Random): Buffer {
  if (value === null) return Buffer.from('Z');
  if (typeof value === 'boolean') return Buffer.from(value ? 'T' : 'F');
  if (typeof value === 'string') {
    if (value.length === 1 && value < '\x80' && random.chance(0.5)) return Buffer.from(`C${value}`);
    return Buffer.concat([Buffer.from('S'), ubjsonText(value, random)]);
  }
  if (Buffer.isBuffer(value)) {
    return Buffer.concat([Buffer.from('[$U#'), ubjsonInteger(BigInt(value.length), random), value]);
  }
  if (isList(value)) return ubjsonList(value, random);
  if (typeof value === 'object') {
    const items = entriesOf(value).map(([key, item]) => {
      const name = typeof key === 'string' ? key : encode('json', key, random).toString('latin1');
      return Buffer.concat([ubjsonText(name, random), encode('ubjson', item, random)]);
    });
    return ubjsonContainer('{', items, '}', random);
  }
  return ubjsonNumber(value, random);
}

function ubjsonList(list: readonly Odd[], random: Random): Buffer {
  const isSmall = (item: Odd): boolean => typeof item === 'number' && Number.isInteger(item) && Math.abs(item) < 128;
  if (list.length > 0 && random.chance(0.1) && list.every(isSmall)) {
    const items = list.map((item) => Number(item) & 0xff);
    return Buffer.concat([Buffer.from('[$i#'), ubjsonInteger(BigInt(list.length), random), Buffer.from(items)]);
  }
  const items = list.map((item) => encode('ubjson', item, random));
  return ubjsonContainer('[', items, ']', random);
}

/** With a count, or with an end and no-ops between the items. */
function ubjsonContainer(start: string, items: readonly Buffer[], end: string, random: Random): Buffer {
  if (random.chance(0.5)) {
    return Buffer.concat([Buffer.from(`${start}#`), ubjsonInteger(BigInt(items.length), random), ...items]);
  }
  const padded = items.flatMap((item) => (random.chance(0.02) ? [Buffer.from('NN'), item] : [item]));
  return Buffer.concat([Buffer.from(start), ...padded, Buffer.from(end)]);
}

function ubjsonText(text: string, random: Random): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([ubjsonInteger(BigInt(bytes.length), random), bytes]);
}

function ubjsonNumber(value: number | bigint, random: Random): Buffer {
  if (typeof value === 'number' && (!Number.isInteger(value) || Object.is(value, -0) || random.chance(0.0002))) {
    return random.chance(0.2) ? float(0x64, 4, value) : float(0x44, 8, value);
  }
  const isLarge = value < -(2 ** 53) || value > 2 ** 53;
  if (random.chance(isLarge ? 0.5 : 0.0002) || value >= 2n ** 63n || value < -(2n ** 63n)) {
    return Buffer.concat([Buffer.from('H'), ubjsonText(String(value), random)]);
  }
  return ubjsonInteger(BigInt(value), random);
}

function ubjsonInteger(value: bigint, random: Random): Buffer {
  const fitting = UBJSON_INTEGERS.filter(
    ([, octets]) => value >= -(2n ** BigInt(8 * octets - 1)) && value < 2n ** BigInt(8 * octets - 1),
  );
  const [mark, octets] = value >= 0n && value < 256n && random.chance(0.8) ? (['U', 1] as const) : random.pick(fitting);
  return Buffer.concat([Buffer.from(mark), unsigned(BigInt.asUintN(64, value), octets)]);
}

const UBJSON_INTEGERS = [['i', 1], ['I', 2], ['l', 4], ['L', 8]] as const; // prettier-ignore

function unsigned(value: bigint, octets: 1 | 2 | 4 | 8): Buffer {
  const eight = Buffer.alloc(8);
  eight.writeBigUInt64BE(value);
  return eight.subarray(8 - octets);
}

function float(first: number, octets: 4 | 8, value: number): Buffer {
  const bytes = Buffer.alloc(octets);
  if (octets === 4) bytes.writeFloatBE(value);
  else bytes.writeDoubleBE(value);
  return Buffer.concat([Buffer.of(first), bytes]);
}
