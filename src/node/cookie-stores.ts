/**
 * The cookie stores of a config, in its order: those that a running node has open, those that a stopped node would
 * open, and how they look from outside.
 */
import { takeCensus, unexpired } from '../cookie/inspect.js';
import { placeOf as storePlaceOf } from '../cookie/registry.js';
import type { CookieConfig, CookieStoreConfig } from '../cookie/schema.js';
import { CookieStores, pathOf, placeOf } from '../cookie/stores.js';
import type { Logger } from '../log/logger.js';
import type { AdministeredStore } from './cookie-administration.js';
import { NodeError } from './error.js';
import { messageOf } from '../system/error.js';
import { workerTypeOf } from '../worker/registry.js';
import type { WorkerConfig } from '../worker/registry.js';
import type { CookieStoreSummary } from './summary.js';

/** A store that keeps its cookies on the disk, as the config names it. */
interface NamedStore {
  readonly number: number;
  readonly place: string;
  /** A file, or the directory of a database. */
  readonly path: string;
  readonly section: CookieConfig;
}

/** What {@link verifyStores} finds in a store. */
export interface Verification {
  readonly store: number;
  readonly place: string;
  /** Why it could not be read; then the numbers are missing. */
  readonly problem?: string;
  readonly good: number;
  readonly damaged: number;
  readonly outdated: number;
  readonly cookies: number;
  readonly logins: number;
  readonly expired: number;
}

/** @returns every `cookie` section of the workers. */
export function cookieSectionsOf(workers: readonly WorkerConfig[]): CookieConfig[] {
  return workers.flatMap((worker) => workerTypeOf(worker).cookieSections(worker));
}

/** @returns the stores that the `cookie` sections of the workers name, each file or directory once. */
export function cookieStoreSummaries(workers: readonly WorkerConfig[]): CookieStoreSummary[] {
  const stores = new Map<string, CookieStoreSummary>();
  for (const { store } of cookieSectionsOf(workers)) {
    const place = storePlaceOf(store);
    stores.set(Object.values(place)[0] ?? '', { type: store.type, ...place });
  }
  return [...stores.values()];
}

/** @returns the stores that a running node has open; behind those of the config the ones in memory. */
export async function openedStores(
  stores: CookieStores,
  workers: readonly WorkerConfig[],
): Promise<AdministeredStore[]> {
  const named = namedStores(workers);
  const opened = await stores.opened();
  let last = named.length;
  return opened
    .map(({ config, liveCookies }) => {
      const path = pathOf(config);
      const number = named.find((each) => each.path === path)?.number ?? ++last;
      return { number, place: placeOf(config), liveCookies };
    })
    .sort((a, b) => a.number - b.number);
}

/** Opens the stores of a stopped node and closes them again. Rejects with NodeError when another process has one. */
export async function withStores<T>(
  workers: readonly WorkerConfig[],
  log: Logger,
  use: (stores: readonly AdministeredStore[]) => Promise<T>,
): Promise<T> {
  const stores = new CookieStores({ clock: Date.now, log });
  try {
    const administered: AdministeredStore[] = [];
    for (const { number, place, section } of namedStores(workers)) {
      // A command that only looks must not wipe anything.
      const store = { ...section.store, purge_on_startup: false } as CookieStoreConfig;
      administered.push({ number, place, liveCookies: await stores.join({ ...section, store }) });
    }
    return await use(administered);
  } catch (cause) {
    throw cause instanceof NodeError ? cause : new NodeError('ERR_NODE_COOKIES', messageOf(cause), { cause });
  } finally {
    await stores.closeAll();
  }
}

/** Looks at the stores without touching them, whether a node runs on them or not. */
export async function verifyStores(
  workers: readonly WorkerConfig[],
  log: Logger,
  number?: number,
): Promise<Verification[]> {
  const chosen = namedStores(workers).filter((each) => number === undefined || each.number === number);
  return Promise.all(chosen.map((each) => verify(each, log)));
}

async function verify({ number: store, place, path }: NamedStore, log: Logger): Promise<Verification> {
  try {
    const { records, good, damaged, outdated } = await takeCensus(path, log);
    const logins = records.filter(({ auth }) => auth !== null).length;
    const expired = records.length - unexpired(records, Date.now()).length;
    return { store, place, good, damaged, outdated, cookies: records.length, logins, expired };
  } catch (error) {
    const nothing = { good: 0, damaged: 0, outdated: 0, cookies: 0, logins: 0, expired: 0 };
    return { store, place, ...nothing, problem: messageOf(error) };
  }
}

function namedStores(workers: readonly WorkerConfig[]): NamedStore[] {
  const named = new Map<string, NamedStore>();
  for (const section of cookieSectionsOf(workers)) {
    const path = pathOf(section.store);
    if (path === undefined || named.has(path)) continue;
    named.set(path, { number: named.size + 1, place: placeOf(section.store), path, section });
  }
  return [...named.values()];
}
