/**
 * Looks into a cookie file or database from outside. Nothing is locked, written or repaired, so that a node that uses it is not
 * disturbed.
 */
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';

import { DatabaseCookieStore } from './database/store.js';
import { isExpired } from './expiry.js';
import { inMebibytes, readCookieFile } from './file/reader.js';
import { CookieStoreError } from './error.js';
import type { Logger } from '../log/logger.js';
import type { Inspection } from './store-type.js';
import type { LoadedFile, ReadBounds } from './file/reader.js';
import type { CookieRecord } from './store.js';

/** How often a file is read at most while its last line looks cut off: a node may be writing it. */
const ATTEMPTS = 5;

/** Limits for a file that may be anything, because an operator named it. */
export interface CensusBounds {
  /** Size of the file, in bytes; more is refused. */
  readonly file: number;
  readonly within: ReadBounds;
  /** Called before each piece is read. What it throws ends the inspection. */
  readonly onPiece: () => Promise<void>;
}

/**
 * @param from a cookie file, or the directory of a database.
 * @param bounds for a file.
 * @throws CookieStoreError (rejects), or the error of the system, when it cannot be read.
 */
export async function takeCensus(from: string, log: Logger, bounds?: CensusBounds): Promise<Inspection> {
  return (await stat(from)).isDirectory() ? inspectDatabase(from, log) : inspectFile(from, bounds);
}

async function inspectFile(filename: string, bounds: CensusBounds | undefined): Promise<Inspection> {
  let loaded = await readFile(filename, bounds);
  for (let attempt = 1; attempt < ATTEMPTS && loaded.unterminated && loaded.damaged.length > 0; attempt += 1) {
    loaded = await readFile(filename, bounds);
  }
  const { table, lines, damaged } = loaded;
  const records = [...table.records.values()];
  const outdated = lines - records.length - table.forwards.size;
  return { records, good: lines, damaged: damaged.length, outdated: Math.max(0, outdated) };
}

/** Reads as far as the file is long now: what comes behind is being written by a node, or has no end. */
async function readFile(filename: string, bounds: CensusBounds | undefined): Promise<LoadedFile> {
  // Without O_NONBLOCK opening a pipe waits until somebody writes to it.
  const handle = await open(filename, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = await handle.stat();
    const { size } = status;
    if (!status.isFile()) throw new CookieStoreError('it is no regular file');
    if (bounds !== undefined && size > bounds.file) {
      throw new CookieStoreError(`it is larger than ${inMebibytes(bounds.file)}`);
    }
    const read = async (into: Uint8Array, position: number): Promise<number> => {
      await bounds?.onPiece();
      return (await handle.read(into, 0, Math.min(into.length, size - position), position)).bytesRead;
    };
    const options = { expectedSize: size, isStrict: false };
    return await readCookieFile({ read }, bounds === undefined ? options : { ...options, bounds: bounds.within });
  } finally {
    await handle.close();
  }
}

async function inspectDatabase(path: string, log: Logger): Promise<Inspection> {
  const options = { path, maxsize: Number.MAX_SAFE_INTEGER, readonly: true, sync: true, purge: false };
  const store = new DatabaseCookieStore(options, { log });
  await store.open();
  try {
    const [records, { values, damaged }] = [await store.list(), await store.count()];
    return { records, good: values - damaged, damaged, outdated: 0 };
  } finally {
    await store.close();
  }
}

/** @returns the records that are not expired. */
export function unexpired(records: readonly CookieRecord[], nowMs: number): CookieRecord[] {
  return records.filter((record) => !isExpired(record, nowMs));
}
