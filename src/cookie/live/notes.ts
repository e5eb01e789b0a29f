/**
 * Notes in a record that a browser came back with its id, and when it was last seen. When the store fails there is a warning, and
 * the next visit tries again.
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

/** Notes the visits of browsers in the store. */
export class CookieNotes {
  readonly #deps: CookieNotesDeps;
  // ids that a client came with, which is not stored yet
  readonly #returned = new Set<string>();

  constructor(deps: CookieNotesDeps) {
    this.#deps = deps;
  }

  /** Whether a client came with an id, and that is not stored yet. */
  hasReturned(cbtid: string): boolean {
    return this.#returned.has(cbtid);
  }

  /**
   * Notes that a client came with the current id. Resolves when that is stored, or, for the first id of a cookie, at once. Never
   * rejects.
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

  /** Notes that a cookie is in use, if a note is due. Nobody waits. */
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
