/**
 * Uploads that came to their end because somebody asked for a piece: a crash had left all pieces, and no file. Whoever asks has more
 * questions, about the other pieces, and must not send them again. It is for a short while only: a page may upload another file of the
 * same name and size.
 */

/** For how long they are remembered, in milliseconds. */
const LASTS_MS = 60_000;

const MAX_KEYS = 1000;

/** Remembers the keys of such uploads. */
export class AnsweredUploads {
  readonly #clock: () => number;
  /** key -> when, in milliseconds since 1970; the oldest is first */
  readonly #ended = new Map<string, number>();

  /** @param clock milliseconds since 1970. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  add(key: string): void {
    const [oldest] = this.#ended.keys();
    if (this.#ended.size >= MAX_KEYS && oldest !== undefined) this.#ended.delete(oldest);
    this.#ended.delete(key);
    this.#ended.set(key, this.#clock());
  }

  has(key: string): boolean {
    const endedMs = this.#ended.get(key);
    if (endedMs === undefined) return false;
    if (this.#clock() - endedMs < LASTS_MS) return true;
    this.#ended.delete(key);
    return false;
  }
}
