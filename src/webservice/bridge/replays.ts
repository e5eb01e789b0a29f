/**
 * Which signed requests have been served: one that somebody has overheard must not work again as long as its time is right. Only
 * signatures that fitted are kept, so nobody fills the table who has no secret. It has no timer; the time comes with the question.
 */

const DEFAULT_MAX = 100_000;

/** Into so many parts the time is cut for which a signature is kept: a part is forgotten as a whole. */
const PARTS = 16;

/** What was found out about a signature. */
export type Seen = 'new' | 'again' | 'full';

export class ReplayTable {
  readonly #partMs: number;
  readonly #max: number;
  /** part of time, counted from 1970 -> the signatures that are kept until it is over, as Latin-1 */
  readonly #parts = new Map<number, Set<string>>();

  /** @param keptMs about how long signatures are kept. @param max how many there may be at a time. */
  constructor(keptMs: number, max = DEFAULT_MAX) {
    this.#partMs = Math.max(1, Math.ceil(keptMs / PARTS));
    this.#max = max;
  }

  /** How many are kept. */
  get size(): number {
    let size = 0;
    for (const part of this.#parts.values()) size += part.size;
    return size;
  }

  /**
   * Keeps a signature, unless it is there already or there is no room.
   *
   * @param digest 32 octets.
   * @param untilMs how long it is kept at least; milliseconds since 1970, as `nowMs`.
   */
  see(digest: Buffer, untilMs: number, nowMs: number): Seen {
    this.#forget(nowMs);
    const key = digest.toString('latin1');
    for (const part of this.#parts.values()) if (part.has(key)) return 'again';
    if (this.size >= this.#max) return 'full';
    const at = Math.floor(untilMs / this.#partMs);
    const part = this.#parts.get(at) ?? new Set();
    this.#parts.set(at, part.add(key));
    return 'new';
  }

  #forget(nowMs: number): void {
    const now = Math.floor(nowMs / this.#partMs);
    for (const at of this.#parts.keys()) if (at < now) this.#parts.delete(at);
  }
}
