/**
 * Denials of one session and URI are one entry a minute: the first at once, the others as a number with the next one, or when the minute
 * has been over for a while. Clients decide how many there are, so what is kept of them is bounded. Pure.
 */
import type { AuditRecord } from '../log/audit.js';

const MINUTE_MS = 60_000;
const MAX_KINDS = 4096;

interface Kind {
  readonly entry: AuditRecord;
  readonly since: number;
  omitted: number;
}

/** Thins out denials. */
export class Denials {
  // session, action and URI -> what was denied, the oldest first
  readonly #kinds = new Map<string, Kind>();
  readonly #clock: () => number;
  readonly #write: (entry: AuditRecord) => void;

  /** @param clock milliseconds that never go back. */
  constructor(clock: () => number, write: (entry: AuditRecord) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  /** How many kinds are known. */
  get size(): number {
    return this.#kinds.size;
  }

  add(entry: AuditRecord): void {
    this.forgetOld();
    const key = JSON.stringify([entry.session, entry.about]);
    const known = this.#kinds.get(key);
    if (known !== undefined) {
      known.omitted += 1;
      return;
    }
    if (this.#kinds.size >= MAX_KINDS) this.#forgetOldest();
    this.#kinds.set(key, { entry, since: this.#clock(), omitted: 0 });
    this.#write(entry);
  }

  /** Tells of those whose minute is over. */
  forgetOld(): void {
    const due = this.#clock() - MINUTE_MS;
    for (const { since } of this.#kinds.values()) {
      if (since > due) return;
      this.#forgetOldest();
    }
  }

  /** Tells of all. */
  end(): void {
    while (this.#kinds.size > 0) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const [oldest] = this.#kinds;
    if (oldest === undefined) return;
    const [key, { entry, omitted }] = oldest;
    this.#kinds.delete(key);
    if (omitted > 0) this.#write({ ...entry, about: { ...entry.about, again: omitted } });
  }
}
