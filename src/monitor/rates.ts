/**
 * How much sessions, topics and procedures are used now, for lists in that order: the difference between a count and what it was at
 * an earlier look. The node keeps those counts only while somebody looks at such a list, and forgets them {@link KEPT_MS} later.
 *
 *     look, not one a second old            look, the last one a second old
 *     ----------------------------          -------------------------------
 *     compared with `base`                  compared with `base`; then `latest` takes its place, and this look is `latest`
 *
 * So a rate is that of the last one to some seconds, however many people look, and however often. What was not there at the earlier
 * look has the rate of its whole life. At the first look that is everything.
 */

/** Counts that no look has asked for so long are forgotten, in milliseconds. */
const KEPT_MS = 10_000;
/** A rate is never one of a shorter time, in milliseconds, unless the thing itself is younger. */
const LEAST_MS = 1000;

/** In so many parts are counts kept: a map that has to grow is copied in one go, and a part of it is soon copied. */
const PARTS = 64;

/** Counts at one moment, by id. */
class Counts {
  readonly atMs: number;
  // id modulo the number of parts -> id -> count
  readonly #parts: readonly Map<number, number>[] = Array.from({ length: PARTS }, () => new Map<number, number>());

  constructor(atMs: number) {
    this.atMs = atMs;
  }

  get size(): number {
    return this.#parts.reduce((sum, { size }) => sum + size, 0);
  }

  get(id: number): number | undefined {
    return this.#parts[id % PARTS]?.get(id);
  }

  set(id: number, count: number): void {
    this.#parts[id % PARTS]?.set(id, count);
  }
}

/** What is counted, and since when. */
export interface Counted {
  readonly id: number;
  readonly count: number;
  /** How long it has been there, in milliseconds. */
  readonly ageMs: number;
}

/** What a book is of: the same words mean the same book. */
export interface RateSubject {
  readonly what: string;
  readonly worker: string;
  readonly realm: string;
}

/** What a list needs to know for rates. */
export interface RateRule {
  readonly rates: Rates;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** The counts of one kind of thing in one realm. */
class Book {
  base: Counts | undefined;
  latest: Counts | undefined;

  /** @returns the counts to compare with, and those to write down; undefined where that is not due. */
  begin(nowMs: number): { readonly base: Counts | undefined; readonly written: Counts | undefined } {
    if (this.latest !== undefined && nowMs - this.latest.atMs >= LEAST_MS) {
      this.base = this.latest;
      this.latest = undefined;
    }
    const written = this.latest === undefined ? new Counts(nowMs) : undefined;
    this.latest ??= written;
    return { base: this.base, written };
  }
}

/** Of one node. Looks must not happen at the same time (`looks.ts`). */
export class Rates {
  readonly #clock: () => number;
  // subject -> its counts, while somebody looks
  readonly #books = new Map<string, Book>();
  #end: NodeJS.Timeout | undefined;

  /** @param clock milliseconds that only go forward. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** How many counts are kept. */
  get size(): number {
    let size = 0;
    for (const { base, latest } of this.#books.values()) size += (base?.size ?? 0) + (latest?.size ?? 0);
    return size;
  }

  /**
   * A look begins.
   * @returns what tells the rate of each thing, in one second. All things must be asked for, or later looks would take the others for new.
   */
  look({ what, worker, realm }: RateSubject): (thing: Counted) => number {
    this.#keep();
    const key = JSON.stringify([what, worker, realm]);
    const book = this.#books.get(key) ?? new Book();
    this.#books.set(key, book);
    const nowMs = this.#clock();
    const { base, written } = book.begin(nowMs);
    return ({ id, count, ageMs }) => {
      written?.set(id, count);
      const before = base?.get(id);
      if (base === undefined || before === undefined) return (count * 1000) / Math.max(LEAST_MS, ageMs);
      return (Math.max(0, count - before) * 1000) / (nowMs - base.atMs);
    };
  }

  /** Forgets everything when nobody looks any more. */
  #keep(): void {
    if (this.#end !== undefined) this.#end.refresh();
    else {
      this.#end = setTimeout(() => {
        this.#books.clear();
        this.#end = undefined;
      }, KEPT_MS).unref();
    }
  }
}
