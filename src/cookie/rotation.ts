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
 * - `over`: it was replaced at a time that lies ahead, so the clock was set back: nobody knows how long ago;
 * - `lost`: it was replaced long ago, and nobody ever came with the new one: the answer that brought it did not arrive;
 * - `reused`: it was replaced long ago, and somebody has come with the new one. Two parties have the cookie.
 */
export type Standing = 'current' | 'replaced' | 'over' | 'lost' | 'reused';

/** How long ago an id was replaced. */
export type Age = 'replaced' | 'over' | 'lost';

/** A cookie that a request presented. */
export interface Recognised {
  readonly record: CookieRecord;
  readonly standing: Standing;
}

/** @returns whether a login has come to the cookie under the id that it has. */
export function isRotationDue({ auth, modified, rotated }: CookieRecord): boolean {
  return auth !== null && (rotated === null || (modified !== null && Date.parse(rotated) < Date.parse(modified)));
}

/** @returns what an id that was replaced is worth, if nobody has come with the one in its place. */
export function ageOf({ moved }: CookieForward, nowMs: number, graceMs: number): Age {
  const ageMs = nowMs - Date.parse(moved);
  if (Math.abs(ageMs) < graceMs) return 'replaced';
  return ageMs < 0 ? 'over' : 'lost';
}

/**
 * Follows a replaced id to the record of now.
 * @param age of an id that was replaced ({@link ageOf}).
 * @returns undefined when it leads nowhere, or too far.
 */
export async function followed(
  entry: CookieEntry,
  get: (cbtid: string) => Promise<CookieEntry | undefined>,
  age: (forward: CookieForward) => Age,
): Promise<Recognised | undefined> {
  if (!isForward(entry)) return { record: entry, standing: 'current' };
  // An id with which nobody came before somebody else was moved past it: now its owner shows that it had arrived.
  let standing: Standing = entry.returned === false ? 'reused' : age(entry);
  let next = await get(entry.moved_to);
  for (let steps = 1; next !== undefined && isForward(next); steps += 1) {
    if (steps === MAX_FORWARDS) return undefined;
    if (standing === 'lost') standing = next.returned === false ? age(next) : 'reused';
    next = await get(next.moved_to);
  }
  if (next === undefined) return undefined;
  return { record: next, standing: standing === 'lost' && next.returned ? 'reused' : standing };
}

/** @returns now, or a moment after `time` where the clock was set back since; ISO 8601. */
export function timeAfter(time: string | null, nowMs: number): string {
  const earliest = time === null ? nowMs : Date.parse(time) + 1;
  return new Date(Math.max(nowMs, earliest)).toISOString();
}

/** How long it may take from finding a cookie to opening the connection, in milliseconds: far longer than it does. */
const MEMORY_MS = 60_000;

/** What ids of a moment ago are called now. */
export class RecentRotations {
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
