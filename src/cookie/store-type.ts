/** What the file of each cookie store exports for the registry: its word in the config, and how to make one. */
import type { Logger } from '../log/logger.js';
import type { Histogram } from '../metrics/histogram.js';
import type { CookieStoreConfig } from './schema.js';
import type { CookieRecord, CookieStore } from './store.js';

/** The words that may stand in `store.type`. */
export type CookieStoreWord = CookieStoreConfig['type'];

/** The checked `store` section of one type. */
export type ConfigOf<W extends CookieStoreWord> = Extract<CookieStoreConfig, { readonly type: W }>;

/**
 * The key of a `store` section that says where the cookies are, and its value: `{ filename: '/srv/cookies.dat' }`. The first tells
 * two stores apart; all are shown in the summary.
 */
export type StorePlace = Readonly<Record<string, string>>;

/** What every store gets. */
export interface CookieStoreDeps {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: Logger;
  /** How long writing takes is counted here, in seconds; nowhere by default. */
  readonly syncs?: Histogram | undefined;
}

/** What is in a store. */
export interface Inspection {
  readonly records: readonly CookieRecord[];
  /** Lines (file) or values (database) that can be read. */
  readonly good: number;
  readonly damaged: number;
  /** Good lines that later lines have replaced, or of cookies that are gone. */
  readonly outdated: number;
}

/** A store for every word of the config. */
export type CookieStoreTypes = { readonly [W in CookieStoreWord]: CookieStoreType<W> };

/**
 * One type of store. To add one: a file that exports a `CookieStoreType`, a line in `registry.ts`, its variant in `schema.ts`, and
 * a call of `test/contract/cookie-store.ts`.
 */
export interface CookieStoreType<W extends CookieStoreWord> {
  /** The word for it in `store.type`. */
  readonly type: W;
  /** Makes a store. No side effects: `open` has them. */
  create(config: ConfigOf<W>, deps: CookieStoreDeps): CookieStore;
  /** Where the cookies are. A store without it is gone when the node stops. */
  place?(config: ConfigOf<W>): StorePlace;
  /** The files that only the node may read, beside those that {@link place} names; absolute. */
  privateFiles?(config: ConfigOf<W>): readonly string[];
  /**
   * Looks into the store without changing anything. Only for stores whose place is no path. Rejects with CookieStoreError.
   */
  census?(config: ConfigOf<W>, deps: CookieStoreDeps): Promise<Inspection>;
  /** For stores that several sections can name. Without it every section gets a store of its own. */
  readonly share?: {
    /** Sections with the same key share a store. Rejects with CookieStoreError when there can be no store. */
    key(config: ConfigOf<W>): Promise<string>;
    /** Lets one more section use an open store. Rejects with CookieStoreError when the section wants it otherwise. */
    join(store: CookieStore, config: ConfigOf<W>): Promise<void>;
  };
}
