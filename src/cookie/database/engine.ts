/**
 * The cookie database: LMDB, and how each request is done. Everything here is synchronous, down to the sync of the disk, so
 * it runs in a thread of its own (`../database-thread.ts`). Several processes of one machine may have the same database open:
 * LMDB lets one of them write at a time, and readers see the last commit.
 *
 * Each id has one value: the line that the cookie file would have for it (`file/line.ts`). A rotation is two values in one
 * transaction. A cookie that was logged out is a tombstone for a minute, so that the other processes learn of the logout.
 */
import { messageOf } from '../../system/error.js';
import { optionalPackage } from '../../system/optional-package.js';
import { withChange } from '../record-copy.js';
import { DatabaseFiles, DatabaseLost } from './files.js';
import { isOldTombstone, isTombstone, tombstone } from './tombstone.js';
import { isExpired } from '../expiry.js';
import { forwardLine, liveLine, parseLine } from '../file/line.js';
import { forwardTo, leadsToRecord } from '../forwards.js';
import { isReading } from './reading.js';
import { giveSignal } from './signal.js';
import { pagesOf } from './pages.js';
import type { TreeStats } from './pages.js';
import { CookieStoreError } from '../error.js';
import { isForward, isUnreturned, MAX_FORWARDS } from '../store.js';
import type { CookieChange, CookieEntry, CookieRecord } from '../store.js';
import type { open, RootDatabase } from 'lmdb';

/** How a database is kept. Plain data: it crosses threads. */
export interface DatabaseOptions {
  /** A directory, absolute. */
  readonly path: string;
  /** How large the database may grow, in bytes. */
  readonly maxsize: number;
  readonly readonly: boolean;
  /** Whether every commit is synced to the disk. */
  readonly sync: boolean;
  /** Whether to start with an empty database. */
  readonly purge: boolean;
}

/** What can be asked. Plain data: it crosses threads. */
export type DatabaseRequest =
  | { readonly do: 'get'; readonly cbtid: string }
  | { readonly do: 'list' }
  | { readonly do: 'create'; readonly record: CookieRecord }
  | { readonly do: 'update'; readonly cbtid: string; readonly change: CookieChange }
  | {
      readonly do: 'rotate';
      readonly cbtid: string;
      readonly successor: string;
      readonly rotated: string;
      readonly returned: boolean;
    }
  | { readonly do: 'delete'; readonly cbtid: string; readonly isTold: boolean }
  /** Whether another process may have written since this was asked last. */
  | { readonly do: 'changed' }
  /** Which of these cookies were logged out a moment ago, by any process. */
  | { readonly do: 'gone'; readonly cbtids: readonly string[] }
  | { readonly do: 'unreturned' }
  | { readonly do: 'evict'; readonly cbtid: string }
  | { readonly do: 'purge' }
  | { readonly do: 'count' }
  /** How many values there are, without a look at each. */
  | { readonly do: 'entries' };

/** What a request resolves to. */
export type DatabaseValue =
  CookieEntry | readonly CookieRecord[] | readonly string[] | DatabaseCount | boolean | number | undefined;

/** What becomes a value or a CookieStoreError in `store.ts`. */
export type DatabaseAnswer =
  | { readonly value: DatabaseValue }
  /** The request cannot be granted. */
  | { readonly refused: string }
  /** The system failed; nothing was changed. */
  | { readonly failed: string };

/** What is in a database. */
export interface DatabaseCount {
  readonly values: number;
  /** How many of them cannot be read. */
  readonly damaged: number;
}

/** How many values are looked at with every new id. Expired ones are removed, so a backlog shrinks. */
const SWEPT_PER_NEW = 4;
/**
 * The part of `maxsize` that is kept free, because LMDB writes changed pages anew before it frees the old ones. At most
 * {@link MAX_RESERVE_BYTES}, at least {@link MIN_RESERVE_PAGES}.
 */
const RESERVED_PART = 0.25;
const MIN_RESERVE_PAGES = 12;
const MAX_RESERVE_BYTES = 1024 * 1024;

type Lmdb = RootDatabase<string, string>;

export class DatabaseEngine {
  readonly #db: Lmdb;
  readonly #files: DatabaseFiles;
  readonly #options: DatabaseOptions;
  readonly #clock: () => number;
  // where the last sweep ended
  #swept = '';
  // the number of the last transaction if only this process has written; undefined until it is asked for
  #expectedTransaction: number | undefined;
  #writes = 0;
  // as of the last transaction
  #hasRoom = true;
  // it has logged somebody out
  #isToldOwed = false;

  private constructor(db: Lmdb, options: DatabaseOptions, clock: () => number) {
    this.#db = db;
    this.#files = new DatabaseFiles(options.path);
    this.#options = options;
    this.#clock = clock;
  }

  /** @throws CookieStoreError when the package is missing; whatever LMDB throws when it cannot be opened. */
  static async open(options: DatabaseOptions, clock: () => number): Promise<DatabaseEngine> {
    const db: Lmdb = (await lmdb()).open({
      path: options.path,
      encoding: 'string',
      noSubdir: false, // also when the name of the directory has a dot in it
      overlappingSync: false, // a commit that has returned is on the disk
      noSync: !options.sync,
      readOnly: options.readonly,
      permissionsMode: 0o600,
    } as Parameters<typeof open>[0]);
    if (options.purge) db.clearSync();
    return new DatabaseEngine(db, options, clock);
  }

  /**
   * Answers in the order of the requests. All writes are one transaction: when it fails, none of them has happened.
   * @throws DatabaseLost when the files are not those of the database any more. Then it can only be closed.
   */
  run(requests: readonly DatabaseRequest[]): DatabaseAnswer[] {
    this.#files.check();
    this.#db.resetReadTxn(); // another process may have written
    if (requests.every(isReading)) return requests.map((request) => this.#answer(request));
    if (this.#options.readonly) {
      const refused = 'the cookie database is read-only';
      return requests.map((request) => (isReading(request) ? this.#answer(request) : { refused }));
    }
    try {
      const before = this.#writes;
      const answers = this.#db.transactionSync(() => this.#runAll(requests));
      if (this.#isToldOwed) giveSignal(this.#options.path);
      if (this.#writes > before && this.#expectedTransaction !== undefined) this.#expectedTransaction += 1;
      // No client has been told yet.
      this.#files.check();
      return answers;
    } catch (error) {
      if (error instanceof DatabaseLost) throw error;
      const failed = messageOf(error);
      return requests.map((request) => (isReading(request) ? this.#answer(request) : { failed }));
    }
  }

  async close(): Promise<void> {
    await this.#db.close();
  }

  #runAll(requests: readonly DatabaseRequest[]): DatabaseAnswer[] {
    this.#hasRoom = !this.#isFull();
    this.#isToldOwed = false;
    const answers = requests.map((request) => {
      // A full database still takes deletions, which make room.
      if (!this.#hasRoom && isGrowing(request))
        return { refused: `the cookie database is full (${this.#options.maxsize} bytes)` };
      return this.#answer(request);
    });
    this.#sweep(SWEPT_PER_NEW * requests.filter(({ do: what }) => what === 'create' || what === 'rotate').length);
    return answers;
  }

  /** Refusals are answers; anything else that is thrown ends the transaction. */
  #answer(request: DatabaseRequest): DatabaseAnswer {
    try {
      return { value: this.#do(request) };
    } catch (error) {
      if (error instanceof CookieStoreError) return { refused: error.message };
      throw error;
    }
  }

  #do(request: DatabaseRequest): DatabaseValue {
    switch (request.do) {
      case 'get':
        return this.#at(request.cbtid);
      case 'list':
        return [...this.#records()];
      case 'create':
        this.#mustBeFree(request.record.cbtid);
        this.#put(request.record);
        return undefined;
      case 'update':
        return this.#update(request.cbtid, request.change);
      case 'rotate':
        return this.#rotate(request);
      case 'delete':
        return this.#delete(request.cbtid, request.isTold);
      case 'changed':
        return this.#isChanged();
      case 'gone':
        return request.cbtids.filter((cbtid) => this.#isGone(cbtid));
      case 'unreturned':
        return this.#unreturned();
      case 'evict':
        this.#evict(request.cbtid);
        return undefined;
      case 'purge':
        this.#purge();
        return undefined;
      case 'count':
        return this.#count();
      case 'entries':
        return (this.#db.getStats() as { entryCount: number }).entryCount;
    }
  }

  #update(cbtid: string, change: CookieChange): CookieRecord {
    const record = this.#known(cbtid);
    const changed = withChange(record, change);
    if (changed !== record) this.#put(changed);
    return changed;
  }

  #rotate({ cbtid, successor, rotated, returned }: Extract<DatabaseRequest, { do: 'rotate' }>): CookieRecord {
    const moved = { ...this.#known(cbtid), cbtid: successor, rotated, returned: false };
    this.#mustBeFree(successor);
    this.#put(moved);
    this.#write(cbtid, forwardLine(forwardTo(moved, cbtid, returned)).trimEnd());
    return moved;
  }

  #delete(cbtid: string, isTold: boolean): CookieEntry | undefined {
    if (!isKey(cbtid)) return undefined;
    const value = this.#db.get(cbtid);
    const entry = entryOf(value);
    // In a full database a deletion makes room instead, and other processes are not told.
    if (entry !== undefined && isTold && this.#hasRoom) {
      this.#write(cbtid, tombstone(this.#clock()));
      this.#isToldOwed = true;
    }
    // Also removes what cannot be read. A tombstone stays, because others may not have seen it yet.
    else if (value !== undefined && !isTombstone(value)) this.#remove(cbtid);
    return entry;
  }

  /**
   * LMDB counts transactions, and the processes that have the database open share the count. So nothing has to be read as long
   * as only this process writes.
   */
  #isChanged(): boolean {
    const { lastTxnId } = this.#db.getStats() as { lastTxnId: number };
    if (lastTxnId === this.#expectedTransaction) return false;
    this.#expectedTransaction = lastTxnId;
    return true;
  }

  #isGone(cbtid: string): boolean {
    let id = cbtid;
    for (let steps = 0; steps <= MAX_FORWARDS; steps += 1) {
      const value = this.#db.get(id);
      if (value === undefined) return false;
      if (isTombstone(value)) return true;
      // Most values are records, which need not be parsed here.
      const entry = value.includes('"moved_to"') ? entryOf(value) : undefined;
      if (entry === undefined || !isForward(entry)) return false;
      id = entry.moved_to;
    }
    return false;
  }

  #write(cbtid: string, value: string): void {
    this.#writes += 1;
    this.#db.putSync(cbtid, value);
  }

  #remove(cbtid: string): void {
    this.#writes += 1;
    this.#db.removeSync(cbtid);
  }

  #unreturned(): string[] {
    const found: { cbtid: string; created: string }[] = [];
    for (const record of this.#records()) if (isUnreturned(record)) found.push(record);
    return found.sort((a, b) => (a.created < b.created ? -1 : 1)).map(({ cbtid }) => cbtid);
  }

  #evict(cbtid: string): void {
    const entry = this.#at(cbtid);
    if (entry !== undefined && !isForward(entry) && isUnreturned(entry)) this.#remove(cbtid);
  }

  #put(record: CookieRecord): void {
    this.#write(record.cbtid, liveLine(record).trimEnd());
  }

  readonly #at = (cbtid: string): CookieEntry | undefined => (isKey(cbtid) ? entryOf(this.#db.get(cbtid)) : undefined);

  #known(cbtid: string): CookieRecord {
    const entry = this.#at(cbtid);
    if (entry === undefined || isForward(entry)) throw new CookieStoreError('this cookie is not known');
    return entry;
  }

  #mustBeFree(cbtid: string): void {
    if (!isKey(cbtid)) throw new CookieStoreError('this cookie id cannot be stored');
    if (this.#db.doesExist(cbtid)) throw new CookieStoreError('this cookie id is taken');
  }

  *#records(): Generator<CookieRecord> {
    for (const { value } of this.#db.getRange()) {
      const entry = entryOf(value);
      if (entry !== undefined && !isForward(entry)) yield entry;
    }
  }

  #isFull(): boolean {
    const stats = this.#db.getStats() as { pageSize: number; root: TreeStats; free: TreeStats };
    const bytes = (pagesOf(stats.root) + pagesOf(stats.free)) * stats.pageSize;
    const { maxsize } = this.#options;
    const part = Math.max(maxsize * RESERVED_PART, MIN_RESERVE_PAGES * stats.pageSize);
    return bytes > maxsize - Math.min(part, MAX_RESERVE_BYTES);
  }

  /** Removes old values. Looks at the next few with each call. */
  #sweep(count: number): void {
    if (count === 0) return;
    const some = [...this.#db.getRange({ start: this.#swept, limit: count })];
    this.#swept = some.length < count ? '' : `${some.at(-1)?.key ?? ''}\u0000`;
    this.#removeOld(some);
  }

  #purge(): void {
    this.#removeOld([...this.#db.getRange()]);
  }

  #count(): DatabaseCount {
    let [values, damaged] = [0, 0];
    for (const { value } of this.#db.getRange()) {
      if (isTombstone(value)) continue;
      values += 1;
      if (entryOf(value) === undefined) damaged += 1;
    }
    return { values, damaged };
  }

  #removeOld(values: readonly { readonly key: string; readonly value: string }[]): void {
    const now = this.#clock();
    for (const { key, value } of values) {
      const entry = entryOf(value);
      // A damaged value stays, for `crossbar-ts cookies verify`.
      const isOld =
        entry === undefined
          ? isOldTombstone(value, now)
          : isForward(entry)
            ? !leadsToRecord(entry, this.#at)
            : isExpired(entry, now);
      if (isOld) this.#remove(key);
    }
  }
}

/** In UTF-16 units of three bytes at most. LMDB takes keys of 1978 bytes. */
const MAX_KEY_CHARACTERS = 600;

/** @returns whether LMDB can have it as a key. */
function isKey(cbtid: string): boolean {
  return cbtid !== '' && cbtid.length <= MAX_KEY_CHARACTERS;
}

/** @returns whether a request needs room, and is refused by a full database. Logouts and notes of visits never are. */
function isGrowing(request: DatabaseRequest): boolean {
  if (request.do === 'update') return 'auth' in request.change && request.change.auth !== null;
  return request.do === 'create' || request.do === 'rotate';
}

/** @returns the entry in a value; undefined when there is none, or none that can be read. */
function entryOf(value: string | undefined): CookieEntry | undefined {
  if (value === undefined || isTombstone(value)) return undefined;
  const entry = parseLine(value);
  if (entry?.record !== undefined) return entry.record;
  return entry?.forward;
}

/** Loads the package only where a config asks for it: it is optional, because it has a native part. */
export async function lmdb(): Promise<{ readonly open: typeof open }> {
  try {
    return await optionalPackage('lmdb', 'a store of type "database"', () => import('lmdb'));
  } catch (cause) {
    throw new CookieStoreError(messageOf(cause), { cause });
  }
}
