/** How the registry sees an implementation of a cookie store: what every store's file exports one of. */
import type { Logger } from '../log/logger.js';
import type { CookieStoreConfig } from './schema.js';
import type { CookieStore } from './store.js';

/** The words that may stand in `store.type`. */
export type CookieStoreWord = CookieStoreConfig['type'];

/** The checked `store` section of one type. */
export type ConfigOf<W extends CookieStoreWord> = Extract<CookieStoreConfig, { readonly type: W }>;

/** A key of a `store` section and its value, such as `{ filename: '/srv/cookies.dat' }`: it tells two stores apart, and is shown. */
export type StorePlace = Readonly<Record<string, string>>;

export interface CookieStoreDeps {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: Logger;
}

/** One implementation as the registry knows it. */
export interface CookieStoreType<W extends CookieStoreWord> {
  readonly type: W;
  /** Makes a store without touching anything yet. */
  create(config: ConfigOf<W>, deps: CookieStoreDeps): CookieStore;
  /** Where the cookies are: the key of the section that says so, and what it says. Without it the store is gone with the node. */
  place?(config: ConfigOf<W>): StorePlace;
  /** For stores that several sections can mean; without it every section gets a store of its own. */
  readonly share?: {
    /** Sections with the same key share a store. */
    key(config: ConfigOf<W>): Promise<string>;
    /** Lets one more section use an open store. */
    join(store: CookieStore, config: ConfigOf<W>): Promise<void>;
  };
}
