/**
 * All cookie stores of a node. Sections that name the same file or directory share a store, also when their paths differ:
 * two stores on one file would overwrite each other's changes.
 */
import { COOKIE_STORES, placeText } from './registry.js';
import { LiveCookies } from './live/live-cookies.js';
import { CountedStore } from './live/counted-store.js';
import { CookieCounts } from '../metrics/cookie-counts.js';
import { differencesOf, rulesOf } from './rules.js';
import { CookieStoreError } from './error.js';
import type { CookieConfig, CookieStoreConfig } from './schema.js';
import type { CookieStoreDeps, CookieStoreType, CookieStoreTypes, CookieStoreWord } from './store-type.js';
import type { CookieStore } from './store.js';

/** An open store, and the live cookies in front of it. */
export interface OpenedStore {
  /** Of the section that asked first. */
  readonly config: CookieStoreConfig;
  readonly liveCookies: LiveCookies;
}

/** What the stores of a node are made with. */
export interface CookieStoresDeps extends Pick<CookieStoreDeps, 'clock' | 'log'> {
  /** @returns the counts of the store of this name; by default nobody looks at them. */
  readonly countsOf?: (store: string) => CookieCounts;
}

/** Opens the cookie stores of a node when a section asks for them, and closes them all at the end. */
export class CookieStores {
  readonly #deps: CookieStoresDeps;
  /** What sections may ask for. */
  readonly types: CookieStoreTypes;
  // `type` and key of `share` -> store that is open or opening
  readonly #shared = new Map<string, Promise<CookieStore>>();
  // part of a section -> its store, which no other section can mean: a section that changes while the node runs keeps this part
  readonly #single = new Map<CookieStoreConfig, Promise<CookieStore>>();
  readonly #configs = new Map<Promise<CookieStore>, CookieStoreConfig>();
  readonly #liveCookies = new Map<CookieStore, LiveCookies>();

  /** @param types what sections may ask for. */
  constructor(deps: CookieStoresDeps, types: CookieStoreTypes = COOKIE_STORES) {
    this.#deps = deps;
    this.types = types;
  }

  /**
   * @returns the open store of a section.
   * @throws CookieStoreError (rejects) when it cannot be opened; a later call tries again.
   */
  async acquire(config: CookieStoreConfig): Promise<CookieStore> {
    const { share, type } = this.#typeOf(config);
    if (share === undefined) return this.#acquireSingle(config);
    const key = `${type} ${await share.key(config)}`;
    // There is no `await` between here and `set`: the second of two callers finds what the first one began.
    const known = this.#shared.get(key);
    if (known !== undefined) {
      const store = await known;
      await share.join(store, config);
      return store;
    }
    const opening = this.#open(config);
    this.#configs.set(opening, config);
    this.#shared.set(key, opening);
    try {
      return await opening;
    } catch (error) {
      this.#configs.delete(opening);
      this.#shared.delete(key);
      throw error;
    }
  }

  #acquireSingle(config: CookieStoreConfig): Promise<CookieStore> {
    const opening = this.#single.get(config) ?? this.#open(config);
    this.#configs.set(opening, config);
    this.#single.set(config, opening);
    return opening;
  }

  /**
   * Opens the store of a `cookie` section, if no section has asked for it yet.
   * @returns its live cookies: one object for all sections that share the store.
   * @throws CookieStoreError (rejects) when the store cannot be opened, or another section has other rules for its cookies.
   */
  async join(section: CookieConfig): Promise<LiveCookies> {
    return this.#liveCookiesOf(await this.acquire(section.store), section);
  }

  /** As {@link join}. @returns the open store itself, for other processes. */
  async storeOf(section: CookieConfig): Promise<CookieStore> {
    const store = await this.acquire(section.store);
    this.#liveCookiesOf(store, section);
    return store;
  }

  #liveCookiesOf(store: CookieStore, section: CookieConfig): LiveCookies {
    const rules = rulesOf(section);
    const known = this.#liveCookies.get(store);
    if (known === undefined) {
      const counted = new CountedStore(store, this.#countsOf(section.store));
      const liveCookies = new LiveCookies({ ...this.#deps, store: counted, rules });
      this.#liveCookies.set(store, liveCookies);
      return liveCookies;
    }
    // The config check has compared sections by path, but two paths may lead to one file.
    const differences = differencesOf(known.rules, rules);
    if (differences.length === 0) return known;
    const place = placeText(section.store, this.types);
    throw new CookieStoreError(`the cookie ${place} is configured twice, with different ${differences.join(', ')}`);
  }

  /** @returns every store that is open, in the order in which sections asked for them. */
  async opened(): Promise<readonly OpenedStore[]> {
    const opened: OpenedStore[] = [];
    for (const [opening, config] of this.#configs) {
      const store = await opening.catch(() => undefined);
      const liveCookies = store && this.#liveCookies.get(store);
      if (liveCookies !== undefined) opened.push({ config, liveCookies });
    }
    return opened;
  }

  /** Whether there are stores, and none of them takes new cookies, as far as is known. */
  get allFail(): boolean {
    const all = [...this.#liveCookies.values()];
    return all.length > 0 && all.every(({ isFailing }) => isFailing);
  }

  #typeOf<W extends CookieStoreWord>({ type }: { readonly type: W }): CookieStoreType<W> {
    return this.types[type];
  }

  #countsOf(config: CookieStoreConfig): CookieCounts {
    return this.#deps.countsOf?.(placeText(config, this.types)) ?? new CookieCounts();
  }

  async #open(config: CookieStoreConfig): Promise<CookieStore> {
    const counts = this.#countsOf(config);
    const store = this.#typeOf(config).create(config, { ...this.#deps, syncs: counts.syncs });
    await store.open();
    if (store.entries !== undefined) counts.size = () => sizeOf(store);
    return store;
  }

  /**
   * Closes every store, also when one of them fails. Idempotent.
   * @throws CookieStoreError (rejects) the first failure, when all have been tried.
   */
  async closeAll(): Promise<void> {
    const openings = [...this.#shared.values(), ...this.#single.values()];
    this.#shared.clear();
    this.#single.clear();
    this.#configs.clear();
    for (const liveCookies of this.#liveCookies.values()) liveCookies.close();
    this.#liveCookies.clear();
    const results = await Promise.allSettled(
      openings.map(async (opening) => {
        await (await opening).close();
      }),
    );
    const failure = results.find((result) => result.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
  }
}

/** @returns how many cookies a store has; undefined when it does not say, because it is closed or fails. */
async function sizeOf(store: CookieStore): Promise<number | undefined> {
  try {
    return await store.entries?.();
  } catch (error) {
    if (error instanceof CookieStoreError) return undefined;
    throw error;
  }
}
