/**
 * When a cookie needs a new id, and what the old one is worth then. An attacker who planted a cookie in somebody's browser knows
 * its id, and would be logged in together with the user (session fixation). So the first handshake after a login gets a new
 * id. The old one still works for a moment (`rotate_grace`), because a browser has several requests under way. Pure.
 */
import { isForward, MAX_FORWARDS } from './store.js';
import type { CookieEntry, CookieForward, CookieRecord } from './store.js';

/**
 * What an id that a request presents is worth:
 * - `current`: it is the current id;
 * - `replaced`: it was replaced a moment ago. The browser has the new one, or somebody else has the old one;
 * - `over`: it was replaced in the future, because the clock was set back. How long ago that was is unknown;
 * - `lost`: it was replaced long ago, and no client ever came with the new one: the answer that told it did not arrive;
 * - `reused`: it was replaced long ago, and a client has come with the new one. Two parties have the cookie.
 */
export type Standing = 'current' | 'replaced' | 'over' | 'lost' | 'reused';

/** What a replaced id is worth by its age alone. */
export type Age = 'replaced' | 'over' | 'lost';

/** The cookie behind an id that a request presents. */
export interface Recognised {
  readonly record: CookieRecord;
  readonly standing: Standing;
}

/** @returns whether the login has changed since the cookie got its id. */
export function isRotationDue({ auth, modified, rotated }: CookieRecord): boolean {
  return auth !== null && (rotated === null || (modified !== null && Date.parse(rotated) < Date.parse(modified)));
}

/** @returns what a replaced id is worth as long as no client has come with the new one. */
export function ageOf({ moved }: CookieForward, nowMs: number, graceMs: number): Age {
  const ageMs = nowMs - Date.parse(moved);
  if (Math.abs(ageMs) < graceMs) return 'replaced';
  return ageMs < 0 ? 'over' : 'lost';
}

/**
 * Follows an id to its record.
 * @param age tells the age of a forward ({@link ageOf}).
 * @returns undefined when it leads nowhere, or too far.
 */
export async function followed(
  entry: CookieEntry,
  get: (cbtid: string) => Promise<CookieEntry | undefined>,
  age: (forward: CookieForward) => Age,
): Promise<Recognised | undefined> {
  if (!isForward(entry)) return { record: entry, standing: 'current' };
  // The id was taken for lost, and another client was given the next one. Now its owner shows that it had arrived.
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

/** @returns the current time, or a moment after `time` where the clock was set back since; ISO 8601. */
export function timeAfter(time: string | null, nowMs: number): string {
  const earliest = time === null ? nowMs : Date.parse(time) + 1;
  return new Date(Math.max(nowMs, earliest)).toISOString();
}

/** How long a rotation is remembered, in milliseconds: far longer than it takes from finding a cookie to the open connection. */
const MEMORY_MS = 60_000;

/** The rotations of the last minute: a connection may open under an id that was replaced since its cookie was found. */
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

  /** @returns the current id of a cookie; `cbtid` itself when it was not replaced lately. */
  latest(cbtid: string): string {
    const successor = this.#successors.get(cbtid);
    return successor === undefined ? cbtid : this.latest(successor.cbtid);
  }
}
