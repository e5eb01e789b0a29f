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

/** @returns the files and directories of a `store` section that are nobody else's business; absolute. */
export function privateFilesOf(config: CookieStoreConfig, types: CookieStoreTypes = COOKIE_STORES): readonly string[] {
  const type = typeOf(config, types);
  // A store with a census is elsewhere: its place is no file.
  const places = type.census === undefined ? Object.values(placeOf(config, types)) : [];
  return [...places, ...(type.privateFiles?.(config) ?? [])];
}

/** @returns what is behind the word of a section. */
export function typeOf<W extends CookieStoreWord>(
  { type }: { readonly type: W },
  types: CookieStoreTypes,
): CookieStoreType<W> {
  return types[type];
}
