/**
 * The contract of a cookie store: records in, records out. It knows nothing of HTTP headers (`header.ts`), of who may
 * have a cookie (`tracker.ts`) or of live connections. Every implementation passes `test/contract/cookie-store.ts`.
 */

/** A login attached to a cookie; all five are set together or not at all. */
export interface CookieAuth {
  readonly authid: string;
  readonly authrole: string;
  readonly authmethod: string;
  readonly authrealm: string;
  readonly authextra: Readonly<Record<string, unknown>> | null;
}

/** What is kept about one cookie. Names and meaning are Crossbar.io's. */
export interface CookieRecord {
  /** The cookie's value: a password. Never log it (`shortId`), never show it to other sessions. */
  readonly cbtid: string;
  /** UTC, ISO 8601 with milliseconds and `Z`. */
  readonly created: string;
  /** When the login last changed; null as long as it never did. */
  readonly modified: string | null;
  /** Lifetime in seconds, counted from `created`. */
  readonly max_age: number;
  /** The login that a later visit with `authmethods: ["cookie"]` gets back. */
  readonly auth: CookieAuth | null;
}

/**
 * Order of calls: `open` once, then the others in any order and at the same time, then `close` once (idempotent).
 * All return promises, and a promise that resolves means *durable* in the sense of the store's type: a memory store
 * answers at once, a file store after the data reached the disk. A failure rejects with {@link CookieStoreError}; the
 * caller then refuses the client, it never goes on untracked.
 */
export interface CookieStore {
  /** Loads what an earlier run left. */
  open(): Promise<void>;
  /** The record, or undefined when unknown or deleted. Expiry is the caller's business: a store keeps no clock. */
  get(cbtid: string): Promise<CookieRecord | undefined>;
  /** Adds a new record. */
  create(record: CookieRecord): Promise<void>;
  /** Replaces the login of a known cookie; null takes it away. Unknown cookies reject. */
  setAuth(cbtid: string, auth: CookieAuth | null, modified: string): Promise<CookieRecord>;
  /** Forgets a cookie for good: it stays unknown after any restart. Unknown cookies are no error. */
  delete(cbtid: string, deleted: string): Promise<void>;
  /** Flushes and releases everything. */
  close(): Promise<void>;
}

/** A cookie store could not do what was asked; `cause` says why. */
export class CookieStoreError extends Error {
  readonly code = 'ERR_COOKIE_STORE';
  override readonly name = 'CookieStoreError';
}
