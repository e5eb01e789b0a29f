/**
 * What all stores do with records: they keep copies of their own, and a change that changes nothing is not written. Pure.
 */
import { CookieStoreError } from './error.js';
import { isUnreturned } from './store.js';
import type { CookieAuth, CookieChange, CookieRecord } from './store.js';

/**
 * @returns a deeply frozen copy that holds exactly what a file would give back. Nobody who keeps the original can change the
 *   stored login, and no session can change that of another through a shared `authextra`.
 * @throws CookieStoreError when `authextra` is not JSON.
 */
export function ownAuth(auth: CookieAuth | null): CookieAuth | null {
  if (auth === null) return null;
  const { authid, authrole, authmethod, authrealm, authextra, credential, source } = auth;
  try {
    const copy: unknown = JSON.parse(
      JSON.stringify({ authid, authrole, authmethod, authrealm, authextra, credential, source }),
    );
    return deepFreeze(copy as CookieAuth);
  } catch (cause) {
    throw new CookieStoreError('the login cannot be stored: authextra is not JSON', { cause });
  }
}

/** @returns a copy that nobody else can change. */
export function ownRecord(record: CookieRecord): CookieRecord {
  const { cbtid, created, modified, max_age, auth, seen, rotated, returned } = record;
  return { cbtid, created, modified, max_age, auth: ownAuth(auth), seen, rotated, returned };
}

/** @returns a copy of a change that nobody else can change. */
export function ownChange(change: CookieChange): CookieChange {
  return 'auth' in change ? { auth: ownAuth(change.auth), modified: change.modified } : change;
}

/** @param change made by {@link ownChange}. @returns the changed record; the same one when there is nothing to change. */
export function withChange(record: CookieRecord, change: CookieChange): CookieRecord {
  if ('seen' in change) return record.seen === change.seen ? record : { ...record, seen: change.seen };
  if ('returned' in change) return record.returned ? record : { ...record, returned: true };
  if (JSON.stringify(change.auth) === JSON.stringify(record.auth)) return record;
  return { ...record, modified: change.modified, auth: change.auth };
}

/** @returns the ids of the records that are {@link isUnreturned}. */
export function unreturnedIds(records: Iterable<CookieRecord>): string[] {
  const ids: string[] = [];
  for (const record of records) if (isUnreturned(record)) ids.push(record.cbtid);
  return ids;
}

/** Freezes plain data all the way down. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}
