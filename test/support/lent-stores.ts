/** Cookie stores that one process has and others use; here all in this process, over a real socket. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { OtherProcess, StorePlace } from '../contract/cookie-store.js';
import { BorrowedStore } from '../../src/cookie/lent/borrowed-store.js';
import { Lender } from '../../src/cookie/lent/lender.js';
import type { LenderDeps } from '../../src/cookie/lent/lender.js';
import { OwnerLink } from '../../src/cookie/lent/owner-link.js';
import type { OwnerLinkDeps } from '../../src/cookie/lent/owner-link.js';
import { WatchedStore } from '../../src/cookie/lent/watched-store.js';
import { LiveCookies } from '../../src/cookie/live/live-cookies.js';
import { LENIENT } from '../../src/cookie/rules.js';
import type { CookieStore } from '../../src/cookie/store.js';
import { silentLogger } from '../../src/log/logger.js';

/** The key of the one store that {@link LentPlace} lends. */
export const KEY = 'cookies';

/** A process that has a store, and lends it. */
export class LentPlace {
  readonly directory: string;
  /** The store as its owner uses it; open. */
  readonly owner: CookieStore;
  readonly lender: Lender;
  readonly #links: OwnerLink[] = [];

  private constructor(directory: string, owner: CookieStore, lender: Lender) {
    this.directory = directory;
    this.owner = owner;
    this.lender = lender;
  }

  /** @param make the store itself, not open; it may keep its files in the directory. */
  static async with(make: (directory: string) => CookieStore, deps: Partial<LenderDeps> = {}): Promise<LentPlace> {
    const directory = await mkdtemp(path.join(tmpdir(), 'lent-'));
    const made = make(directory);
    const owner = made.watch === undefined ? new WatchedStore(made) : made;
    await owner.open();
    const lender = await Lender.start(path.join(directory, 'lent.sock'), { log: silentLogger(), ...deps });
    lender.lend(KEY, owner);
    return new LentPlace(directory, owner, lender);
  }

  get socket(): string {
    return path.join(this.directory, 'lent.sock');
  }

  /** One more borrower. */
  async link(deps: Partial<OwnerLinkDeps> = {}): Promise<OwnerLink> {
    const link = await OwnerLink.connect(this.socket, { log: silentLogger(), ...deps });
    this.#links.push(link);
    return link;
  }

  /** @returns the open store of one more borrower. */
  async borrow(deps: Partial<OwnerLinkDeps> = {}): Promise<BorrowedStore> {
    const store = new BorrowedStore(await this.link(deps), KEY);
    await store.open();
    return store;
  }

  async dispose(): Promise<void> {
    for (const link of this.#links) link.end();
    this.lender.end();
    await this.owner.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** @returns what one does with a store that others use as well, as `cookie-racer.js` does it. */
export function processWith(store: CookieStore): OtherProcess {
  const liveCookies = new LiveCookies({ store, rules: LENIENT, clock: Date.now, log: silentLogger() });
  return {
    order: async (what) => {
      const [word, cbtid = '', successor = ''] = what.split(' ');
      if (word === 'logout') await liveCookies.logOut(cbtid);
      else if (word === 'expire') await store.delete(cbtid, new Date().toISOString(), false);
      else await liveCookies.rotate(cbtid, successor);
    },
    end: () => Promise.resolve(liveCookies.close()),
  };
}

/** Who else uses the store. */
export type Elsewhere = (place: LentPlace) => Promise<OtherProcess>;

export const THE_OWNER: Elsewhere = (place) => Promise.resolve(processWith(place.owner));
export const ANOTHER_BORROWER: Elsewhere = async (place) => processWith(await place.borrow());

/** @returns the place of a contract suite over a borrowed store. */
export async function lentStorePlace(
  make: (directory: string) => CookieStore,
  elsewhere: Elsewhere,
): Promise<StorePlace> {
  const place = await LentPlace.with(make);
  const link = await place.link();
  return {
    store: () => new BorrowedStore(link, KEY),
    elsewhere: () => elsewhere(place),
    dispose: () => place.dispose(),
  };
}
