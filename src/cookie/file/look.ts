/** Whether a cookie file can be opened, and what is damaged in it. A node that uses it is not disturbed. */
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';

import type { Look } from '../../schema/look.js';
import { silentLogger } from '../../log/logger.js';
import { systemFiles } from '../../system/files.js';
import { CookieStoreError } from '../error.js';
import { takeCensus } from '../inspect.js';
import type { CookieStoreConfig } from '../schema.js';
import { HAS_OTHER_NAMES } from './cookie-file.js';
import { cannotOpen, realFile } from './store.js';

type FileConfig = Extract<CookieStoreConfig, { readonly type: 'file' }>;

const { R_OK, W_OK, X_OK } = constants;

/** The look `cookie file`. */
export const lookAtCookieFile: Look<FileConfig> = async ({ filename }, { report, warn }) => {
  try {
    const damaged = await damagedLines(filename);
    if (damaged > 0) {
      warn(
        ['filename'],
        `${filename} has lines that cannot be read (${damaged}): the start of the node sets them aside`,
      );
    }
  } catch (error) {
    report(['filename'], cannotOpen(filename, error).message);
  }
};

/** @throws what keeps the file from being opened (rejects). */
async function damagedLines(filename: string): Promise<number> {
  const file = await realFile(filename, systemFiles);
  // The lock file is made in there, and the file is written anew.
  await access(dirname(file), W_OK | X_OK);
  const status = await systemFiles.statIfPresent(file);
  if (status === undefined) return 0;
  if (status.names > 1) throw new CookieStoreError(HAS_OTHER_NAMES);
  await access(file, R_OK | W_OK);
  if (status.size === 0) return 0;
  return (await takeCensus(file, silentLogger())).damaged;
}
