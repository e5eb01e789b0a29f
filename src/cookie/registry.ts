/** The cookie stores that a config can name. A new one is a file of its own and a line in the map below. */
import { databaseStore } from './database/store.js';
import { fileStore } from './file/store.js';
import { memoryStore } from './memory.js';
import { natsStore } from './nats/type.js';
import type { CookieStoreConfig } from './schema.js';
import type { CookieStoreType, CookieStoreTypes, CookieStoreWord, StorePlace } from './store-type.js';

/** The stores that we ship. */
export const COOKIE_STORES: CookieStoreTypes = {
  database: databaseStore,
  file: fileStore,
  memory: memoryStore,
  nats: natsStore,
};

/** @returns where the cookies of a `store` section are kept; empty for a store in memory. */
export function placeOf(config: CookieStoreConfig, types: CookieStoreTypes = COOKIE_STORES): StorePlace {
  return typeOf(config, types).place?.(config) ?? {};
}

/** @returns the file, the directory of the database or the name of the bucket; undefined for a store in memory. */
export function pathOf(config: CookieStoreConfig, types: CookieStoreTypes = COOKIE_STORES): string | undefined {
  return Object.values(placeOf(config, types))[0];
}

/** @returns the type of a store and where it is, such as `file /srv/cookies.dat`: for messages. */
export function placeText(config: CookieStoreConfig, types: CookieStoreTypes = COOKIE_STORES): string {
  const path = pathOf(config, types);
  return path === undefined ? config.type : `${config.type} ${path}`;
}

/** @returns whether the cookies are kept elsewhere, so that {@link placeOf} tells of no file. */
export function isRemote({ type }: CookieStoreConfig, types: CookieStoreTypes = COOKIE_STORES): boolean {
  return types[type].census !== undefined;
}

/** @returns what is behind the word of a section. */
export function typeOf<W extends CookieStoreWord>(
  { type }: { readonly type: W },
  types: CookieStoreTypes,
): CookieStoreType<W> {
  return types[type];
}
