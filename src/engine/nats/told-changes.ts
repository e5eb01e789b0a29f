/**
 * What a watch was told last, to be found again in the stream: whether the stream still is the one that was followed. Of a stream that
 * lost its end, and grew again since, the last change alone says nothing: it may have been replaced by a later one of its key, or be
 * one of the new ones. So changes that were told since the last look are looked for, and the one before them.
 *
 * A server that comes to lead the stream may also lack a single change in the midst of others (nats-server 2.9.10, when servers were
 * killed). It is missing like one that was erased. So where nobody erases what is new, all that were told lately are looked for.
 */
import type { StoredMsg } from '@nats-io/jetstream';
import type { Leader } from './leader.js';

/** A change, as far as it can be found again. */
export interface Told {
  readonly seq: number;
  readonly subject: string;
  /** When it was stored, by the clock of NATS, in milliseconds since 1970. */
  readonly storedMs: number;
  /** Whether it is the mark of a key that was deleted: that is erased sometime. */
  readonly isMark: boolean;
}

/** @param toldMs in milliseconds of the clock; -Infinity: before the watch began. */
type Noted = Told & { readonly toldMs: number };

/** So many are remembered. */
const KEPT = 512;

/** So many of those that were told since the last look are looked for: each is a request. */
const SAMPLES = 16;

/** What was told in this time before a look that found all well, or since, was told lately. In milliseconds. */
const LATELY_MS = 30_000;

/** So many are looked for at a time. */
const AT_ONCE = 16;

/** The two forms in which NATS tells when a change was stored differ by less, in milliseconds. */
const CLOCK_MS = 2;

/** `nothing`: all were replaced or erased, or there were none. `unknown`: the leader does not answer. */
export type Found = 'same' | 'other' | 'nothing' | 'unknown';

/** Those of one watch. */
export class ToldChanges {
  // subject -> its last change, in the order in which they were told
  readonly #last = new Map<string, Noted>();
  /** The last change that was there at the last look. */
  #seenSeq = 0;
  readonly #clock: () => number;
  /** When a look found all well last. */
  #soundMs: number;

  /** @param clock milliseconds, from whenever. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#soundMs = clock();
  }

  /** All was well at a look, and there is no reason to look more closely. */
  areSound(): void {
    this.#soundMs = this.#clock();
  }

  /** @param isNew whether it came while the watch was on: what was there before may have been written long ago. */
  note({ seq, subject, storedMs, isMark }: Told, isNew = true): void {
    this.#last.delete(subject);
    this.#last.set(subject, { seq, subject, storedMs, isMark, toldMs: isNew ? this.#clock() : -Infinity });
    if (this.#last.size <= KEPT) return;
    const [oldest] = this.#last.keys();
    if (oldest !== undefined) this.#last.delete(oldest);
  }

  /** @returns whether one of them is in the stream; true when there were none; undefined when the leader does not answer. */
  async areIn(leader: Pick<Leader, 'at'>): Promise<boolean | undefined> {
    const samples = this.#samples(0);
    const there = await Promise.all(samples.map(({ seq }) => leader.at(seq)));
    if (samples.length === 0 || samples.some((told, index) => isSame(told, there[index]))) return true;
    return there.includes(undefined) ? undefined : false;
  }

  /** @param from where the stream may have lost its end: those behind it are looked for in any case. */
  async lookFor(leader: Pick<Leader, 'at'>, from = Infinity): Promise<Found> {
    const samples = this.#samples(Math.min(from, this.#seenSeq));
    const there = await Promise.all(samples.map(({ seq }) => leader.at(seq)));
    let found: Found = 'nothing';
    for (const [index, told] of samples.entries()) {
      const change = there[index];
      if (change === undefined) return 'unknown';
      // There is none where a later one of the same key took its place, or somebody erased it.
      if (change === null) continue;
      if (!isSame(told, change)) return 'other';
      if (told.seq > from || from === Infinity) found = 'same';
    }
    this.#seenSeq = Math.max(this.#seenSeq, samples.at(-1)?.seq ?? 0);
    return found;
  }

  /**
   * @param isLasting whether nobody erases what is new, by the subject.
   * @returns whether the stream lacks one that was told lately; undefined when the leader does not answer.
   */
  async areMissing(
    leader: Pick<Leader, 'lastOf'>,
    isLasting: (subject: string) => boolean,
  ): Promise<boolean | undefined> {
    const sinceMs = this.#soundMs - LATELY_MS;
    const lately = [...this.#last.values()].filter(
      ({ toldMs, isMark, subject }) => toldMs >= sinceMs && !isMark && isLasting(subject),
    );
    for (let from = 0; from < lately.length; from += AT_ONCE) {
      const some = lately.slice(from, from + AT_ONCE);
      const there = await Promise.all(some.map(({ subject }) => leader.lastOf(subject)));
      for (const [index, { seq }] of some.entries()) {
        const change = there[index];
        if (change === undefined) return undefined;
        // A later one may have taken its place.
        if (change === null || change.seq < seq) return true;
      }
    }
    return false;
  }

  /** @returns those that came behind one, evenly, with the newest, and the newest of the others. */
  #samples(seq: number): readonly Told[] {
    const all = [...this.#last.values()];
    const since = all.filter((told) => told.seq > seq);
    const step = Math.max(1, Math.ceil(since.length / SAMPLES));
    const picked = since.filter((_told, index) => (since.length - 1 - index) % step === 0);
    const before = all.findLast((told) => told.seq <= seq);
    return before === undefined ? picked : [before, ...picked];
  }
}

function isSame({ subject, storedMs }: Told, there: StoredMsg | null | undefined): boolean {
  return there?.subject === subject && Math.abs(there.time.getTime() - storedMs) <= CLOCK_MS;
}
