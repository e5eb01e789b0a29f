/**
 * The contract of a cookie store: records in, records out. A store knows nothing of HTTP headers (`header.ts`), of who gets
 * a cookie (`tracker.ts`) or of connections (`live/`). Every implementation passes `test/contract/cookie-store.ts`.
 */

/** A login attached to a cookie; the first five are set together or not at all. */
export interface CookieAuth {
  readonly authid: string;
  readonly authrole: string;
  readonly authmethod: string;
  readonly authrealm: string;
  readonly authextra: Readonly<Record<string, unknown>> | null;
  /**
   * A mark of the credential that the login was made with (`auth/credential.ts`); not in Crossbar.io. Absent for methods whose
   * principals are not in the config, and in logins of earlier versions.
   */
  readonly credential?: string;
  /** For a login by the web service `login`: where it comes from. Never sent to a client; not in Crossbar.io. */
  readonly source?: LoginSource;
}

/** What is kept of a login by the web service `login`, beside what clients learn. */
export interface LoginSource {
  /** The provider of the config; undefined for a login by the service itself. */
  readonly provider?: string;
  /** Who vouched for the user, and under which name (`iss` and `sub` of a token). */
  readonly issuer?: string;
  readonly subject?: string;
  /** The session at the provider (`sid` of its token): a logout there names it. */
  readonly sid?: string;
  /** When the login ends, ISO 8601; undefined for one that lasts as long as its cookie. */
  readonly expires?: string;
}

/** What may be wrong with a login that a cookie remembers. */
export type LoginFault = 'no such principal' | 'another credential' | 'no such method' | 'expired';

/** Says whether logins with a {@link LoginSource} still count: who made them knows. */
export interface LoginVoucher {
  /** @returns undefined when nothing is wrong with it; `no such method` also for one that somebody else made. */
  faultOf(login: CookieAuth): LoginFault | undefined;
}

/** What is kept about one cookie. The first five names and their meaning are Crossbar.io's. */
export interface CookieRecord {
  /** The cookie's value: a password. Never log it (`shortId`), never show it to other sessions. */
  readonly cbtid: string;
  /** UTC, ISO 8601 with milliseconds and `Z`. */
  readonly created: string;
  /** When the login last changed; null if it never did. */
  readonly modified: string | null;
  /** Lifetime in seconds, counted from `created`. */
  readonly max_age: number;
  /** The login that the browser gets back when it offers `authmethods: ["cookie"]`. */
  readonly auth: CookieAuth | null;
  /** When the browser was last noted as seen; null where no rule needs it (no `idle_timeout`, no `sliding`). */
  readonly seen: string | null;
  /** When this id took the place of an earlier one; null for the id of the first visit. */
  readonly rotated: string | null;
  /**
   * Whether a browser has come back with this id. True for records of earlier versions and of Crossbar.io, which do not
   * say.
   */
  readonly returned: boolean;
}

/**
 * What is left of an id that was replaced by another. Requests that were under way with the old id still find their cookie;
 * a client that comes with it later shows that two parties have the cookie. A forward stays as long as it leads to a record
 * within {@link MAX_FORWARDS} steps.
 */
export interface CookieForward {
  /** The old id. */
  readonly cbtid: string;
  /** The id in its place. */
  readonly moved_to: string;
  /** When that happened. */
  readonly moved: string;
  /** False when no browser ever came with the old id: it was replaced because the answer that told it seemed lost. */
  readonly returned?: false;
}

/** What a store knows of an id. */
export type CookieEntry = CookieRecord | CookieForward;

/** @returns whether an id was replaced by another. */
export function isForward(entry: CookieEntry): entry is CookieForward {
  return 'moved_to' in entry;
}

/** @returns whether no browser has come back with a cookie, and nobody ever logged in under it. */
export function isUnreturned({ returned, auth, modified }: CookieRecord): boolean {
  return !returned && auth === null && modified === null;
}

/** What may change in a record. `auth: null` takes the login away. */
export type CookieChange =
  | { readonly auth: CookieAuth | null; readonly modified: string }
  | { readonly seen: string }
  | { readonly returned: true };

/**
 * A cookie store.
 *
 * - Order of calls: `open` once, then the others in any order and at the same time, then `close` (idempotent).
 * - A promise that resolves means *durable*, in the sense of the store's type: a memory store answers at once, a file store
 *   when the data is on the disk.
 * - Everything rejects with CookieStoreError and nothing else. An error with a `cause` says that the store failed; without
 *   one the store works and refuses what was asked. After a failure nothing has changed.
 * - A caller whose request failed refuses the client. No client goes on untracked.
 */
export interface CookieStore {
  /** Loads what earlier runs have stored. */
  open(): Promise<void>;
  /**
   * @returns the record, or the forward of a replaced id; undefined when the id is unknown or deleted. Expired records are
   *   returned, too: expiry is the caller's business. A forward that leads nowhere, or too far, may be gone.
   */
  get(cbtid: string): Promise<CookieEntry | undefined>;
  /**
   * As {@link get}, with all that another process has written before the call. Only for stores whose `get` may be a moment behind others, and
   * dearer than that.
   */
  latest?(cbtid: string): Promise<CookieEntry | undefined>;
  /** Adds a new record. Rejects when the id is taken, also by a replaced one. */
  create(record: CookieRecord): Promise<void>;
  /**
   * Changes a record; what is as asked already is not written again. Rejects for unknown and replaced ids.
   * @returns the record as it is now.
   */
  update(cbtid: string, change: CookieChange): Promise<CookieRecord>;
  /**
   * Gives a record another id, and leaves a forward at the old one: both or neither, also after a crash. Rejects for unknown
   * and replaced ids, and for a successor that is taken.
   * @param returned whether a browser ever came with the old id; default true.
   * @returns the record under its new id, with `returned: false`.
   */
  rotate(cbtid: string, successor: string, rotated: string, returned?: boolean): Promise<CookieRecord>;
  /**
   * Forgets a record or a forward for good: it stays unknown after a restart. Resolves for unknown ids, too.
   * @param deleted the time of day, ISO 8601.
   * @param isTold whether processes that {@link watch} are told; default true. False for what has expired, which each process
   *   finds by itself.
   * @returns what was deleted. When that is a forward, its successor stays: the caller deletes it as well.
   */
  delete(cbtid: string, deleted: string, isTold?: boolean): Promise<CookieEntry | undefined>;
  /** @returns the ids of all records that are {@link isUnreturned}, oldest first. */
  unreturned(): Promise<readonly string[]>;
  /** Forgets a record if it is still {@link isUnreturned}. Need not be durable: a crash may bring the record back. */
  evict(cbtid: string): Promise<void>;
  /** @returns all records, also expired ones. */
  list(): Promise<readonly CookieRecord[]>;
  /** Flushes and releases everything. Afterwards all other calls reject. */
  close(): Promise<void>;
  /**
   * Only for stores that several processes may have open at the same time (ability `shared` of the contract suite). Tells which
   * cookies another process has deleted, so that their sessions here can end: soon, not at once, each at least once. Nothing
   * is thrown: a look that fails is logged and repeated.
   * @param here called only when somebody has written.
   * @param onGone called with one of these ids when its record was deleted, under this id or one that took its place.
   * @returns a function that ends the watch. `close` ends it as well.
   */
  watch?(here: Here, onGone: (cbtid: string) => void): () => void;
  /**
   * @returns how many records there are, without a look at each: expired ones count, and in a database what is kept of replaced
   *   and deleted ids.
   */
  entries?(): Promise<number>;
  /** Drops what no client can ask for any more. Only for stores where that makes room. */
  compact?(): Promise<Compaction>;
}

/**
 * Tells which cookies have an open connection. Never throws or rejects.
 * @param among the ids that are asked about, where the store knows them: no others need be told.
 * @returns their ids; a promise where another process has the connections.
 */
export type Here = (among?: readonly string[]) => readonly string[] | Promise<readonly string[]>;

/** How many lines (file) or values (database) a store had before and after it was compacted. */
export interface Compaction {
  readonly before: number;
  readonly after: number;
}

/**
 * How many forwards are followed to a record, and kept for it. An id is replaced once for each login, so this is plenty; a
 * damaged or hostile file may lead in a circle.
 */
export const MAX_FORWARDS = 16;
