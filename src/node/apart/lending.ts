/**
 * The cookie stores of a node that workers in processes of their own use: the node opens them, and lends them on a socket file that nobody else
 * can open. Nothing of it is made before a worker asks.
 */
import { rm } from 'node:fs/promises';
import { openedStores } from '../../cookie/managed-stores.js';
import { cookieSectionsIn } from '../reload/enabled-workers.js';
import type { ManagedStore } from '../../cookie/management.js';
import type { Families } from '../../worker/registry.js';
import type { NodeSource } from '../directory.js';
import { LentKeys } from '../../cookie/lent/keys.js';
import { Lender } from '../../cookie/lent/lender.js';
import { lendableTypes, lendStores } from '../../cookie/lent/types.js';
import { hasOwnProcess } from '../../worker/apart/own-process.js';
import { isDisabled } from '../../worker/worker.js';
import type { NodeParts } from '../lifecycle/node-parts.js';
import type { CookieStoreTypes } from '../../cookie/store-type.js';
import { makePrivateDirectory } from '../../system/private-directory.js';
import type { CookieConfig } from '../../cookie/schema.js';
import type { CookieStores } from '../../cookie/stores.js';
import type { Logger } from '../../log/logger.js';
import type { LentStores } from '../../worker/apart/deps.js';

/** The path of a socket file has no more. */
const MAX_PATH = 90;

/** The cookie stores of a node, for its processes. */
export class Lending {
  readonly #stores: CookieStores;
  readonly #log: Logger;
  readonly #keys = new LentKeys();
  #opened: Promise<{ readonly lender: Lender; readonly directory: string; readonly socket: string }> | undefined;

  constructor(stores: CookieStores, log: Logger) {
    this.#stores = stores;
    this.#log = log;
  }

  /** See `ApartDeps.lend`. */
  async lend(sections: readonly CookieConfig[]): Promise<LentStores> {
    this.#opened ??= this.#open();
    const { lender, socket } = await this.#opened;
    await lendStores(sections, { lender, keys: this.#keys, stores: this.#stores });
    return { socket, marked: (config) => this.#keys.marked(config) };
  }

  /** Lends nothing any more. Idempotent; never rejects. */
  async end(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    if (opened === undefined) return;
    opened.lender.end();
    await rm(opened.directory, { recursive: true, force: true });
  }

  async #open() {
    const directory = await makePrivateDirectory('crossbar-ts-stores-', MAX_PATH);
    const socket = `${directory}/stores.sock`;
    return { lender: await Lender.start(socket, { log: this.#log }), directory, socket };
  }
}

/** @returns the types of the stores of a node: where it has workers in processes of their own, all of them can be watched. */
export function storeTypesOf({ loaded, families }: Pick<NodeParts, 'loaded' | 'families'>): CookieStoreTypes {
  const hasProcesses = loaded.config.workers.some((worker) => !isDisabled(worker) && hasOwnProcess(worker));
  return hasProcesses ? lendableTypes(families.stores) : families.stores;
}

/** @returns the stores of all workers of a node that are open. */
export function managedStoresOf(source: NodeSource, stores: CookieStores, families: Families): Promise<ManagedStore[]> {
  return openedStores(stores, cookieSectionsIn(source, families));
}
