/**
 * When a cookie is too old, and when it is due for a note that it is in use. Pure: the clock is passed in.
 *
 *     created ---------------------------- max_age ---> expired          (`sliding`: counted from the last use)
 *               last use -- idle_timeout ---> expired
 *
 * Uses are noted coarsely, at most ten times in an `idle_timeout`: no reconnect costs a write.
 */
import { msOf } from './time.js';
import type { OldestFirst } from './oldest-first.js';
import type { CookieRecord } from './store.js';

/** How long cookies live, beside the `max_age` of each. */
export interface ExpiryRules {
  /** How long a cookie may be unused, in milliseconds; `Infinity` for no limit. */
  readonly idleMs: number;
  /** Whether `max_age` is counted from the last use. */
  readonly sliding: boolean;
}

/**
 * What holds whatever the config says: a cookie that is expired by these rules is so by all. A store, which does not know
 * the config, goes by them when it cleans up.
 */
export const GENEROUS: ExpiryRules = { idleMs: Infinity, sliding: true };

/**
 * How far in the future a time of a record may lie, in milliseconds. A clock that is set back makes the honest records of
 * yesterday's clock look young: they count as of just now, so that a wrong hour, or a wrong time zone, does not
 * log everybody out. Beyond that no clock of ours wrote it: a record that was made then would live for ever and counts as
 * expired, a use that was noted then is not believed.
 */
const CLOCK_ERROR_MS = 24 * 60 * 60 * 1000;

/** Of an `idle_timeout`, and of a `max_age` that slides: how late a use may be noted. */
const COARSENESS = 0.1;

/**
 * The age is counted from the record's own times and with the record's own `max_age`: another `max_age` in the config
 * changes the lifetime of new cookies only.
 *
 * @param nowMs the time in milliseconds since 1970.
 */
export function isExpired(record: CookieRecord, nowMs: number, rules: ExpiryRules = GENEROUS): boolean {
  if (msOf(record.created) - nowMs > CLOCK_ERROR_MS) return true;
  return nowMs >= expiryOf(record, nowMs, rules);
}

/** @returns when the record expires, in milliseconds since 1970, if nobody uses it until then. */
export function expiryOf(record: CookieRecord, nowMs: number, { idleMs, sliding }: ExpiryRules): number {
  const created = Math.min(msOf(record.created), nowMs);
  const used = Math.min(lastUse(record, nowMs), nowMs);
  return Math.min((sliding ? used : created) + record.max_age * 1000, used + idleMs);
}

/** @returns whether the rules ask when cookies were used. */
export function isUseNoted({ idleMs, sliding }: ExpiryRules): boolean {
  return sliding || idleMs !== Infinity;
}

/** @returns how much time may pass between two notes of use, in milliseconds; `Infinity` where nobody asks for them. */
export function noteEveryMs({ max_age: maxAge }: CookieRecord, { idleMs, sliding }: ExpiryRules): number {
  return COARSENESS * Math.min(idleMs, sliding ? maxAge * 1000 : Infinity);
}

/** @returns whether it is time to note that the cookie is in use. A clock that was set back does not unmake a note. */
export function isNoteDue(record: CookieRecord, nowMs: number, rules: ExpiryRules): boolean {
  return nowMs - lastUse(record, nowMs) >= noteEveryMs(record, rules);
}

/**
 * A browser keeps a cookie for `max_age` from the last `Set-Cookie` on, so one that slides has to be sent again. When that
 * was last is not on file: once a tenth of the time has passed since the id was new, every handshake sends it.
 */
export function isRenewalDue({ created, rotated, max_age: maxAge }: CookieRecord, nowMs: number): boolean {
  return nowMs - msOf(rotated ?? created) >= COARSENESS * maxAge * 1000;
}

/** The latest believable time at which the browser was here. */
function lastUse({ created, modified, seen, rotated }: CookieRecord, nowMs: number): number {
  const end = nowMs + CLOCK_ERROR_MS;
  return latest(latest(latest(latest(0, created, end), modified, end), seen, end), rotated, end);
}

/** @returns the later of two times, if the second one is there and not behind `end`. */
function latest(ms: number, time: string | null, end: number): number {
  const other = time === null ? 0 : msOf(time);
  return other > ms && other <= end ? other : ms;
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
export function oldestExpired(records: OldestFirst<string, CookieRecord>, nowMs: number): string[] {
  const expired: string[] = [];
  while (expired.length < SWEPT_PER_NEW) {
    const cbtid = records.oldest(expired.length);
    const record = cbtid === undefined ? undefined : records.get(cbtid);
    if (record === undefined || !isExpired(record, nowMs)) break;
    expired.push(record.cbtid);
  }
  return expired;
}
