/** When a cookie is too old. Pure: the clock is passed in. */
import { MAX_FORWARD_AGE_MS } from './store.js';
import type { CookieForward, CookieRecord } from './store.js';

/**
 * How far in the future `created` may lie, in milliseconds. A clock that is set back makes the honest records of
 * yesterday's clock look young: they count as created just now, so that a wrong hour, or a wrong time zone, does not
 * log everybody out. Beyond that no clock of ours wrote the record, and it would live for ever: it counts as expired.
 */
const CLOCK_ERROR_MS = 24 * 60 * 60 * 1000;

/**
 * The age is counted from the record's own `created` and with the record's own `max_age`: another setting in the
 * config changes the lifetime of new cookies only.
 *
 * @param nowMs the time in milliseconds since 1970.
 */
export function isExpired(record: CookieRecord, nowMs: number): boolean {
  const ageMs = nowMs - Date.parse(record.created);
  if (ageMs < -CLOCK_ERROR_MS) return true;
  return Math.max(ageMs, 0) >= record.max_age * 1000;
}

/** How many old cookies make way for one new one: more than one, so that a backlog shrinks. */
const SWEPT_PER_NEW = 2;

/**
 * Asked with every new cookie, so that a store holds about as many as can still come back: most visitors never do, and
 * nobody would ask for their cookies again. It looks at the oldest only, which makes it cheap; one with a longer life
 * than the others at most delays their end.
 *
 * @param records in order of creation or, where `seen` is kept, of the last visit.
 * @param nowMs the time in milliseconds since 1970.
 * @returns the ids of a few of the oldest cookies, if they are expired.
 */
export function oldestExpired(records: ReadonlyMap<string, CookieRecord>, nowMs: number): string[] {
  const expired: string[] = [];
  for (const [cbtid, record] of records) {
    if (expired.length === SWEPT_PER_NEW || !isExpired(record, nowMs)) break;
    expired.push(cbtid);
  }
  return expired;
}

/** @returns whether a replaced id need not be followed any longer; by the rules of {@link isExpired}. */
export function isOldForward({ moved }: CookieForward, nowMs: number): boolean {
  const ageMs = nowMs - Date.parse(moved);
  return ageMs >= MAX_FORWARD_AGE_MS || ageMs < -CLOCK_ERROR_MS;
}

/**
 * @param forwards in order of their making.
 * @param nowMs the time in milliseconds since 1970.
 * @returns the ids that need not be followed any longer, from the old end up to the first that must.
 */
export function oldForwards(forwards: ReadonlyMap<string, CookieForward>, nowMs: number): string[] {
  const old: string[] = [];
  for (const [cbtid, forward] of forwards) {
    if (!isOldForward(forward, nowMs)) break;
    old.push(cbtid);
  }
  return old;
}
