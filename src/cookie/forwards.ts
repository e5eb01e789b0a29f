/**
 * Ids that were replaced: what becomes of them in a store. They stay as long as they lead to a record, because whoever comes
 * with one later than its browser could is a second party with the same cookie. Pure.
 */
import { isForward, MAX_FORWARDS } from './store.js';
import type { CookieEntry, CookieForward } from './store.js';

/** How many forwards are looked at with every change that makes or needs room. */
const SWEPT_AT_ONCE = 2;

/** @returns whether a replaced id leads to a record, in so many steps as are followed. */
export function leadsToRecord(forward: CookieForward, at: (cbtid: string) => CookieEntry | undefined): boolean {
  let entry: CookieEntry | undefined = forward;
  for (let steps = 0; steps < MAX_FORWARDS && entry !== undefined && isForward(entry); steps += 1) {
    entry = at(entry.moved_to);
  }
  return entry !== undefined && !isForward(entry);
}

/** What a forward of a record is. @param returned whether a browser ever came with `cbtid`. */
export function forwardTo(
  { cbtid: successor, rotated }: { readonly cbtid: string; readonly rotated: string },
  cbtid: string,
  returned: boolean,
): CookieForward {
  const forward = { cbtid, moved_to: successor, moved: rotated };
  return returned ? forward : { ...forward, returned };
}

/** Looks at a few forwards, each time at the next ones, and drops those that lead nowhere. */
export function sweepForwards(
  forwards: Map<string, CookieForward>,
  at: (cbtid: string) => CookieEntry | undefined,
): void {
  let count = 0;
  for (const [cbtid, forward] of forwards) {
    if (count === SWEPT_AT_ONCE || count === forwards.size) return;
    count += 1;
    forwards.delete(cbtid);
    if (leadsToRecord(forward, at)) forwards.set(cbtid, forward); // to the young end
  }
}
