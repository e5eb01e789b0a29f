/**
 * What commands do with a node that runs or does not: `use` gets the same to work with in either case.
 */
import { loadConfig } from '../config/load.js';
import type { RouterWorkerConfig } from '../config/schema.js';
import type { Logger } from '../log/logger.js';
import { ControlClient } from './control.js';
import { LocalAdministration } from './cookie-administration.js';
import type { CookieAdministration } from './cookie-administration.js';
import { RemoteAdministration } from './cookie-control.js';
import { verifyStores, withStores } from './cookie-stores.js';
import type { Verification } from './cookie-stores.js';

/** Where a command finds a node. */
export interface NodePlace {
  /** The node directory, absolute. */
  readonly cbdir: string;
  /** Where its control socket lies; default: the node directory. */
  readonly rundir?: string | undefined;
  readonly config?: string | undefined;
  readonly log: Logger;
}

/** Lets `use` administer the cookies of a node: through the node when it runs, else directly in its stores. */
export async function withCookies<T>(
  place: NodePlace,
  use: (administration: CookieAdministration) => Promise<T>,
): Promise<T> {
  const client = await ControlClient.connect(place.rundir ?? place.cbdir);
  if (client === undefined) {
    const { log } = place;
    return withStores(await workersOf(place), log, (stores) =>
      use(new LocalAdministration(() => Promise.resolve(stores), log)),
    );
  }
  try {
    return await use(new RemoteAdministration(client));
  } finally {
    client.close();
  }
}

/** Looks at the cookie stores of a node without touching them. */
export async function verifyCookies(place: NodePlace, store?: number): Promise<Verification[]> {
  return verifyStores(await workersOf(place), place.log, store);
}

async function workersOf({ cbdir, config }: NodePlace): Promise<readonly RouterWorkerConfig[]> {
  const loaded = await loadConfig({ cbdir, env: process.env, ...(config === undefined ? {} : { config }) });
  return loaded.config.workers.filter(({ options }) => !options.disabled);
}
