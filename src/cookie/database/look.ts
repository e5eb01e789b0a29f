/**
 * Whether a cookie database can be opened. LMDB itself is loaded, but opens nothing: even its readers write to the lock file.
 */
import { access, constants, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import type { Look } from '../../schema/look.js';
import { CookieStoreError } from '../error.js';
import type { CookieStoreConfig } from '../schema.js';
import { lmdb } from './engine.js';
import { checkDatabaseFile, isThere } from './file-check.js';
import { cannotOpen } from './store.js';

type DatabaseConfig = Extract<CookieStoreConfig, { readonly type: 'database' }>;

const { R_OK, W_OK, X_OK } = constants;

/** The look `cookie database`. */
export const lookAtCookieDatabase: Look<DatabaseConfig> = async ({ path, readonly }, { report }) => {
  try {
    await checkPlace(path, readonly);
    await lmdb();
  } catch (error) {
    report(['path'], cannotOpen(path, error).message);
  }
};

/** @throws what keeps the database from being opened (rejects). */
async function checkPlace(path: string, readonly: boolean): Promise<void> {
  if (!readonly && !(await isThere(path))) {
    const parent = dirname(path);
    if (!(await isThere(parent))) throw new CookieStoreError(`there is no directory ${parent}`);
    await access(parent, W_OK | X_OK);
    return;
  }
  const directory = await realpath(path);
  if (!(await stat(directory)).isDirectory()) throw new CookieStoreError('it is no directory');
  await access(directory, readonly ? R_OK | X_OK : R_OK | W_OK | X_OK);
  await checkDatabaseFile(directory, readonly);
}
