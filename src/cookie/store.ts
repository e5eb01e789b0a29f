/**
 * The contract of a cookie store: records in, records out. It knows nothing of HTTP headers (`header.ts`), of who may
 * have a cookie (`tracker.ts`) or of live connections. Every implementation passes `test/contract/cookie-store.ts`.
 */

/** A login attached to a cookie; the first five are set together or not at all. */
export interface CookieAuth {
  readonly authid: string;
  readonly authrole: string;
  readonly authmethod: string;
  readonly authrealm: string;
  readonly authextra: Readonly<Record<string, unknown>> | null;
  /** Ours: a mark of what the login was made with (`auth/credential.ts`). Absent where nobody can know, and in old logins. */
  readonly credential?: string;
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
  /** When the browser was last noted as seen; null where nobody has to know (no `idle_timeout`, no sliding renewal). */
  readonly seen: string | null;
  /** When this id took the place of an earlier one; null for the id of the first visit. */
  readonly rotated: string | null;
  /**
   * Whether a browser has come back with this id. Files of earlier versions, and of Crossbar.io, do not tell: there all
   * count as if it had.
   */
  readonly returned: boolean;
}

/**
 * What is left of an id that was replaced by another: requests that were under way with it still find their cookie, and
 * whoever comes with it later shows that two parties have it. It stays as long as it leads to a record in
 * {@link MAX_FORWARDS} steps.
 */
export interface CookieForward {
  /** The old id. */
  readonly cbtid: string;
  /** The id in its place. */
  readonly moved_to: string;
  /** When that happened. */
  readonly moved: string;
  /** Nobody ever came with it: it was replaced because the answer that it was sent with seemed to be lost. */
  readonly returned?: false;
}

/** What a store knows of an id. */
export type CookieEntry = CookieRecord | CookieForward;

/** @returns whether an id was replaced by another. */
export function isForward(entry: CookieEntry): entry is CookieForward {
  return 'moved_to' in entry;
}

/** @returns whether nobody has come back with a cookie, nor ever logged in under it. */
export function isUnreturned({ returned, auth, modified }: CookieRecord): boolean {
  return !returned && auth === null && modified === null;
}

/** What may change in a record. A login that is null takes it away. */
export type CookieChange =
  | { readonly auth: CookieAuth | null; readonly modified: string }
  | { readonly seen: string }
  | { readonly returned: true };

/**
 * Order of calls: `open` once, then the others in any order and at the same time, then `close` once (idempotent).
 * All return promises, and a promise that resolves means *durable* in the sense of the store's type: a memory store
 * answers at once, a file store after the data reached the disk. A failure rejects with {@link CookieStoreError}; the
 * caller then refuses the client, it never goes on untracked.
 */
export interface CookieStore {
  /** Loads what an earlier run left. */
  open(): Promise<void>;
  /**
   * The record, or where it went, or undefined when unknown or deleted. Expiry is the caller's business: a store
   * keeps no clock. Forwards that lead nowhere, or too far, may be gone.
   */
  get(cbtid: string): Promise<CookieEntry | undefined>;
  /** Adds a new record. */
  create(record: CookieRecord): Promise<void>;
  /** Changes a known record; what is as asked already is not written again. Unknown and replaced ids reject. */
  update(cbtid: string, change: CookieChange): Promise<CookieRecord>;
  /**
   * The record goes on under another id, and the old id becomes a forward to it: both or neither, also after a crash.
   * Unknown and replaced ids reject, and a successor that is taken.
   * @param returned whether a browser ever came with the old id. With the new one none has.
   */
  rotate(cbtid: string, successor: string, rotated: string, returned?: boolean): Promise<CookieRecord>;
  /**
   * Forgets a record or a forward for good: it stays unknown after any restart. Unknown ids are no error.
   * @param deleted the time of day, ISO 8601.
   * @param isTold whether processes that {@link watch} are told; false for what has expired, which each finds by itself.
   * @returns what it was. Of a forward the successor stays: another process may have rotated a moment before.
   */
  delete(cbtid: string, deleted: string, isTold?: boolean): Promise<CookieEntry | undefined>;
  /** The ids of all records that are {@link isUnreturned}, in the order of their making. */
  unreturned(): Promise<readonly string[]>;
  /** Forgets a record if it is still {@link isUnreturned}. A crash may bring it back. */
  evict(cbtid: string): Promise<void>;
  /** All records, also expired ones. */
  list(): Promise<readonly CookieRecord[]>;
  /** Flushes and releases everything. */
  close(): Promise<void>;
  /**
   * Only for stores that several processes have open at the same time: tells which cookies another process has deleted, so
   * that their sessions here can end. Soon, but not at once; each at least once. Nothing rejects: a look that fails is
   * logged and repeated.
   * @param here the ids that matter: those with an open connection. Asked for only when another process has written.
   * @param onGone called with one of them when its record was deleted, under this id or one that has taken its place.
   * @returns what ends the watch. `close` ends it as well.
   */
  watch?(here: () => readonly string[], onGone: (cbtid: string) => void): () => void;
  /** Drops what nobody can ask for any more. Only where that makes room; rejects when it could not be done. */
  compact?(): Promise<Compaction>;
}

/** How many lines, or values, a store had before and after it was compacted. */
export interface Compaction {
  readonly before: number;
  readonly after: number;
}

/**
 * So many replaced ids are followed to the one of now, and kept behind it: an id is replaced once for each login. A damaged or
 * hostile file may lead in a circle.
 */
export const MAX_FORWARDS = 16;

/** A cookie store could not do what was asked; `cause` says why. */
export class CookieStoreError extends Error {
  readonly code = 'ERR_COOKIE_STORE';
  override readonly name = 'CookieStoreError';
}
