/**
 * The sessions of this node, told to another one page by page: see `attendance.ts`, which asks. A question names a list and how far it
 * has come, so that it can be asked again:
 *
 *     attendance  --- list 7, from 0 ----->  the ids of all sessions are noted
 *                 <-- rows, on from 1800 --
 *                 --- list 7, from 1800 -->
 *                 <-- rows --------------    the end
 *
 * A row is made when it is sent: a session that has left meanwhile, and was told so, is in none.
 */
import { keyOf } from '../node-ref.js';
import type { Scheduler } from '../../router/observer.js';
import type { RouterSession } from '../../router/session.js';
import type { Dict } from '../../wamp/payload.js';
import type { NodeRef } from '../node-ref.js';

/** The kind of the question, and of the word that it should be asked anew. */
export const ROLL = 'roll';
export const ANEW = 'anew';

/** What one page has, in bytes: it takes some milliseconds, and every engine carries it. */
const PAGE_BYTES = 64 * 1024;

/** A row above it is left out: no on_join with such an authid can cross nodes either. */
const MAX_ROW_BYTES = 512 * 1024;

/** A list that nobody has asked more of for so long is dropped. */
const FORGET_MS = 60_000;

interface List {
  readonly number: number;
  readonly ids: readonly number[];
  stopTimer: () => void;
}

export interface RollDeps {
  /** The sessions of the realm on this node; undefined before it is there. */
  readonly sessions: () => ReadonlyMap<number, Pick<RouterSession, 'authid' | 'authrole'>> | undefined;
  readonly scheduler: Pick<Scheduler, 'after'>;
}

/** Answers the questions of all other nodes about one realm. */
export class Roll {
  readonly #deps: RollDeps;
  // the key of the node that asks -> its list, of which there is more to tell
  readonly #lists = new Map<string, List>();

  constructor(deps: RollDeps) {
    this.#deps = deps;
  }

  /** How many lists are being told. */
  get size(): number {
    return this.#lists.size;
  }

  /** @returns the answer: rows, and how far the list is unless that is its end; `none` where there is no such list, or no realm. */
  asked(from: NodeRef, { u: number, n: start }: Dict): Dict {
    const sessions = this.#deps.sessions();
    if (sessions === undefined || typeof number !== 'number' || typeof start !== 'number') return { none: true };
    const key = keyOf(from);
    if (start === 0) this.#begin(key, number, [...sessions.keys()]);
    const list = this.#lists.get(key);
    if (list?.number !== number) return { none: true };
    this.#keep(key, list);
    const rows: unknown[] = [];
    let index = start;
    for (let bytes = 0; index < list.ids.length && bytes < PAGE_BYTES; index += 1) {
      const id = list.ids[index] ?? 0;
      const session = sessions.get(id);
      if (session === undefined) continue;
      const row = [id, session.authid, session.authrole];
      const length = Buffer.byteLength(JSON.stringify(row));
      if (length > MAX_ROW_BYTES) continue;
      rows.push(row);
      bytes += length;
    }
    if (index < list.ids.length) return { l: rows, n: index };
    // Whoever does not get this page begins anew.
    this.forget(from);
    return { l: rows };
  }

  /** A node has gone. */
  forget(node: NodeRef): void {
    this.#lists.get(keyOf(node))?.stopTimer();
    this.#lists.delete(keyOf(node));
  }

  /** This node has left the cluster. */
  end(): void {
    for (const { stopTimer } of this.#lists.values()) stopTimer();
    this.#lists.clear();
  }

  #begin(key: string, number: number, ids: readonly number[]): void {
    this.#lists.get(key)?.stopTimer();
    this.#lists.set(key, { number, ids, stopTimer: () => undefined });
  }

  #keep(key: string, list: List): void {
    list.stopTimer();
    list.stopTimer = this.#deps.scheduler.after(FORGET_MS, () => this.#lists.delete(key));
  }
}
