/**
 * The forwards of replaced ids, as stores keep them. A forward stays as long as it leads to a record: a client that comes with
 * the old id later than the browser would is a second party with the same cookie. Pure.
 */
import { isForward, MAX_FORWARDS } from './store.js';
import type { CookieEntry, CookieForward } from './store.js';

/** How many forwards are looked at with every new id. */
const SWEPT_AT_ONCE = 2;

/** @returns whether a forward leads to a record within {@link MAX_FORWARDS} steps. */
export function leadsToRecord(forward: CookieForward, at: (cbtid: string) => CookieEntry | undefined): boolean {
  let entry: CookieEntry | undefined = forward;
  for (let steps = 0; steps < MAX_FORWARDS && entry !== undefined && isForward(entry); steps += 1) {
    entry = at(entry.moved_to);
  }
  return entry !== undefined && !isForward(entry);
}

/** @returns the forward from `cbtid` to a record. @param returned whether a browser ever came with `cbtid`. */
export function forwardTo(
  { cbtid: successor, rotated }: { readonly cbtid: string; readonly rotated: string },
  cbtid: string,
  returned: boolean,
): CookieForward {
  const forward = { cbtid, moved_to: successor, moved: rotated };
  return returned ? forward : { ...forward, returned };
}

/** Drops forwards that lead nowhere. Looks at the next few with each call. */
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
