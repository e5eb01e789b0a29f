/** The contract of all stores, for those that another process has; and for its own, which is told of what borrowers do. */
import path from 'node:path';

import { MemoryHub } from '../../../../src/engine/memory/hub.js';
import { FileCookieStore } from '../../../../src/cookie/file/store.js';
import { MemoryCookieStore } from '../../../../src/cookie/memory.js';
import { silentLogger } from '../../../../src/log/logger.js';
import type { CookieStore } from '../../../../src/cookie/store.js';
import { cookieStoreContract } from '../../../contract/cookie-store.js';
import { natsPlace, natsStoreOn } from '../../../support/cookie-nats.js';
import { ANOTHER_BORROWER, LentPlace, lentStorePlace, processWith, THE_OWNER } from '../../../support/lent-stores.js';
import type { Elsewhere } from '../../../support/lent-stores.js';

const inMemory = (): CookieStore => new MemoryCookieStore();
const inFile = (directory: string): CookieStore =>
  new FileCookieStore(
    { filename: path.join(directory, 'cookies.dat'), purge: false },
    // The records of the suite are of this day.
    { log: silentLogger(), clock: () => Date.parse('2026-11-21T00:00:00Z') },
  );

for (const [name, elsewhere] of [
  ['the owner', THE_OWNER],
  ['another borrower', ANOTHER_BORROWER],
] as const) {
  cookieStoreContract(`lent, in memory, beside ${name}`, { persistent: false, shared: true }, () =>
    lentStorePlace(inMemory, elsewhere),
  );
  cookieStoreContract(`lent, in a file, beside ${name}`, { persistent: true, shared: true }, () =>
    lentStorePlace(inFile, elsewhere),
  );
}

for (const [name, elsewhere] of [
  ['the owner', () => THE_OWNER],
  ['another borrower', () => ANOTHER_BORROWER],
  ['another node', (hub) => () => natsPlace(() => Promise.resolve(hub.connect())).elsewhere()],
] as const satisfies readonly (readonly [string, (hub: MemoryHub) => Elsewhere])[]) {
  cookieStoreContract(`lent, in NATS, beside ${name}`, { persistent: true, shared: true }, () => {
    const hub = new MemoryHub();
    return lentStorePlace(() => natsStoreOn(() => Promise.resolve(hub.connect())), elsewhere(hub));
  });
}

cookieStoreContract('in memory, of an owner that lends it', { persistent: false, shared: true }, async () => {
  const place = await LentPlace.with(inMemory);
  return {
    store: () => place.owner,
    elsewhere: async () => processWith(await place.borrow()),
    dispose: () => place.dispose(),
  };
});
