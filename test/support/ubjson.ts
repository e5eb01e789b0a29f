/**
 * UBJSON (draft 12) for tests, after the specification and apart from the serializer of the router. Byte strings are lists of the
 * type `uint8`, as in py-ubjson. Lists and dictionaries are written with a count, and read in every form.
 */

/** The integer types from small to large: mark, bytes, least, most. */
const INTEGERS: readonly (readonly [string, number, bigint, bigint])[] = [
  ['U', 1, 0n, 255n],
  ['i', 1, -128n, 127n],
  ['I', 2, -(2n ** 15n), 2n ** 15n - 1n],
  ['l', 4, -(2n ** 31n), 2n ** 31n - 1n],
  ['L', 8, -(2n ** 63n), 2n ** 63n - 1n],
];

export function writeUbjson(value: unknown): Buffer {
  switch (typeof value) {
    case 'string':
      return Buffer.concat([Buffer.from('S'), counted(Buffer.from(value))]);
    case 'boolean':
      return Buffer.from(value ? 'T' : 'F');
    case 'bigint':
      return integer(value);
    case 'number':
      return number(value);
    default:
      return value === null || value === undefined ? Buffer.from('Z') : composed(value);
  }
}

function composed(value: object): Buffer {
  if (value instanceof Uint8Array) return Buffer.concat([Buffer.from('[$U#'), counted(value)]);
  if (Array.isArray(value)) return Buffer.concat([Buffer.from('[#'), integer(value.length), ...value.map(writeUbjson)]);
  const entries = Object.entries(value);
  const parts = entries.flatMap(([key, item]) => [counted(Buffer.from(key)), writeUbjson(item)]);
  return Buffer.concat([Buffer.from('{#'), integer(entries.length), ...parts]);
}

const counted = (bytes: Uint8Array): Buffer => Buffer.concat([integer(bytes.length), bytes]);

function integer(value: number | bigint): Buffer {
  const exact = BigInt(value);
  const type = INTEGERS.find(([, , least, most]) => exact >= least && exact <= most);
  if (type === undefined) return Buffer.concat([Buffer.from('H'), counted(Buffer.from(String(value)))]);
  const [mark, bytes] = type;
  const eight = Buffer.alloc(8);
  eight.writeBigUInt64BE(BigInt.asUintN(64, exact));
  return Buffer.concat([Buffer.from(mark), eight.subarray(8 - bytes)]);
}

function number(value: number): Buffer {
  if (!Number.isFinite(value)) return Buffer.from('Z');
  if (Number.isInteger(value) && Math.abs(value) <= 2 ** 53 && !Object.is(value, -0)) return integer(value);
  const bytes = Buffer.alloc(9, 'D');
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

/** @throws Error when the bytes are not exactly one value. */
export function readUbjson(bytes: Uint8Array): unknown {
  const reader = new Reader(Buffer.from(bytes));
  const value = reader.value(reader.mark());
  if (!reader.isAtEnd) throw new Error('something stands behind the value');
  return value;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  mark(): string {
    const mark = this.#take(1).toString('latin1');
    return mark === 'N' ? this.mark() : mark;
  }

  value(mark: string): unknown {
    switch (mark) {
      case 'Z':
        return null;
      case 'T':
      case 'F':
        return mark === 'T';
      case 'd':
        return this.#take(4).readFloatBE();
      case 'D':
        return this.#take(8).readDoubleBE();
      case 'C':
        return this.#take(1).toString('latin1');
      case 'S':
        return this.#text();
      case 'H':
        return highPrecision(this.#text());
      case '[':
        return this.#list();
      case '{':
        return this.#dict();
      default:
        return near(this.#integer(mark));
    }
  }

  #list(): unknown {
    const { type, count } = this.#head();
    if (type === 'U') return Uint8Array.from(this.#take(count ?? 0));
    const list: unknown[] = [];
    while (list.length !== count) {
      const mark = type ?? this.mark();
      if (count === undefined && mark === ']') break;
      list.push(this.value(mark));
    }
    return list;
  }

  #dict(): object {
    const { type, count } = this.#head();
    const entries: [string, unknown][] = [];
    while (entries.length !== count && !(count === undefined && this.#ends())) {
      entries.push([this.#text(), this.value(type ?? this.mark())]);
    }
    return Object.fromEntries(entries);
  }

  #head(): { readonly type: string | undefined; readonly count: number | undefined } {
    const type = this.#next('$') ? this.mark() : undefined;
    return { type, count: this.#next('#') ? this.#length() : undefined };
  }

  #ends(): boolean {
    while (this.#next('N'));
    return this.#next('}');
  }

  #next(mark: string): boolean {
    if (this.#bytes.toString('latin1', this.#at, this.#at + 1) !== mark) return false;
    this.#at++;
    return true;
  }

  #text(): string {
    return this.#take(this.#length()).toString();
  }

  #length(): number {
    return Number(this.#integer(this.mark()));
  }

  #integer(mark: string): bigint {
    const type = INTEGERS.find(([letter]) => letter === mark);
    if (type === undefined) throw new Error(`found "${mark}" where a mark must be`);
    const [, bytes, least] = type;
    const bits = BigInt(`0x${this.#take(bytes).toString('hex')}`);
    return least === 0n ? bits : BigInt.asIntN(8 * bytes, bits);
  }

  #take(bytes: number): Buffer {
    const end = this.#at + bytes;
    if (end > this.#bytes.length) throw new Error('the bytes end too early');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

function near(value: bigint): number | bigint {
  return value <= 2n ** 53n && value >= -(2n ** 53n) ? Number(value) : value;
}

function highPrecision(text: string): number | bigint {
  return /^-?\d{1,20}$/.test(text) ? near(BigInt(text)) : Number(text);
}
