/**
 * Managing cookies: which browsers could come back, logging them out, compacting stores and filling them. Cookies are named
 * by their digests; no id leaves this file.
 *
 *     ManagedCookies     the cookies of some stores. The procedures `crossbar.cookie.*` ask those of their worker.
 *     CookieManagement   what commands can do with the stores of a node, which they name by numbers.
 *     StoreManagement    the same, done in this process: by a running node for those who ask through its control socket, and
 *                        by a command itself when the node is stopped (`managed-stores.ts`).
 */
import { messageOf } from '../system/error.js';
import { cookieDigest } from './digest.js';
import { takeCensus, unexpired } from './inspect.js';
import { CookieStoreError } from './error.js';
import { inSlices } from './slices.js';
import { auditOf } from '../log/audit.js';
import type { Logger } from '../log/logger.js';
import type { Inspection } from './store-type.js';
import type { LiveCookies } from './live/live-cookies.js';
import type { Compaction, CookieRecord } from './store.js';

/** A cookie as it is shown. */
export interface CookieSummary {
  readonly digest: string;
  /** UTC, ISO 8601 with milliseconds and `Z`; {@link expires} if nobody uses it until then. */
  readonly created: string;
  readonly expires: string;
  /** The login that it remembers; all four are null without one. */
  readonly authid: string | null;
  readonly authrole: string | null;
  readonly authmethod: string | null;
  readonly authrealm: string | null;
  /** The ids of the sessions that live under it. */
  readonly sessions: readonly number[];
}

/** Which cookies are meant: those with a login of a user, those with a digest, or without either all. */
export interface CookieSelection {
  readonly authid?: string | undefined;
  readonly digest?: string | undefined;
}

/** Which part of a list is wanted. */
export interface CookiePage {
  readonly limit: number;
  readonly offset: number;
}

/** A cookie and the number of its store. */
export interface ListedCookie extends CookieSummary {
  readonly store: number;
}

/** A store after `compact`; without counts where there was nothing to compact. */
export interface CompactedStore extends Partial<Compaction> {
  readonly store: number;
  /** Its type and where it is. */
  readonly place: string;
}

/** How an import went, in cookies. */
export interface ImportReport {
  readonly imported: number;
  /** Their ids are known, or were once. */
  readonly known: number;
  readonly expired: number;
  /** Lines or values that could not be read. */
  readonly damaged: number;
}

/** Who waits for an import. */
export interface ImportWatch {
  /** Ends the import. */
  readonly signal: AbortSignal;
  /** Called now and then; the import goes on when it resolves. */
  readonly onProgress: () => Promise<void>;
}

/**
 * What commands can do with the cookies of a node. Stores are counted from 1, in the order of the config; without a number all
 * are meant. All methods reject when a store fails or there is none of this number; the message is for the operator.
 */
export interface CookieManagement {
  list(store: number | undefined, onCookie: (cookie: ListedCookie) => Promise<void> | void): Promise<void>;
  /** Logs browsers out: their cookies are forgotten, their sessions end. @returns how many cookies that were. */
  revoke(selection: CookieSelection, store?: number): Promise<number>;
  compact(store?: number): Promise<readonly CompactedStore[]>;
  /**
   * @param from a cookie file of ours or of Crossbar.io, or the directory of a database.
   * @param store must be given where there are several.
   * @param watch for a caller who may go away. What was imported by then stays.
   */
  import(from: string, store?: number, watch?: ImportWatch): Promise<ImportReport>;
}

/** A store that is open in this process. */
export interface ManagedStore {
  readonly number: number;
  /** Its type and where it is. */
  readonly place: string;
  readonly liveCookies: LiveCookies;
}

const ALL: CookiePage = { limit: Infinity, offset: 0 };

interface Found {
  readonly record: CookieRecord;
  readonly liveCookies: LiveCookies;
}

/** The cookies of any number of stores, which may be added at any time. All methods reject with CookieStoreError. */
export class ManagedCookies {
  readonly #stores: Set<LiveCookies>;

  constructor(...stores: readonly LiveCookies[]) {
    this.#stores = new Set(stores);
  }

  /** The stores. */
  get stores(): readonly LiveCookies[] {
    return [...this.#stores];
  }

  /** Cookies of one more store. One that is there already is no other. */
  add(liveCookies: LiveCookies): void {
    this.#stores.add(liveCookies);
  }

  async count(selection: CookieSelection): Promise<number> {
    return (await this.#select(selection)).length;
  }

  /** A part of {@link list}, and how many there are in all, by one look. */
  async page(
    selection: CookieSelection,
    { limit, offset }: CookiePage,
  ): Promise<{ readonly entries: readonly CookieSummary[]; readonly total: number }> {
    const selected = await this.#select(selection);
    return { entries: await summariesOf(selected.slice(offset, offset + limit)), total: selected.length };
  }

  /** In no particular order, but in the same one as long as nothing changes. */
  async list(selection: CookieSelection = {}, { limit, offset } = ALL): Promise<CookieSummary[]> {
    const selected = await this.#select(selection);
    return summariesOf(offset === 0 && limit === Infinity ? selected : selected.slice(offset, offset + limit));
  }

  /** @returns undefined when no cookie has this digest. */
  async get(digest: string): Promise<CookieSummary | undefined> {
    const [found] = await this.#select({ digest });
    return found && summaryOf(found);
  }

  /** Logs browsers out. Rejects with the first failure when all have been tried. @returns how many cookies that were. */
  async revoke(selection: CookieSelection): Promise<number> {
    const logouts: Promise<boolean>[] = [];
    await inSlices(await this.#select(selection), ({ record, liveCookies }) => {
      const logout = liveCookies.logOut(record.cbtid);
      // It may fail before all are waited for, which tells of it.
      logout.catch(() => undefined);
      logouts.push(logout);
    });
    return countOf(await Promise.allSettled(logouts));
  }

  /** Of one store after the other, so that others have their turn after each slice. */
  async #select({ authid, digest }: CookieSelection): Promise<readonly Found[]> {
    const selected: Found[] = [];
    for (const liveCookies of [...this.#stores]) {
      await inSlices(await liveCookies.list(), (record) => {
        if (authid !== undefined && record.auth?.authid !== authid) return;
        if (digest === undefined || cookieDigest(record.cbtid) === digest) selected.push({ record, liveCookies });
      });
    }
    return selected;
  }
}

async function summariesOf(selected: readonly Found[]): Promise<CookieSummary[]> {
  const summaries: CookieSummary[] = [];
  await inSlices(selected, (found) => {
    summaries.push(summaryOf(found));
  });
  return summaries;
}

function summaryOf({ record, liveCookies }: Found): CookieSummary {
  const { authid = null, authrole = null, authmethod = null, authrealm = null } = record.auth ?? {};
  return {
    digest: cookieDigest(record.cbtid),
    created: record.created,
    expires: new Date(liveCookies.expiryOf(record)).toISOString(),
    authid,
    authrole,
    authmethod,
    authrealm,
    sessions: liveCookies.sessionsOf(record.cbtid).map(({ id }) => id),
  };
}

/** Some two million cookies. What is larger, or looks otherwise, was not meant. */
const IMPORT_BOUNDS = {
  file: 1024 * 1024 * 1024,
  within: { line: 16 * 1024 * 1024, damaged: 16 * 1024 * 1024 },
};
/** A file is read in pieces of 64 KiB; after so many it is said that it goes on. */
const PIECES = 256;

/** Cookies are imported so many at a time: one sync of the disk for all of them. */
const IMPORT_BATCH = 1000;

/** Manages stores that are open in this process. */
export class StoreManagement implements CookieManagement {
  readonly #stores: () => Promise<readonly ManagedStore[]>;
  readonly #log: Logger;

  /** @param stores asked for each time: stores of a running node may be opened later. */
  constructor(stores: () => Promise<readonly ManagedStore[]>, log: Logger) {
    this.#stores = stores;
    this.#log = log;
  }

  async list(store: number | undefined, onCookie: (cookie: ListedCookie) => Promise<void> | void): Promise<void> {
    for (const { number, liveCookies } of await this.#select(store)) {
      const cookies = await new ManagedCookies(liveCookies).list();
      for (const cookie of cookies) await onCookie({ store: number, ...cookie });
    }
  }

  async revoke(selection: CookieSelection, store?: number): Promise<number> {
    let revoked = 0;
    for (const { place, liveCookies } of await this.#select(store)) {
      const count = await new ManagedCookies(liveCookies).revoke(selection);
      if (count > 0) {
        this.#log.info({ store: place, cookies: count }, 'cookies revoked');
        auditOf(this.#log)?.record({ event: 'cookie revoked', actor: 'operator', about: { store: place, count } });
      }
      revoked += count;
    }
    return revoked;
  }

  async compact(store?: number): Promise<readonly CompactedStore[]> {
    const compacted: CompactedStore[] = [];
    for (const { number, place, liveCookies } of await this.#select(store)) {
      compacted.push({ store: number, place, ...(await liveCookies.compact()) });
    }
    return compacted;
  }

  async import(from: string, store?: number, watch?: ImportWatch): Promise<ImportReport> {
    const target = await this.#target(store);
    const { records, damaged } = await this.#read(from, watch);
    const alive = unexpired(records, Date.now());
    let imported = 0;
    try {
      for (let start = 0; start < alive.length; start += IMPORT_BATCH) {
        await goOn(watch);
        imported += await importInto(target.liveCookies, alive.slice(start, start + IMPORT_BATCH));
      }
    } finally {
      if (imported > 0) this.#log.info({ store: target.place, cookies: imported }, 'cookies imported');
    }
    return { imported, known: alive.length - imported, expired: records.length - alive.length, damaged };
  }

  async #read(from: string, watch: ImportWatch | undefined): Promise<Inspection> {
    let pieces = 0;
    const onPiece = async (): Promise<void> => {
      if (pieces++ % PIECES === 0) await goOn(watch);
    };
    try {
      return await takeCensus(from, this.#log, { ...IMPORT_BOUNDS, onPiece });
    } catch (cause) {
      throw new CookieStoreError(`the cookies in ${from} cannot be read: ${messageOf(cause)}`, { cause });
    }
  }

  async #select(number: number | undefined): Promise<readonly ManagedStore[]> {
    const stores = await this.#stores();
    if (number === undefined) return stores;
    const found = stores.find((store) => store.number === number);
    if (found === undefined) throw unknownStore(number, stores);
    return [found];
  }

  async #target(number: number | undefined): Promise<ManagedStore> {
    const stores = await this.#select(number);
    const [store, another] = stores;
    if (store === undefined) throw unknownStore(1, stores);
    if (another !== undefined) {
      throw new CookieStoreError(`into which store? Say --to with a number: ${shown(stores)}`);
    }
    return store;
  }
}

/** @returns how many were new. Rejects with the first failure when all have been tried. */
async function importInto(liveCookies: LiveCookies, records: readonly CookieRecord[]): Promise<number> {
  return countOf(await Promise.allSettled(records.map((record) => liveCookies.adopt(record))));
}

/** @returns how many are true. @throws the first failure. */
function countOf(results: readonly PromiseSettledResult<boolean>[]): number {
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  return results.filter((result) => result.status === 'fulfilled' && result.value).length;
}

function unknownStore(number: number, stores: readonly ManagedStore[]): CookieStoreError {
  const there = stores.length === 0 ? 'the node keeps no cookies that outlive it' : `there are ${shown(stores)}`;
  return new CookieStoreError(`there is no cookie store ${number}: ${there}`);
}

function shown(stores: readonly ManagedStore[]): string {
  return stores.map(({ number, place }) => `${number} (${place})`).join(', ');
}

/** @throws CookieStoreError when nobody waits any more. */
async function goOn(watch: ImportWatch | undefined): Promise<void> {
  if (watch === undefined) return;
  await watch.onProgress();
  if (watch.signal.aborted) throw new CookieStoreError('given up, because nobody waits for it any more');
}
