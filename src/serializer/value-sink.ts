/**
 * Where a translation goes: a reader of one format passes values on as it finds them, the writer of another format takes
 * them. Nothing is built in between but single leaves, so a translation takes as many steps as there are values.
 */
import { ErrorUri, WampError } from '../wamp/error.js';
import type { OpenDict } from './open-dict.js';

/** Takes one value after the other, in the order in which they stand. */
export interface ValueSink {
  /** Null, a boolean, any number, a BigInt, a string or a byte string. */
  leaf(value: unknown): void;
  /** A whole number from -2^53 to 2^53, but not -0. */
  integer(value: number): void;
  text(text: string): void;
  /** A string that stands in `bytes` as valid UTF-8. */
  utf8(bytes: Uint8Array, start: number, end: number): void;
  /** A string of ASCII characters, none of which is a control character, a quote or a backslash. */
  plainText(text: string, start: number, end: number): void;
  byteString(bytes: Buffer, start: number, end: number): void;
  /** @returns what {@link closeList} has to be told. */
  openList(): number;
  closeList(opened: number, count: number): void;
  /** @param depth how many lists and dictionaries it lies in */
  openDict(depth: number): OpenDict;
  /** Before each key. Keys are strings. */
  startEntry(dict: OpenDict): void;
  /** Behind each key. */
  endKey(dict: OpenDict): void;
  closeDict(dict: OpenDict): void;
  /** Behind each value in a list or dictionary. */
  endItem(): void;
}

/**
 * The most steps that one translation may take, as many as a slow machine does within 25 milliseconds: who is behind a message must
 * not make all others wait.
 */
const MAX_STEPS = 600_000;

/** What some things cost besides the step that every value is, measured in such steps: one is about 40 ns. */
export const Cost = {
  /** A key that is compared with few others. */
  KEY: 1,
  /** A key that is looked up among many others. */
  KEY_OF_MANY: 10,
  /** A key that is no string is built and written out. */
  OTHER_KEY: 12,
  /** A number with a fraction; a byte string; an extension; a string in parts or with escapes. */
  UNCOMMON: 1,
  /** An integer beyond 2^53. */
  BIG: 10,
} as const;

/** Counts the steps of a translation. */
export class Steps {
  #left: number;

  /** @param max how many it may take */
  constructor(max = MAX_STEPS) {
    this.#left = max;
  }

  /** @throws WampError when a translation has taken too many. */
  take(steps: number): void {
    if ((this.#left -= steps) < 0) {
      throw new WampError(
        ErrorUri.PAYLOAD_SIZE_EXCEEDED,
        'the payload has too many values to be translated for a client with another serializer',
      );
    }
  }
}
