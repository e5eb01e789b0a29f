/** Which cookies of a borrower have an open connection, asked over its stream: one question after the other. */
import { BadRecord } from '../../system/stream/record-reader.js';

/** How long the ids in one answer may be together, in bytes: those of two million cookies. */
const MAX_BYTES = 64 * 1024 * 1024;

/** The question, and what has come of its answer. */
export class HereAsked {
  readonly #put: () => void;
  #last: Promise<readonly string[]> = Promise.resolve([]);
  #answered: ((ids: readonly string[]) => void) | undefined;
  #ids: string[] = [];
  #bytes = 0;
  #isOver = false;

  /** @param put asks the other end. */
  constructor(put: () => void) {
    this.#put = put;
  }

  /** @returns their ids; none when the other end is gone. Never rejects. An answer to an earlier question would lack the latest ones. */
  ask(): Promise<readonly string[]> {
    this.#last = this.#last.then(() => this.#askNow());
    return this.#last;
  }

  /** Some of the ids came. @throws BadRecord when nobody has asked, or there are too many. */
  heard(ids: readonly string[], bytes: number, isLast: boolean): void {
    if (this.#answered === undefined) throw new BadRecord('an answer without a question');
    this.#bytes += bytes;
    if (this.#bytes > MAX_BYTES) throw new BadRecord('too many cookies');
    for (const id of ids) this.#ids.push(id);
    if (isLast) this.#answer(this.#ids);
  }

  /** Nothing more comes. */
  end(): void {
    this.#isOver = true;
    this.#answer([]);
  }

  #askNow(): Promise<readonly string[]> {
    if (this.#isOver) return Promise.resolve([]);
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#put();
    });
  }

  #answer(ids: readonly string[]): void {
    this.#answered?.(ids);
    this.#answered = undefined;
    this.#ids = [];
    this.#bytes = 0;
  }
}
