/**
 * What the owner of a node may do with its cookies: see them, log browsers out, compact and fill the stores. The same for
 * a stopped node, whose stores are opened for it (`cookie-stores.ts`), and for a running one, which does it when it is
 * asked through its control socket (`cookie-control.ts`). Cookies are named by their digests; no id leaves this file.
 */
import { takeCensus, unexpired } from '../cookie/inspect.js';
import { cookieDigest } from '../cookie/digest.js';
import { CookieDirectory } from '../cookie/directory.js';
import type { CookieSummary } from '../cookie/directory.js';
import type { Compaction, CookieRecord } from '../cookie/store.js';
import type { LiveCookies } from '../cookie/live/live-cookies.js';
import type { Logger } from '../log/logger.js';
import { NodeError } from './error.js';
import { messageOf } from '../system/error.js';

/** A cookie and the number of its store. */
export interface ListedCookie extends CookieSummary {
  readonly store: number;
}

/** Which cookies are meant: those of a user, a single one, or without either all. */
export interface CookieSelection {
  readonly authid?: string | undefined;
  readonly digest?: string | undefined;
}

export interface CompactedStore extends Partial<Compaction> {
  readonly store: number;
  /** Its type and where it is. */
  readonly place: string;
}

/** What became of the cookies of another store. */
export interface ImportReport {
  readonly imported: number;
  /** Their ids are known, or were once. */
  readonly known: number;
  readonly expired: number;
  /** Lines or values that could not be read. */
  readonly damaged: number;
}

/** Who waits for something that takes its time. */
export interface Watch {
  /** Ends the work. */
  readonly signal: AbortSignal;
  readonly onProgress: () => Promise<void>;
}

/** All methods reject with NodeError. Stores are counted from 1, in the order of the config; without a number all. */
export interface CookieAdministration {
  list(store: number | undefined, onCookie: (cookie: ListedCookie) => Promise<void> | void): Promise<void>;
  /** Logs browsers out: their cookies are forgotten, their sessions end. @returns how many cookies that were. */
  revoke(selection: CookieSelection, store?: number): Promise<number>;
  compact(store?: number): Promise<readonly CompactedStore[]>;
  /**
   * @param from a cookie file of ours or of Crossbar.io, or the directory of a database.
   * @param store if there are several.
   * @param watch of those who may go away. What was imported by then stays.
   */
  import(from: string, store?: number, watch?: Watch): Promise<ImportReport>;
}

/** A store that is open here. */
export interface AdministeredStore {
  readonly number: number;
  /** Its type and where it is. */
  readonly place: string;
  readonly liveCookies: LiveCookies;
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

/** Administers stores that are open in this process. */
export class LocalAdministration implements CookieAdministration {
  readonly #stores: () => Promise<readonly AdministeredStore[]>;
  readonly #log: Logger;

  constructor(stores: () => Promise<readonly AdministeredStore[]>, log: Logger) {
    this.#stores = stores;
    this.#log = log;
  }

  async list(store: number | undefined, onCookie: (cookie: ListedCookie) => Promise<void> | void): Promise<void> {
    for (const { number, liveCookies } of await this.#select(store)) {
      const directory = new CookieDirectory();
      directory.add(liveCookies);
      const cookies = await told(directory.list({ limit: Infinity, offset: 0 }));
      for (const cookie of cookies) await onCookie({ store: number, ...cookie });
    }
  }

  async revoke({ authid, digest }: CookieSelection, store?: number): Promise<number> {
    const isMeant = ({ cbtid, auth }: CookieRecord): boolean =>
      (authid === undefined || auth?.authid === authid) && (digest === undefined || cookieDigest(cbtid) === digest);
    let revoked = 0;
    for (const { place, liveCookies } of await this.#select(store)) {
      const count = await told(revokeIn(liveCookies, isMeant));
      if (count > 0) this.#log.info({ store: place, cookies: count }, 'cookies revoked');
      revoked += count;
    }
    return revoked;
  }

  async compact(store?: number): Promise<readonly CompactedStore[]> {
    const compacted: CompactedStore[] = [];
    for (const { number, place, liveCookies } of await this.#select(store)) {
      compacted.push({ store: number, place, ...(await told(liveCookies.compact())) });
    }
    return compacted;
  }

  async import(from: string, store?: number, watch?: Watch): Promise<ImportReport> {
    const target = await this.#target(store);
    let pieces = 0;
    const onPiece = async (): Promise<void> => {
      if (pieces++ % PIECES === 0) await goOn(watch);
    };
    const inspection = takeCensus(from, this.#log, { ...IMPORT_BOUNDS, onPiece });
    const { records, damaged } = await told(inspection, `the cookies in ${from} cannot be read: `);
    const alive = unexpired(records, Date.now());
    let imported = 0;
    try {
      for (let start = 0; start < alive.length; start += IMPORT_BATCH) {
        await goOn(watch);
        imported += await told(importInto(target.liveCookies, alive.slice(start, start + IMPORT_BATCH)));
      }
    } finally {
      if (imported > 0) this.#log.info({ store: target.place, cookies: imported }, 'cookies imported');
    }
    return { imported, known: alive.length - imported, expired: records.length - alive.length, damaged };
  }

  async #select(number: number | undefined): Promise<readonly AdministeredStore[]> {
    const stores = await this.#stores();
    if (number === undefined) return stores;
    const found = stores.find((store) => store.number === number);
    if (found === undefined) throw unknownStore(number, stores);
    return [found];
  }

  async #target(number: number | undefined): Promise<AdministeredStore> {
    const stores = await this.#select(number);
    const [store, another] = stores;
    if (store === undefined) throw unknownStore(1, stores);
    if (another !== undefined) {
      throw new NodeError('ERR_NODE_COOKIES', `into which store? Say --to with a number: ${shown(stores)}`);
    }
    return store;
  }
}

/** Logs out whoever is meant. Rejects with the first failure when all have been tried. */
async function revokeIn(liveCookies: LiveCookies, isMeant: (record: CookieRecord) => boolean): Promise<number> {
  const meant = (await liveCookies.list()).filter(isMeant);
  const results = await Promise.allSettled(meant.map(({ cbtid }) => liveCookies.logOut(cbtid)));
  return counted(results, (wasThere) => wasThere);
}

/** @returns how many were new. Rejects with the first failure when all have been tried. */
async function importInto(liveCookies: LiveCookies, records: readonly CookieRecord[]): Promise<number> {
  const results = await Promise.allSettled(records.map((record) => liveCookies.adopt(record)));
  return counted(results, (isNew) => isNew);
}

function counted<T>(results: readonly PromiseSettledResult<T>[], isCounted: (value: T) => boolean): number {
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  return results.filter((result) => result.status === 'fulfilled' && isCounted(result.value)).length;
}

function unknownStore(number: number, stores: readonly AdministeredStore[]): NodeError {
  const there = stores.length === 0 ? 'the node keeps no cookies on a disk' : `there are ${shown(stores)}`;
  return new NodeError('ERR_NODE_COOKIES', `there is no cookie store ${number}: ${there}`);
}

function shown(stores: readonly AdministeredStore[]): string {
  return stores.map(({ number, place }) => `${number} (${place})`).join(', ');
}

/** @throws NodeError when nobody waits any more. */
async function goOn(watch: Watch | undefined): Promise<void> {
  if (watch === undefined) return;
  await watch.onProgress();
  if (watch.signal.aborted) throw new NodeError('ERR_NODE_COOKIES', 'given up, because nobody waits for it any more');
}

/** Failures of the stores are told in words, without a stack. */
async function told<T>(work: Promise<T>, introduction = ''): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new NodeError('ERR_NODE_COOKIES', `${introduction}${messageOf(cause)}`, { cause });
  }
}
