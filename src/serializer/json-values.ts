/**
 * Values to and from JSON text, where JSON alone is not enough: byte strings are written as U+0000 and their Base64
 * (section "Binary support in JSON"), integers beyond 2^53 keep their digits
 * as far as 64 bits go.
 *
 * What JSON cannot say: NaN and the infinities become null. What it says in two ways: 1.0 is 1.
 */
import { ErrorUri, ProtocolViolation, WampError } from '../wamp/error.js';
import { define } from './dict.js';
import { MAX_NESTING } from './wire-payload.js';
import type { Dict } from '../wamp/payload.js';

/** Only values that the router got from a JSON client can be nested deeper than anything of the other formats. */
const MAX_WRITTEN_NESTING = 1000;
const MARK = '\0';

/** @throws WampError for values that are nested too deep to be written. */
export function jsonText(value: unknown, depth = 0): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null';
    case 'boolean':
      return value ? 'true' : 'false';
    case 'bigint':
      return value.toString();
    case 'object':
      return value === null ? 'null' : objectText(value, depth);
    default:
      return 'null';
  }
}

function objectText(value: object, depth: number): string {
  if (value instanceof Uint8Array) return `"\\u0000${base64(value)}"`;
  if (depth === MAX_WRITTEN_NESTING) throw new WampError(ErrorUri.INVALID_ARGUMENT, 'the payload is nested too deep');
  return Array.isArray(value) ? listText(value, depth + 1) : dictText(value as Dict, depth + 1);
}

function listText(list: readonly unknown[], depth: number): string {
  let text = '[';
  for (const item of list) text += text === '[' ? jsonText(item, depth) : `,${jsonText(item, depth)}`;
  return `${text}]`;
}

function dictText(dict: Dict, depth: number): string {
  let text = '{';
  for (const key of Object.keys(dict)) {
    const value = dict[key];
    if (value === undefined) continue;
    text += `${text === '{' ? '' : ','}${JSON.stringify(key)}:${jsonText(value, depth)}`;
  }
  return `${text}}`;
}

/** @returns standard Base64, with padding. */
export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

/** @returns the bytes that a string stands for; the string itself when it does not follow the convention exactly. */
export function fromBinaryConvention(text: string): string | Uint8Array {
  if (!text.startsWith(MARK)) return text;
  const bytes = Buffer.from(text.slice(MARK.length), 'base64');
  // Node skips what is no Base64, so only the way back tells whether all of it was.
  return bytes.toString('base64') === text.slice(MARK.length) ? bytes : text;
}

/**
 * @param text JSON that is known to be valid.
 * @returns its values, byte strings and large integers included.
 * @throws WampError when there are such, and they are nested too deep.
 */
export function jsonValues(text: string): unknown {
  // The mark can only stand there escaped, and an integer beyond 2^53 has 16 digits at least.
  const plain = !text.includes('\\u0000') && !/\d{16}/.test(text);
  return plain ? JSON.parse(text) : new ExactReader(text).value(0);
}

/** @returns all values of a message. @throws ProtocolViolation for bytes that are no list in JSON. */
export function jsonMessageValues(bytes: Buffer): readonly unknown[] {
  const text = bytes.toString('utf8');
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new ProtocolViolation('the message is not valid JSON', { cause });
  }
  const values = jsonValues(text);
  if (!Array.isArray(values)) throw new ProtocolViolation('a message must be a non-empty list');
  return values;
}

const QUOTE = 34;
const BACKSLASH = 92;
const PUNCTUATION = '[]{}:,';

/** @returns the position just behind the string that starts at `from`, in a text that is known to be valid JSON. */
export function skipString(text: string, from: number): number {
  for (let at = from + 1; ; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) return at + 1;
    if (char === BACKSLASH) at++;
  }
}

/** Reads valid JSON token by token; by hand, because regular expressions run out of stack in strings of megabytes. */
class ExactReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): unknown {
    const token = this.#next();
    if (token === '[' || token === '{') {
      if (depth > MAX_NESTING) throw new WampError(ErrorUri.INVALID_ARGUMENT, 'the payload is nested too deep');
      return token === '[' ? this.#list(depth + 1) : this.#dict(depth + 1);
    }
    return token.startsWith('"') ? fromBinaryConvention(JSON.parse(token) as string) : scalar(token);
  }

  #list(depth: number): unknown[] {
    const list: unknown[] = [];
    if (this.#ends(']')) return list;
    do list.push(this.value(depth));
    while (this.#next() === ',');
    return list;
  }

  #dict(depth: number): Dict {
    const dict: Record<string, unknown> = {};
    if (this.#ends('}')) return dict;
    do {
      const key = JSON.parse(this.#next()) as string;
      this.#next(); // the colon
      define(dict, key, this.value(depth));
    } while (this.#next() === ',');
    return dict;
  }

  /** Passes over `mark` if it comes next. */
  #ends(mark: string): boolean {
    const before = this.#at;
    if (this.#next() === mark) return true;
    this.#at = before;
    return false;
  }

  #next(): string {
    const text = this.#text;
    let start = this.#at;
    while (text.charCodeAt(start) <= 32) start++;
    let end = start + 1;
    if (text.charCodeAt(start) === QUOTE) end = skipString(text, start);
    else if (!PUNCTUATION.includes(text.charAt(start))) while (!endsScalar(text, end)) end++;
    this.#at = end;
    return text.slice(start, end);
  }
}

function endsScalar(text: string, at: number): boolean {
  return at >= text.length || text.charCodeAt(at) <= 32 || PUNCTUATION.includes(text.charAt(at));
}

/** @returns the number, boolean or null that a token of JSON stands for; integers within 64 bits exactly. */
export function scalar(token: string): unknown {
  // More than 20 places do not fit into 64 bits, which is what the other formats have for integers.
  if (!/^-?\d{16,20}$/.test(token)) return JSON.parse(token);
  const exact = BigInt(token);
  const isLarge = !Number.isSafeInteger(Number(exact)) && exact >= -(2n ** 63n) && exact < 2n ** 64n;
  return isLarge ? exact : Number(exact);
}
