/**
 * Cookie stores from outside: what is in a file or a database, without taking part in it. Nothing is locked, written or
 * repaired, so that a running node is not disturbed.
 */
import { open, stat } from 'node:fs/promises';

import { DatabaseCookieStore } from './database.js';
import { isExpired } from './expiry.js';
import { readCookieFile } from './file-reader.js';
import type { Logger } from '../log/logger.js';
import type { LoadedFile } from './file-reader.js';
import type { CookieRecord } from './store.js';

/** What was found. */
export interface Census {
  readonly records: readonly CookieRecord[];
  /** Lines or values that can be read. */
  readonly good: number;
  readonly damaged: number;
  /** Good lines that later ones have overtaken, or of cookies that are gone. */
  readonly outdated: number;
}

/** How often a file is read again whose last line looks cut: the node may be writing it. */
const ATTEMPTS = 5;

/** @param from a cookie file, or the directory of a database. Rejects when it cannot be read. */
export async function takeCensus(from: string, log: Logger): Promise<Census> {
  return (await stat(from)).isDirectory() ? censusOfDatabase(from, log) : censusOfFile(from);
}

async function censusOfFile(filename: string): Promise<Census> {
  let loaded = await readFile(filename);
  for (let attempt = 1; attempt < ATTEMPTS && loaded.unterminated && loaded.damaged.length > 0; attempt += 1) {
    loaded = await readFile(filename);
  }
  const { table, lines, damaged } = loaded;
  const records = [...table.records.values()];
  const outdated = lines - records.length - table.forwards.size;
  return { records, good: lines, damaged: damaged.length, outdated: Math.max(0, outdated) };
}

async function readFile(filename: string): Promise<LoadedFile> {
  const handle = await open(filename, 'r');
  try {
    const read = async (into: Uint8Array, position: number): Promise<number> =>
      (await handle.read(into, 0, into.length, position)).bytesRead;
    return await readCookieFile({ read }, { expectedSize: (await handle.stat()).size, isStrict: false });
  } finally {
    await handle.close();
  }
}

async function censusOfDatabase(path: string, log: Logger): Promise<Census> {
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

/** @returns those that can still come back. */
export function unexpired(records: readonly CookieRecord[], nowMs: number): CookieRecord[] {
  return records.filter((record) => !isExpired(record, nowMs));
}
