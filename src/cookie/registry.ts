/** The cookie stores that a config can name. A new one is a file of its own and a line in the map below. */
import { databaseStore } from './database/store.js';
import { fileStore } from './file/store.js';
import { memoryStore } from './memory.js';
import type { CookieStoreConfig } from './schema.js';
import type { CookieStoreType, CookieStoreWord, StorePlace } from './store-type.js';

const storeTypes: { readonly [W in CookieStoreWord]: CookieStoreType<W> } = {
  database: databaseStore,
  file: fileStore,
  memory: memoryStore,
};

/** @returns the implementation that a section asks for. */
export function storeTypeOf<W extends CookieStoreWord>(config: { readonly type: W }): CookieStoreType<W> {
  return storeTypes[config.type];
}

/** @returns where the cookies of a `store` section are kept; empty for a store in memory. */
export function placeOf(config: CookieStoreConfig): StorePlace {
  return storeTypeOf(config).place?.(config) ?? {};
}

/** @returns the file, or the directory of the database; undefined for a store in memory. */
export function pathOf(config: CookieStoreConfig): string | undefined {
  return Object.values(placeOf(config))[0];
}

/** @returns the type of a store and where it is, such as `file /srv/cookies.dat`: for messages. */
export function placeText(config: CookieStoreConfig): string {
  const path = pathOf(config);
  return path === undefined ? config.type : `${config.type} ${path}`;
}
