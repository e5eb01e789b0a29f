/** The contract of all stores, for a database that another process has; also with a borrower in a process of its own. */
import path from 'node:path';

import { afterAll, expect } from 'vitest';

import type { OtherProcess } from '../../../contract/cookie-store.js';
import { cookieStoreContract } from '../../../contract/cookie-store.js';
import { databaseOn } from '../../../support/cookie-database.js';
import { ANOTHER_BORROWER, lentStorePlace, THE_OWNER } from '../../../support/lent-stores.js';
import type { LentPlace } from '../../../support/lent-stores.js';
import { compileRacer, Racer } from '../../../support/racer.js';

let compiled: Awaited<ReturnType<typeof compileRacer>> | undefined;
afterAll(() => compiled?.dispose());

const aBorrower = ({ socket }: LentPlace): Promise<OtherProcess> => aProcess(`lent:${socket}`);
const anotherNode = ({ directory }: LentPlace): Promise<OtherProcess> => aProcess(path.join(directory, 'db'));

/** @param store what it opens. */
async function aProcess(store: string): Promise<OtherProcess> {
  compiled ??= await compileRacer();
  const racer = new Racer(compiled.directory, store);
  const said = async (line: string): Promise<void> => expect(await racer.next()).toBe(line);
  await said('ready');
  return {
    order: (what) => {
      racer.tell(what);
      return said('done');
    },
    end: () => racer.end(),
  };
}

for (const [name, elsewhere] of [
  ['the owner', THE_OWNER],
  ['another borrower', ANOTHER_BORROWER],
  ['a borrower in a process of its own', aBorrower],
  ['another node in a process of its own', anotherNode],
] as const) {
  cookieStoreContract(`lent, a database, beside ${name}`, { persistent: true, shared: true }, () =>
    lentStorePlace((directory) => databaseOn(path.join(directory, 'db')), elsewhere),
  );
}
