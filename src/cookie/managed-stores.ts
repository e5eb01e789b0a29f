/**
 * The cookie stores of a config by their numbers, in the order of its `cookie` sections: those that a running node has open,
 * those that a stopped node would open, and what is in them.
 */
import { messageOf } from '../system/error.js';
import { takeCensus, unexpired } from './inspect.js';
import { pathOf, placeText, typeOf } from './registry.js';
import { CookieStores } from './stores.js';
import type { Logger } from '../log/logger.js';
import type { ManagedStore } from './management.js';
import type { CookieConfig, CookieStoreConfig } from './schema.js';
import type { CookieStoreTypes, Inspection } from './store-type.js';

/** A store that outlives the node, as the config names it. */
interface NamedStore {
  readonly number: number;
  readonly place: string;
  /** What tells it apart: a file, the directory of a database, the name of a bucket. */
  readonly path: string;
  readonly section: CookieConfig;
}

interface StoreDeps {
  /** What sections may ask for. */
  readonly types: CookieStoreTypes;
  readonly log: Logger;
}

/** How long a command waits for the server of a store that has one, in seconds. */
const CONNECT_S = 5;

/** What {@link verifyStores} finds in a store. */
export interface Verification {
  readonly store: number;
  /** Its type and where it is. */
  readonly place: string;
  /** Why it could not be read; then the numbers are all 0. */
  readonly problem?: string;
  /** Lines or values, as are `damaged` and `outdated`. */
  readonly good: number;
  readonly damaged: number;
  readonly outdated: number;
  readonly cookies: number;
  readonly logins: number;
  readonly expired: number;
}

/** @returns the stores that a running node has open; those in memory come behind those of the config. */
export async function openedStores(stores: CookieStores, sections: readonly CookieConfig[]): Promise<ManagedStore[]> {
  const { types } = stores;
  const named = namedStores(sections, types);
  const opened = await stores.opened();
  let last = named.length;
  return opened
    .map(({ config, liveCookies }) => {
      const path = pathOf(config, types);
      const number = named.find((each) => each.path === path)?.number ?? ++last;
      return { number, place: placeText(config, types), liveCookies };
    })
    .sort((a, b) => a.number - b.number);
}

/**
 * Opens the stores of a stopped node and closes them again. Those in memory are gone with the node.
 * @throws CookieStoreError (rejects) when one cannot be opened, for instance because another process has it.
 */
export async function withStores<T>(
  sections: readonly CookieConfig[],
  { types, log }: StoreDeps,
  use: (stores: readonly ManagedStore[]) => Promise<T>,
): Promise<T> {
  const stores = new CookieStores({ clock: Date.now, log }, types);
  try {
    const managed: ManagedStore[] = [];
    for (const { number, place, section } of namedStores(sections, types)) {
      const store = forCommand(section.store);
      managed.push({ number, place, liveCookies: await stores.join({ ...section, store }) });
    }
    return await use(managed);
  } finally {
    await stores.closeAll();
  }
}

/** Looks at the stores without touching them, whether a node runs on them or not. @param number of one; default: all. */
export async function verifyStores(
  sections: readonly CookieConfig[],
  { types, log }: StoreDeps,
  number?: number,
): Promise<Verification[]> {
  const chosen = namedStores(sections, types).filter((each) => number === undefined || each.number === number);
  return Promise.all(chosen.map((each) => verify(each, { types, log })));
}

async function verify(named: NamedStore, deps: StoreDeps): Promise<Verification> {
  const { number: store, place } = named;
  try {
    const { records, good, damaged, outdated } = await censusOf(named, deps);
    const logins = records.filter(({ auth }) => auth !== null).length;
    const expired = records.length - unexpired(records, Date.now()).length;
    return { store, place, good, damaged, outdated, cookies: records.length, logins, expired };
  } catch (error) {
    const nothing = { good: 0, damaged: 0, outdated: 0, cookies: 0, logins: 0, expired: 0 };
    return { store, place, ...nothing, problem: messageOf(error) };
  }
}

function censusOf({ section, path }: NamedStore, { types, log }: StoreDeps): Promise<Inspection> {
  const store = forCommand(section.store);
  return typeOf(store, types).census?.(store, { log, clock: Date.now }) ?? takeCensus(path, log);
}

/** A command that only looks must not wipe anything, and somebody waits for it. */
function forCommand(store: CookieStoreConfig): CookieStoreConfig {
  return Object.assign({ ...store }, { purge_on_startup: false, connect_timeout: CONNECT_S });
}

function namedStores(sections: readonly CookieConfig[], types: CookieStoreTypes): NamedStore[] {
  const named = new Map<string, NamedStore>();
  for (const section of sections) {
    const path = pathOf(section.store, types);
    if (path === undefined || named.has(path)) continue;
    named.set(path, { number: named.size + 1, place: placeText(section.store, types), path, section });
  }
  return [...named.values()];
}
