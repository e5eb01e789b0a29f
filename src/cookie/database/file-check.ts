/** Whether the file of a database is one of LMDB. LMDB itself takes the whole process down with some files that are not. */
import { access, constants, open, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { errorCode } from '../../system/error.js';
import { CookieStoreError } from '../error.js';

const { R_OK, W_OK } = constants;

/** What every LMDB file has behind the header of its first page. */
const MAGIC = 0xbeefc0de;
/** Behind a header of 16 bytes, or of 24 in the LMDB that the package `lmdb` has. */
const MAGIC_AT = [16, 24];
const HEAD_BYTES = 28;

/** @returns whether there is anything at a path. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/**
 * @param directory that of a database, which may be empty.
 * @throws CookieStoreError when its file is none of LMDB; the error of the system when it cannot be read or written (rejects).
 */
export async function checkDatabaseFile(directory: string, readonly: boolean): Promise<void> {
  const file = join(directory, 'data.mdb');
  if (!(await isThere(file))) return;
  await access(file, readonly ? R_OK : R_OK | W_OK);
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size } = await handle.stat();
    if (size === 0) return;
    const bytes = Buffer.alloc(HEAD_BYTES);
    await handle.read(bytes, 0, bytes.length, 0);
    if (!MAGIC_AT.some((at) => [bytes.readUInt32LE(at), bytes.readUInt32BE(at)].includes(MAGIC)))
      throw new CookieStoreError(`${file} is no LMDB file`);
  } finally {
    await handle.close();
  }
}
