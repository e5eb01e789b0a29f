/**
 * Counts the values of a payload without building them, and stops as soon as there are too many: for those who are about to
 * build the values for somebody else.
 */
import { ErrorUri, WampError } from '../wamp/error.js';
import { OpenDict } from './open-dict.js';
import type { ValueSink } from './value-sink.js';

/** Lists, dictionaries, their keys and everything else count as one value each. */
export class ValueCounter implements ValueSink {
  readonly #max: number;
  readonly #levels: number;
  /** Keys are not compared, so one for all dictionaries will do. */
  readonly #dict = new OpenDict();
  #count = 0;
  #depth = 0;

  /**
   * @param max more values are too many.
   * @param levels how deep lists and dictionaries may lie in each other.
   */
  constructor(max: number, levels: number) {
    this.#max = max;
    this.#levels = levels;
  }

  /** How many values came. */
  get count(): number {
    return this.#count;
  }

  /** @throws WampError for the first value that is one too many. */
  leaf(): void {
    if (++this.#count > this.#max)
      throw new WampError(ErrorUri.PAYLOAD_SIZE_EXCEEDED, 'the payload has too many values');
  }

  integer(): void {
    this.leaf();
  }

  text(): void {
    this.leaf();
  }

  utf8(): void {
    this.leaf();
  }

  plainText(): void {
    this.leaf();
  }

  byteString(): void {
    this.leaf();
  }

  openList(): number {
    this.#enter();
    return 0;
  }

  closeList(): void {
    this.#depth--;
  }

  openDict(): OpenDict {
    this.#enter();
    return this.#dict;
  }

  startEntry(): void {
    // Its key counts when it comes.
  }

  endKey(): void {
    // Counted already.
  }

  closeDict(): void {
    this.#depth--;
  }

  endItem(): void {
    // Counted already.
  }

  #enter(): void {
    this.leaf();
    if (++this.#depth > this.#levels) throw new WampError(ErrorUri.INVALID_ARGUMENT, 'the payload is nested too deep');
  }
}
