/**
 * When a cookie expires, and when it has to be noted that it is in use. Pure: the clock is passed in.
 *
 *     created ---------------------------- max_age ---> expired          (`sliding`: counted from the last use)
 *               last use -- idle_timeout ---> expired
 *
 * Uses are noted coarsely, at most ten times in an `idle_timeout`, so that reconnects cost no write.
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
 * The most generous rules there are: a cookie that is expired by them is expired by any rules. Stores clean up by them,
 * because they do not know the config.
 */
export const GENEROUS: ExpiryRules = { idleMs: Infinity, sliding: true };

/**
 * How far in the future a time of a record may lie, in milliseconds. When the clock is set back, honest records seem to come
 * from the future: they count as of now, so that a wrong hour, or a wrong time zone, logs nobody out. Beyond that the time
 * is wrong: a record made then would live for ever and counts as expired; a use noted then is ignored.
 */
const CLOCK_ERROR_MS = 24 * 60 * 60 * 1000;

/** How late a use may be noted, as a part of `idle_timeout` or of a `max_age` that slides. */
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

/** @returns whether the rules need to know when cookies were used. */
export function isUseNoted({ idleMs, sliding }: ExpiryRules): boolean {
  return sliding || idleMs !== Infinity;
}

/** @returns how much time may pass between two notes of use, in milliseconds; `Infinity` where the rules need none. */
export function noteEveryMs({ max_age: maxAge }: CookieRecord, { idleMs, sliding }: ExpiryRules): number {
  return COARSENESS * Math.min(idleMs, sliding ? maxAge * 1000 : Infinity);
}

/** @returns whether it is time to note that the cookie is in use. A note stays valid when the clock is set back. */
export function isNoteDue(record: CookieRecord, nowMs: number, rules: ExpiryRules): boolean {
  return nowMs - lastUse(record, nowMs) >= noteEveryMs(record, rules);
}

/**
 * A browser keeps a cookie for `max_age` after the last `Set-Cookie`, so a cookie that slides has to be sent again. The time of
 * the last one is not stored: a tenth of `max_age` after the id was new, every handshake begins to send it.
 *
 * @returns whether the browser needs a `Set-Cookie`.
 */
export function isRenewalDue({ created, rotated, max_age: maxAge }: CookieRecord, nowMs: number): boolean {
  return nowMs - msOf(rotated ?? created) >= COARSENESS * maxAge * 1000;
}

/** The latest believable time at which the browser was here. */
function lastUse({ created, modified, seen, rotated }: CookieRecord, nowMs: number): number {
  const end = nowMs + CLOCK_ERROR_MS;
  return latest(latest(latest(latest(0, created, end), modified, end), seen, end), rotated, end);
}

/** @returns the later of two times; the first where the second is missing or behind `end`. */
function latest(ms: number, time: string | null, end: number): number {
  const other = time === null ? 0 : msOf(time);
  return other > ms && other <= end ? other : ms;
}

/** How many expired cookies go for one new cookie: more than one, so that a backlog shrinks. */
const SWEPT_PER_NEW = 2;

/**
 * Stores ask with every new cookie. Most visitors never come back, and no request would ever show that their cookies have
 * expired. Only the oldest are looked at, which is cheap; a cookie with a longer life than those behind it delays their end.
 *
 * @param records in the order of creation or, where `seen` is kept, of the last visit.
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
