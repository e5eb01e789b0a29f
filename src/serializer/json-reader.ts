/**
 * Reads JSON that is known to be valid and passes its values on, byte strings and 64-bit integers included; with the same
 * result as `jsonValues` has. It works by hand, because regular expressions run out of stack in strings of megabytes.
 */
import { ErrorUri, WampError } from '../wamp/error.js';
import { fromBinaryConvention, scalar } from './json-values.js';
import { Cost, Steps } from './value-sink.js';
import { MAX_NESTING } from './wire-payload.js';
import type { ValueSink } from './value-sink.js';

const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const POINT = 46;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const CLOSE_DICT = 125;
const LOWER_U = 117;

/** Shorter strings with escapes are taken apart by hand: cheaper than a call into the native parser. */
const SHORT = 256;
/** A character takes three bytes at most, except halves of pairs, which are left to the parser. */
const scratch = Buffer.allocUnsafeSlow(3 * SHORT);
/** What stands behind a backslash -> the character */
const ESCAPED = new Uint8Array(128);
for (const [mark, char] of ['b\b', 't\t', 'n\n', 'f\f', 'r\r', '""', '\\\\', '//']) {
  ESCAPED[(mark as string).charCodeAt(0)] = (char as string).charCodeAt(0);
}
/** A digit of Base64 -> its value; 255 for all other bytes */
const BASE64 = new Uint8Array(256).fill(255);
for (const [value, digit] of Buffer.from(
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
).entries()) {
  BASE64[digit] = value;
}
const EQUALS = 61;
/** Those that a number holds exactly. */
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

export class JsonReader {
  readonly #text: string;
  readonly #steps: Steps;
  #at = 0;

  /** @param steps those that {@link passAll} may take */
  constructor(text: string, steps = new Steps()) {
    this.#text = text;
    this.#steps = steps;
  }

  /** Passes on values with commas between them, up to the end of the text. @returns how many. */
  passAll(to: ValueSink): number {
    let count = 0;
    do {
      this.#value(to, 0);
      count++;
    } while (this.#next() === COMMA);
    return count;
  }

  /** @param depth how many lists and dictionaries the value lies in */
  #value(to: ValueSink, depth: number): void {
    this.#steps.take(1);
    switch (this.#next()) {
      case QUOTE:
        return this.#string(to, false);
      case 91:
        return this.#list(to, depth);
      case 123:
        return this.#dict(to, depth);
      case 110:
        this.#at += 3;
        return to.leaf(null);
      case 116:
        this.#at += 3;
        return to.leaf(true);
      case 102:
        this.#at += 4;
        return to.leaf(false);
      default:
        this.#at--;
        return this.#number(to);
    }
  }

  #list(to: ValueSink, depth: number): void {
    checkDepth(depth);
    const opened = to.openList();
    let count = 0;
    if (!this.#ends(CLOSE_LIST)) {
      do {
        this.#value(to, depth + 1);
        to.endItem();
        count++;
      } while (this.#next() === COMMA);
    }
    to.closeList(opened, count);
  }

  #dict(to: ValueSink, depth: number): void {
    checkDepth(depth);
    const dict = to.openDict(depth);
    if (!this.#ends(CLOSE_DICT)) {
      do {
        this.#next(); // the quote
        to.startEntry(dict);
        this.#string(to, true);
        to.endKey(dict);
        this.#steps.take(dict.isLarge ? Cost.KEY_OF_MANY : Cost.KEY);
        this.#next(); // the colon
        this.#value(to, depth + 1);
        to.endItem();
      } while (this.#next() === COMMA);
    }
    to.closeDict(dict);
  }

  /** Passes over space and the character behind it. @returns that character; NaN at the end. */
  #next(): number {
    let char = this.#text.charCodeAt(this.#at++);
    while (char <= 32) char = this.#text.charCodeAt(this.#at++);
    return char;
  }

  /** Passes over `mark` if it comes next. */
  #ends(mark: number): boolean {
    if (this.#next() === mark) return true;
    this.#at--;
    return false;
  }

  #number(to: ValueSink): void {
    const text = this.#text;
    const start = this.#at;
    const negative = text.charCodeAt(start) === MINUS;
    let at = negative ? start + 1 : start;
    const firstDigit = at;
    let value = 0;
    for (let digit; (digit = text.charCodeAt(at) - 48) >= 0 && digit <= 9; at++) value = value * 10 + digit;
    const isWhole = !isPartOfNumber(text.charCodeAt(at));
    if (isWhole && at - firstDigit < 16 && !(negative && value === 0)) {
      this.#at = at;
      return to.integer(negative ? -value : value);
    }
    this.#steps.take(isWhole ? Cost.BIG : Cost.UNCOMMON);
    if (text.charCodeAt(at) === POINT && this.#decimal(to, at, value, negative)) return;
    while (isPartOfNumber(text.charCodeAt(at))) at++;
    this.#at = at;
    const token = text.slice(start, at);
    to.leaf(isWhole ? scalar(token) : Number(token));
  }

  /**
   * Passes on a number with a fraction and no exponent, if it has few digits: both the digits and the power of ten are exact then,
   * so their quotient is the nearest number, which is what a native parser gives, at a fifth of its cost.
   * @param point where the point is.
   * @param whole what stands before it.
   */
  #decimal(to: ValueSink, point: number, whole: number, negative: boolean): boolean {
    const text = this.#text;
    let at = point + 1;
    let value = whole;
    for (let digit; (digit = text.charCodeAt(at) - 48) >= 0 && digit <= 9; at++) value = value * 10 + digit;
    const scale = POWERS_OF_TEN[at - point - 1];
    if (scale === undefined || value > Number.MAX_SAFE_INTEGER || isPartOfNumber(text.charCodeAt(at))) return false;
    this.#at = at;
    value /= scale;
    to.leaf(negative ? -value : value);
    return true;
  }

  /** The quote in front of it has been passed over. */
  #string(to: ValueSink, isKey: boolean): void {
    const text = this.#text;
    const start = this.#at;
    let end = start;
    let bits = 0;
    let isEscaped = false;
    for (let char; (char = text.charCodeAt(end)) !== QUOTE; end++) {
      bits |= char;
      if (char === BACKSLASH) {
        isEscaped = true;
        end++;
      }
    }
    this.#at = end + 1;
    if (isEscaped) this.#escaped(to, start, end, isKey);
    else if (bits < 128) to.plainText(text, start, end);
    else to.text(text.slice(start, end));
  }

  #escaped(to: ValueSink, start: number, end: number, isKey: boolean): void {
    const text = this.#text;
    this.#steps.take(Cost.UNCOMMON);
    const length = end - start > SHORT ? -1 : unescape(text, start, end);
    if (length < 0) {
      this.#steps.take(Cost.BIG);
      const string = JSON.parse(text.slice(start - 1, end + 1)) as string;
      to.leaf(isKey ? string : fromBinaryConvention(string));
    } else if (isKey || scratch[0] !== 0) {
      to.utf8(scratch, 0, length);
    } else {
      const bytes = fromBase64(length);
      if (bytes < 0) to.utf8(scratch, 0, length);
      else to.byteString(scratch, 0, bytes);
    }
  }
}

function checkDepth(depth: number): void {
  if (depth >= MAX_NESTING) throw new WampError(ErrorUri.INVALID_ARGUMENT, 'the payload is nested too deep');
}

/** @returns whether it is a digit, a sign, a point or an E. */
function isPartOfNumber(char: number): boolean {
  return (char >= 48 && char <= 57) || (char | 32) === 101 || char === POINT || char === MINUS || char === 43;
}

function hexDigit(char: number): number {
  return char <= 57 ? char - 48 : (char | 32) - 87;
}

/** Writes a string with escapes to the scratch buffer as UTF-8. @returns its length; -1 when there are surrogates. */
function unescape(text: string, start: number, end: number): number {
  let at = 0;
  for (let from = start; from < end; from++) {
    let char = text.charCodeAt(from);
    if (char === BACKSLASH) {
      const mark = text.charCodeAt(++from);
      if (mark === LOWER_U) {
        char = 0;
        for (const end = from + 4; from < end;) char = (char << 4) | hexDigit(text.charCodeAt(++from));
      } else {
        char = ESCAPED[mark] as number;
      }
    }
    if (char < 0x80) {
      scratch[at++] = char;
      continue;
    }
    if (char >= 0xd800 && char < 0xe000) return -1;
    if (char < 0x800) {
      scratch[at++] = 0xc0 | (char >> 6);
    } else {
      scratch[at++] = 0xe0 | (char >> 12);
      scratch[at++] = 0x80 | ((char >> 6) & 63);
    }
    scratch[at++] = 0x80 | (char & 63);
  }
  return at;
}

/**
 * Replaces U+0000 and Base64 in the scratch buffer by the bytes that it stands for.
 * @param length of what stands in the scratch buffer.
 * @returns how many bytes; -1, and nothing has changed, when it is not exactly the Base64 that an encoder writes.
 */
function fromBase64(length: number): number {
  if (length % 4 !== 1) return -1;
  let end = length;
  while (end > length - 2 && end > 1 && scratch[end - 1] === EQUALS) end--;
  let rest = 0;
  for (let at = 1; at < end; at++) {
    const value = BASE64[scratch[at] as number] as number;
    if (value === 255) return -1;
    rest = value;
  }
  const padding = length - end;
  // The bits of the last digit that no byte has a place for.
  if ((padding === 1 && (rest & 3) !== 0) || (padding === 2 && (rest & 15) !== 0)) return -1;
  let to = 0;
  let word = 0;
  let bits = 0;
  for (let at = 1; at < end; at++) {
    word = ((word << 6) | (BASE64[scratch[at] as number] as number)) & 0xffff;
    bits += 6;
    if (bits >= 8) scratch[to++] = word >> (bits -= 8);
  }
  return to;
}
