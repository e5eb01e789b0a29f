/**
 * What is noted in a record while a browser comes and goes: that it came back with an id, and when it was last seen. A store that
 * fails makes a warning, and the next visit tries again.
 */
import { isNoteDue, isUseNoted } from '../expiry.js';
import type { RepeatedLog } from '../../log/repeated.js';
import type { CookieQueue } from './cookie-queue.js';
import type { CookieRules } from '../rules.js';
import type { CookieRecord, CookieStore } from '../store.js';

export interface CookieNotesDeps {
  readonly store: CookieStore;
  readonly queue: CookieQueue;
  readonly rules: CookieRules;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: RepeatedLog;
}

const NOT_NOTED = 'uses of cookies cannot be noted';

export class CookieNotes {
  readonly #deps: CookieNotesDeps;
  /** Ids with which somebody came, though the store still has to learn it. */
  readonly #returned = new Set<string>();

  constructor(deps: CookieNotesDeps) {
    this.#deps = deps;
  }

  /** Whether somebody came with an id, and the store does not know it yet. */
  hasReturned(cbtid: string): boolean {
    return this.#returned.has(cbtid);
  }

  /**
   * See `LiveCookies.noteReturn`. Never rejects.
   * @param failure what the log says when the store fails.
   */
  async noteReturn({ cbtid, rotated }: CookieRecord, failure = NOT_NOTED): Promise<void> {
    const { store, queue, log } = this.#deps;
    const noting = queue
      .take(cbtid, async (record) => {
        if (record?.cbtid === cbtid) await store.update(cbtid, { returned: true });
        this.#returned.delete(cbtid);
      })
      .catch((err: unknown) => log.say('warn', { err }, failure));
    if (rotated === null) return;
    this.#returned.add(cbtid);
    await noting;
  }

  /** Notes that a cookie is in use, if it is time for that. Nobody waits. */
  noteUse(cbtid: string): void {
    const { store, queue, rules, clock, log } = this.#deps;
    if (!isUseNoted(rules)) return;
    queue
      .take(cbtid, async (record) => {
        if (record === undefined || !isNoteDue(record, clock(), rules)) return;
        await store.update(record.cbtid, { seen: new Date(clock()).toISOString() });
      })
      .catch((err: unknown) => log.say('warn', { err }, NOT_NOTED));
  }
}
