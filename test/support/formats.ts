/**
 * The formats on the wire, written and read by libraries that the router does not use: what tests compare with.
 * Integers beyond 32 bits go through BigInts, because the libraries write large numbers as floats otherwise.
 */
import { Decoder, Encoder } from '@msgpack/msgpack';
import { decode as decodeCbor, encode as encodeCbor } from 'cborg';

import { readUbjson, writeUbjson } from './ubjson.js';

export interface Format {
  readonly type: 'json' | 'msgpack' | 'cbor' | 'ubjson';
  readonly write: (value: unknown) => Buffer;
  readonly read: (bytes: Uint8Array) => unknown;
}

const msgpackEncoder = new Encoder({ useBigInt64: true });
const msgpackDecoder = new Decoder({ useBigInt64: true });

export const FORMATS: readonly Format[] = [
  {
    type: 'json',
    write: (value) => Buffer.from(JSON.stringify(value)),
    read: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as unknown,
  },
  {
    type: 'msgpack',
    write: (value) => Buffer.from(msgpackEncoder.encode(largeAsBigInt(value))),
    read: (bytes) => smallAsNumber(msgpackDecoder.decode(bytes)),
  },
  {
    type: 'cbor',
    write: (value) => Buffer.from(encodeCbor(largeAsBigInt(value))),
    read: (bytes) => smallAsNumber(decodeCbor(bytes)),
  },
  { type: 'ubjson', write: writeUbjson, read: readUbjson },
];

function largeAsBigInt(value: unknown): unknown {
  return mapScalars(value, (scalar) =>
    Number.isInteger(scalar) && Math.abs(scalar as number) >= 2 ** 32 ? BigInt(scalar as number) : scalar,
  );
}

function smallAsNumber(value: unknown): unknown {
  return mapScalars(value, (scalar) => {
    // Not the Buffers that one of the libraries slices out.
    if (scalar instanceof Uint8Array) return Uint8Array.from(scalar);
    return typeof scalar === 'bigint' && scalar <= 2n ** 53n && scalar >= -(2n ** 53n) ? Number(scalar) : scalar;
  });
}

const neverScalar = (): boolean => false;

/** Copies lists and dictionaries; `change` sees everything else, and the dictionaries that `isScalar` picks. */
export function mapScalars(
  value: unknown,
  change: (scalar: unknown) => unknown,
  isScalar: (dictionary: object) => boolean = neverScalar,
): unknown {
  if (Array.isArray(value)) return value.map((item) => mapScalars(item, change, isScalar));
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return change(value);
  if (isScalar(value)) return change(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapScalars(item, change, isScalar)]));
}
