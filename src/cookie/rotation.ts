/**
 * When a cookie needs a new id, and what becomes of the old one. Whoever planted a cookie in somebody's browser knows its
 * id, and would be logged in with him (session fixation): so the first handshake after a login gets another id. The old
 * one goes on to work for a moment, because a browser has several requests under way. Pure.
 */
import type { CookieForward, CookieRecord } from './store.js';

/** @returns whether a login has come to the cookie under the id that it has. */
export function isRotationDue({ auth, modified, rotated }: CookieRecord): boolean {
  return auth !== null && (rotated === null || (modified !== null && Date.parse(rotated) < Date.parse(modified)));
}

/** @returns whether an id that was replaced still counts. A time in the future was written by a wrong clock. */
export function isWithinGrace({ moved }: CookieForward, nowMs: number, graceMs: number): boolean {
  return Math.abs(nowMs - Date.parse(moved)) < graceMs;
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
