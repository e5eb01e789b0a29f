/**
 * The store types of a node that lends its stores, and those of a process that borrows them: `CookieStores` is the same on both sides, with one
 * `LiveCookies` for each store.
 */
import { CookieStoreError } from '../error.js';
import { typeOf } from '../registry.js';
import { BorrowedStore } from './borrowed-store.js';
import { lentKeyOf } from './keys.js';
import { WatchedStore } from './watched-store.js';
import type { CookieConfig, CookieStoreConfig } from '../schema.js';
import type { ConfigOf, CookieStoreType, CookieStoreTypes, CookieStoreWord } from '../store-type.js';
import type { CookieStore } from '../store.js';
import type { CookieStores } from '../stores.js';
import type { LentKeys } from './keys.js';
import type { Lender } from './lender.js';
import type { OwnerLink } from './owner-link.js';

/** @returns the types for the `CookieStores` of a node that lends: their stores can all be watched. */
export function lendableTypes(types: CookieStoreTypes): CookieStoreTypes {
  return eachType(types, lendable);
}

function lendable<W extends CookieStoreWord>(type: CookieStoreType<W>): CookieStoreType<W> {
  const { share } = type;
  const create: CookieStoreType<W>['create'] = (config, deps) => watched(type.create(config, deps));
  if (share === undefined) return { ...type, create };
  const key = (config: ConfigOf<W>): Promise<string> => share.key(config);
  const join = (store: CookieStore, config: ConfigOf<W>): Promise<void> => share.join(unwatched(store), config);
  return { ...type, create, share: { key, join } };
}

function watched(store: CookieStore): CookieStore {
  return store.watch === undefined ? new WatchedStore(store) : store;
}

function unwatched(store: CookieStore): CookieStore {
  return store instanceof WatchedStore ? store.inner : store;
}

/**
 * Opens the stores of `cookie` sections, and lends them by their keys.
 * @param stores with {@link lendableTypes}.
 * @throws CookieStoreError (rejects) when one of them cannot be opened.
 */
export async function lendStores(
  sections: readonly CookieConfig[],
  { lender, keys, stores }: { readonly lender: Lender; readonly keys: LentKeys; readonly stores: CookieStores },
): Promise<void> {
  for (const section of sections) lender.lend(keys.keyOf(section.store), await stores.storeOf(section));
}

/**
 * @returns the types for the `CookieStores` of a borrower: whatever a section says, its store is that of the owner.
 * @param types those of the config.
 */
export function borrowedTypes(owner: OwnerLink, types: CookieStoreTypes): CookieStoreTypes {
  const keyFor = (config: CookieStoreConfig): string => {
    const key = lentKeyOf(config);
    if (key === undefined) throw new CookieStoreError('this cookie store is not lent');
    return key;
  };
  return eachType(types, (type) => ({
    ...type,
    create: (config) => new BorrowedStore(owner, keyFor(config)),
    share: {
      // Sections whose places are different may lead to one store: the owner knows.
      key: async (config) => String((await owner.borrow(keyFor(config))).store),
      join: () => Promise.resolve(),
    },
  }));
}

function eachType(
  types: CookieStoreTypes,
  change: <W extends CookieStoreWord>(type: CookieStoreType<W>) => CookieStoreType<W>,
): CookieStoreTypes {
  const words = Object.keys(types) as CookieStoreWord[];
  const changed = words.map((word) => [word, change(typeOf({ type: word }, types))]);
  return Object.fromEntries(changed) as CookieStoreTypes;
}
