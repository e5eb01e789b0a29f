/** A file store of cookies on a simulated disk. */
import { FileCookieStore } from '../../src/cookie/file/store.js';
import { cookieId, cookieRecord, CREATED, recordingLog } from './cookie-store.js';
import type { LogEntry } from './cookie-store.js';
import { SimulatedProcesses } from './simulated-disk.js';
import type { SimulatedDisk } from './simulated-disk.js';

export const FILE = '/cookies.dat';

export interface Opened {
  readonly store: FileCookieStore;
  readonly warnings: () => LogEntry[];
}

export async function openOn(disk: SimulatedDisk, { purge = false, now = Date.parse(CREATED) } = {}): Promise<Opened> {
  const { log, warnings } = recordingLog();
  const processes = new SimulatedProcesses().start();
  const store = new FileCookieStore({ filename: FILE, purge }, { log, clock: () => now, fs: disk, processes });
  await store.open();
  return { store, warnings };
}

export function createMany(store: FileCookieStore, from: number, count: number): Promise<unknown> {
  return Promise.all(Array.from({ length: count }, (_, n) => store.create(cookieRecord(cookieId(from + n)))));
}

export function linesOf(disk: SimulatedDisk): string[] {
  return (disk.content(FILE) ?? '').trimEnd().split('\n');
}
