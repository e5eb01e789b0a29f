/** Cookie records, logs and places for the tests of the cookie stores. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { liveLine } from '../../src/cookie/file/line.js';
import { isForward } from '../../src/cookie/store.js';
import type { CookieAuth, CookieRecord, CookieStore } from '../../src/cookie/store.js';
import { createLogger } from '../../src/log/logger.js';
import type { Logger } from '../../src/log/logger.js';

export const CREATED = '2026-11-20T22:25:02.621Z';
export const MODIFIED = '2026-11-20T22:25:02.627Z';
export const DELETED = '2026-11-20T22:25:03.745Z';

export const JOE: CookieAuth = {
  authid: 'joe',
  authrole: 'frontend',
  authmethod: 'wampcra',
  authrealm: 'realm1',
  authextra: { x_cb_node: 'vm-31908', x_cb_pid: 31917 },
};

/** @returns an id of 24 characters that ends in `n`. */
export function cookieId(n: number): string {
  return `cookie/${String(n).padStart(17, '0')}`;
}

export function cookieRecord(cbtid: string, change: Partial<CookieRecord> = {}): CookieRecord {
  return {
    cbtid,
    created: CREATED,
    modified: null,
    max_age: 604800,
    auth: null,
    seen: null,
    rotated: null,
    returned: true,
    ...change,
  };
}

/** @returns a cookie file with so many cookies, all just made. */
export function cookieFile(directory: string, count: number): string {
  const file = path.join(directory, 'cookies.dat');
  const created = new Date().toISOString();
  const lines = Array.from({ length: count }, (_, n) => liveLine(cookieRecord(cookieId(n), { created })));
  writeFileSync(file, lines.join(''));
  return file;
}

/** @returns the record of an id; undefined when there is none, or only a forward. */
export async function recordOf(store: CookieStore, cbtid: string): Promise<CookieRecord | undefined> {
  const entry = await store.get(cbtid);
  return entry === undefined || isForward(entry) ? undefined : entry;
}

/** @returns the record of an id, also behind a forward. */
export async function followed(store: CookieStore, cbtid: string): Promise<CookieRecord | undefined> {
  const entry = await store.get(cbtid);
  return entry !== undefined && isForward(entry) ? followed(store, entry.moved_to) : entry;
}

export interface LogEntry {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** @returns a logger and what it was told. */
export function recordingLog(): { log: Logger; entries: LogEntry[]; warnings: () => LogEntry[] } {
  const entries: LogEntry[] = [];
  const destination = { write: (line: string) => void entries.push(JSON.parse(line) as LogEntry) };
  const log = createLogger({ level: 'trace', destination });
  return { log, entries, warnings: () => entries.filter(({ level }) => level === 'warn' || level === 'error') };
}

/** Runs `use` with a directory that is gone afterwards. */
export async function withDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(path.join(tmpdir(), 'cookies-'));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A small generator of repeatable random numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
