/**
 * The last pieces of uploads that have just come to their end. A client whose answer was lost on the way sends its piece again: that
 * must not make a second file, nor tell its progress again. A piece counts as the same by its content alone, so that another file of
 * the same name and size is never lost. It is for a short while only.
 */

/** For how long they are remembered, in milliseconds. */
export const REPEATS_LAST_MS = 60_000;

const MAX_UPLOADS = 1000;

/** As many as a client may have under way at a time, and more. */
export const MAX_RECENT_PIECES = 16;

/** Number of a piece -> a mark of its content. */
export type PieceMarks = ReadonlyMap<number, string>;

/** Remembers them. */
export class RepeatedPieces {
  readonly #clock: () => number;
  /** key of an upload -> its end; the oldest is first */
  readonly #ended = new Map<string, { readonly endedMs: number; readonly marks: PieceMarks }>();

  /** @param clock milliseconds since 1970. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** An upload has come to its end. */
  add(key: string, marks: PieceMarks): void {
    const [oldest] = this.#ended.keys();
    if (this.#ended.size >= MAX_UPLOADS && oldest !== undefined) this.#ended.delete(oldest);
    this.#ended.delete(key);
    this.#ended.set(key, { endedMs: this.#clock(), marks });
  }

  /** Whoever asks whether a piece is there, and hears that it is not, begins anew. */
  forget(key: string): void {
    this.#ended.delete(key);
  }

  /** Whether a piece may be one that comes again. */
  mayHave(key: string, chunk: number): boolean {
    return this.#markOf(key, chunk) !== undefined;
  }

  /** Whether it is one. */
  has(key: string, chunk: number, mark: string): boolean {
    return this.#markOf(key, chunk) === mark;
  }

  #markOf(key: string, chunk: number): string | undefined {
    const found = this.#ended.get(key);
    if (found === undefined) return undefined;
    if (this.#clock() - found.endedMs < REPEATS_LAST_MS) return found.marks.get(chunk);
    this.#ended.delete(key);
    return undefined;
  }
}
