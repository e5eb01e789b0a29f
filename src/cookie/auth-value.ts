/**
 * What both stores do alike with the login of a record: they keep a copy of their own, and an unchanged login changes
 * nothing. Pure functions.
 */
import { CookieStoreError } from './store.js';
import type { CookieAuth, CookieRecord } from './store.js';

/**
 * @returns a deeply frozen copy that holds exactly what a file would give back: nobody who keeps the original can
 * change the stored login, and no session can change that of another through a shared `authextra`.
 * @throws CookieStoreError when `authextra` is not JSON.
 */
export function ownAuth(auth: CookieAuth | null): CookieAuth | null {
  if (auth === null) return null;
  const { authid, authrole, authmethod, authrealm, authextra } = auth;
  try {
    const copy: unknown = JSON.parse(JSON.stringify({ authid, authrole, authmethod, authrealm, authextra }));
    return deepFreeze(copy as CookieAuth);
  } catch (cause) {
    throw new CookieStoreError('the login cannot be stored: authextra is not JSON', { cause });
  }
}

/** @returns the record with another login; the same record when the login is the one that it has already. */
export function withAuth(record: CookieRecord, auth: CookieAuth | null, modified: string): CookieRecord {
  const own = ownAuth(auth);
  if (JSON.stringify(own) === JSON.stringify(record.auth)) return record;
  return { ...record, modified, auth: own };
}

/** Freezes plain data all the way down. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}
