/**
 * When a cookie needs a new id, and what becomes of the old one. Whoever planted a cookie in somebody's browser knows its
 * id, and would be logged in with him (session fixation): so the first handshake after a login gets another id. The old
 * one goes on to work for a moment, because a browser has several requests under way. Pure.
 */
import { isForward, MAX_FORWARDS } from './store.js';
import type { CookieEntry, CookieForward, CookieRecord } from './store.js';

/**
 * What an id that a request presents is worth:
 * - `current`: it is the id of now;
 * - `replaced`: it was so a moment ago. The browser has the new one, or somebody else has the old one;
 * - `lost`: it was replaced long ago, and nobody ever came with the new one: the answer that brought it did not arrive;
 * - `reused`: it was replaced long ago, and somebody has come with the new one. Two parties have the cookie.
 */
export type Standing = 'current' | 'replaced' | 'lost' | 'reused';

/** A cookie that a request presented. */
export interface Recognised {
  readonly record: CookieRecord;
  readonly standing: Standing;
}

/** @returns whether a login has come to the cookie under the id that it has. */
export function isRotationDue({ auth, modified, rotated }: CookieRecord): boolean {
  return auth !== null && (rotated === null || (modified !== null && Date.parse(rotated) < Date.parse(modified)));
}

/** @returns whether an id that was replaced still counts. A time in the future was written by a wrong clock. */
export function isWithinGrace({ moved }: CookieForward, nowMs: number, graceMs: number): boolean {
  return Math.abs(nowMs - Date.parse(moved)) < graceMs;
}

/**
 * Follows a replaced id to the record of now.
 * @param isFresh whether an id was replaced a moment ago ({@link isWithinGrace}).
 * @returns undefined when it leads nowhere, or too far.
 */
export async function followed(
  entry: CookieEntry,
  get: (cbtid: string) => Promise<CookieEntry | undefined>,
  isFresh: (forward: CookieForward) => boolean,
): Promise<Recognised | undefined> {
  if (!isForward(entry)) return { record: entry, standing: 'current' };
  // An id with which nobody came before somebody else was moved past it: now its owner shows that it had arrived.
  let standing: Standing = entry.returned === false ? 'reused' : standingOf(entry, isFresh);
  let next = await get(entry.moved_to);
  for (let steps = 1; next !== undefined && isForward(next); steps += 1) {
    if (steps === MAX_FORWARDS) return undefined;
    if (standing === 'lost') standing = next.returned === false ? standingOf(next, isFresh) : 'reused';
    next = await get(next.moved_to);
  }
  if (next === undefined) return undefined;
  return { record: next, standing: standing === 'lost' && next.returned ? 'reused' : standing };
}

function standingOf(forward: CookieForward, isFresh: (forward: CookieForward) => boolean): Standing {
  return isFresh(forward) ? 'replaced' : 'lost';
}

/** @returns now, or a moment after `time` where the clock was set back since; ISO 8601. */
export function timeAfter(time: string | null, nowMs: number): string {
  const earliest = time === null ? nowMs : Date.parse(time) + 1;
  return new Date(Math.max(nowMs, earliest)).toISOString();
}

/** How long it may take from finding a cookie to opening the connection, in milliseconds: far longer than it does. */
const MEMORY_MS = 60_000;

/** What ids of a moment ago are called now. */
export class Successions {
  /** Old id -> new id, in order of time. */
  readonly #successors = new Map<string, { readonly cbtid: string; readonly at: number }>();

  add(old: string, cbtid: string, nowMs: number): void {
    for (const [id, { at }] of this.#successors) {
      if (Math.abs(nowMs - at) < MEMORY_MS) break;
      this.#successors.delete(id);
    }
    this.#successors.set(old, { cbtid, at: nowMs });
  }

  latest(cbtid: string): string {
    const successor = this.#successors.get(cbtid);
    return successor === undefined ? cbtid : this.latest(successor.cbtid);
  }
}
