/**
 * The keys by which the owner of stores and a borrower mean the same one. The owner gives each `store` section a key, and the config that the
 * borrower is sent says it there.
 */
import type { CookieStoreConfig } from '../schema.js';

/** The name of the key in a `store` section. No config that somebody wrote has it. */
const LENT = 'lent';

/** @returns the key of a section as a borrower has it; undefined where its store is not lent. */
export function lentKeyOf(store: CookieStoreConfig): string | undefined {
  const key: unknown = LENT in store ? store[LENT] : undefined;
  return typeof key === 'string' ? key : undefined;
}

/** The keys of an owner. */
export class LentKeys {
  readonly #keys = new WeakMap<object, string>();
  #last = 0;

  /** @returns the key of a section, which stays the same. */
  keyOf(store: CookieStoreConfig): string {
    const key = this.#keys.get(store) ?? `${store.type} ${++this.#last}`;
    this.#keys.set(store, key);
    return key;
  }

  /** @returns a copy of a config for a borrower, with the keys of all sections that have one. */
  marked<T>(value: T): T {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item: unknown) => this.marked(item)) as T;
    const copy = Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, this.marked(inner as unknown)]),
    );
    const key = this.#keys.get(value);
    return (key === undefined ? copy : { ...copy, [LENT]: key }) as T;
  }
}
