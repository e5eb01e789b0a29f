/**
 * Keeps cookies in an append-only file in Crossbar.io's format, and all of them in memory for reading. It needs the clock only
 * to drop expired cookies.
 *
 *     change -> commit queue -> one write, one fdatasync -> memory -> the promise resolves
 *
 * - The memory changes only after the disk did. Until then `get` answers the old state, and a failed batch leaves no
 *   trace: all its changes reject, memory and file are as before. No client can ask for a cookie that is being created,
 *   because none has been told its id. Changes of one cookie in one batch do see each other.
 * - With `sync: everysec` or `no` the promise resolves after the write, and the sync comes later or never.
 * - Only the commit queue writes, also for compaction, so no change is lost between an old and a new file.
 * - A deleted id stays deleted, and a replaced one replaced: its `deleted` line beats any other line in the file, earlier
 *   or later. Compaction drops all lines of the id together. Then the id is unknown, which makes no difference: an unknown
 *   id that a client presents is never adopted.
 */
import { basename, dirname, join } from 'node:path';

import { ownChange, ownRecord, unreturnedIds } from '../record-copy.js';
import { CommitQueue } from './commit-queue.js';
import { CookieFile } from './cookie-file.js';
import { isExpired, oldestExpired } from '../expiry.js';
import { alteration, creation, deletion, eviction, rotation, stage } from './change.js';
import { systemBeacons } from '../../system/beacon.js';
import { FileLock } from '../../system/lock.js';
import { errorCode, messageOf } from '../../system/error.js';
import { systemFiles } from '../../system/files.js';
import { systemProcesses } from '../../system/processes.js';
import { CookieStoreError } from '../error.js';
import { isForward } from '../store.js';
import type { Logger } from '../../log/logger.js';
import type { Histogram } from '../../metrics/histogram.js';
import type { Change, Operation } from './change.js';
import type { FileSystem } from '../../system/files.js';
import type { ProcessTable } from '../../system/processes.js';
import type { Beacons } from '../../system/beacon.js';
import type { CookieStoreType } from '../store-type.js';
import type { Compaction, CookieChange, CookieEntry, CookieRecord, CookieStore } from '../store.js';

export const fileStore: CookieStoreType<'file'> = {
  type: 'file',
  create: ({ filename, purge_on_startup, sync, checksum }, deps) =>
    new FileCookieStore({ filename, purge: purge_on_startup, sync, checksum }, deps),
  place: ({ filename }) => ({ filename }),
  share: {
    key: async ({ filename }) => {
      try {
        return await realFile(filename, systemFiles);
      } catch (cause) {
        throw cannotOpen(filename, cause);
      }
    },
    join: async (store, { filename, purge_on_startup, sync, checksum }) => {
      if (!(store instanceof FileCookieStore)) return;
      if (!store.isKept({ sync, checksum })) {
        throw new CookieStoreError(`the cookie file ${filename} is configured twice, with different sync or checksum`);
      }
      if (purge_on_startup) await store.purge();
    },
  },
};

export interface FileStoreOptions extends Partial<FilePolicy> {
  /** An absolute path; its directory must exist. */
  readonly filename: string;
  /** Drop expired cookies while opening. */
  readonly purge: boolean;
}

/** How the file is kept. */
interface FilePolicy {
  /**
   * When what was written is synced to the disk. `always` (the default): before the promise resolves. Otherwise the
   * promise resolves after the write: a crash of the process loses nothing, a power cut what was not synced yet.
   */
  readonly sync: 'always' | 'everysec' | 'no';
  /** Whether lines get a checksum; default false. */
  readonly checksum: boolean;
}

/** How long a change waits for its sync with `everysec`. */
const SYNC_INTERVAL_MS = 1000;

export interface FileStoreDeps {
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly syncs?: Histogram | undefined;
  readonly fs?: FileSystem;
  readonly processes?: ProcessTable;
}

const UNGUARDED = 'no socket can be made beside the cookie file: nodes in other containers are not kept from it';

/** An operation without effect: with it the queue commits, and may compact. */
const NO_CHANGE: Change = () => ({ lines: [], slots: [], entry: undefined });

/** The store type `file`. */
export class FileCookieStore implements CookieStore {
  readonly #options: FileStoreOptions & FilePolicy;
  readonly #log: Logger;
  readonly #clock: () => number;
  readonly #fs: FileSystem;
  readonly #processes: ProcessTable;
  readonly #syncs: Histogram | undefined;
  // sockets of the system: none where the files are simulated
  readonly #beacons: Beacons | undefined;
  readonly #queue = new CommitQueue<Operation | 'sync'>((batch) => this.#commit(batch));
  #opened: { readonly file: CookieFile; readonly lock: FileLock } | undefined;
  #closing: Promise<void> | undefined;
  // With a policy other than `always`: there are changes that were acknowledged and are not synced.
  #isUnsynced = false;
  #syncTimer: NodeJS.Timeout | undefined;

  constructor(options: FileStoreOptions, deps: FileStoreDeps) {
    this.#options = { sync: 'always', checksum: false, ...options };
    this.#log = deps.log;
    this.#clock = deps.clock;
    this.#syncs = deps.syncs;
    this.#fs = deps.fs ?? systemFiles;
    this.#processes = deps.processes ?? systemProcesses;
    this.#beacons = deps.fs === undefined ? systemBeacons : undefined;
  }

  /** @throws CookieStoreError when the file cannot be opened or another process has it; never for damaged lines. */
  async open(): Promise<void> {
    try {
      const filename = await realFile(this.#options.filename, this.#fs);
      this.#opened = await this.#lockAndLoad(filename);
      this.#log.debug({ filename, cookies: this.#opened.file.table.records.size }, 'cookie file loaded');
    } catch (cause) {
      throw cannotOpen(this.#options.filename, cause);
    }
  }

  async #lockAndLoad(filename: string): Promise<{ file: CookieFile; lock: FileLock }> {
    const lock = await FileLock.acquire(`${filename}.lock`, {
      ...{ fs: this.#fs, processes: this.#processes, beacons: this.#beacons },
    });
    try {
      if (lock.beaconFault !== undefined) this.#log.warn({ filename, err: lock.beaconFault }, UNGUARDED);
      const now = this.#clock();
      const isUnwanted = (record: CookieRecord): boolean => this.#options.purge && isExpired(record, now);
      const { fs, log } = { fs: this.#fs, log: this.#log };
      const { checksum } = this.#options;
      const file = await CookieFile.open({ filename, fs, log, checksum, isUnwanted });
      return { file, lock };
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  // An async function so that a refusal becomes a rejection.
  // eslint-disable-next-line @typescript-eslint/require-await
  async get(cbtid: string): Promise<CookieEntry | undefined> {
    const slot = this.#openFile().table.at(cbtid);
    return typeof slot === 'string' ? undefined : slot;
  }

  async create(record: CookieRecord): Promise<void> {
    const change = creation(ownRecord(record));
    this.#sweep();
    await this.#submit(change);
  }

  /** Deletes expired cookies, in the write that a new cookie needs anyway. Compaction then drops their lines. */
  #sweep(): void {
    const now = this.#clock();
    const { table } = this.#openFile();
    table.sweepForwards();
    for (const cbtid of oldestExpired(table.records, now)) {
      this.delete(cbtid, new Date(now).toISOString()).catch((err: unknown) => {
        this.#log.debug({ err }, 'expired cookie stays for now');
      });
    }
  }

  async update(cbtid: string, change: CookieChange): Promise<CookieRecord> {
    return this.#submitKnown(alteration(cbtid, ownChange(change)));
  }

  async rotate(cbtid: string, successor: string, rotated: string, returned = true): Promise<CookieRecord> {
    return this.#submitKnown(rotation(cbtid, successor, rotated, returned));
  }

  async delete(cbtid: string, deleted: string): Promise<CookieEntry | undefined> {
    return this.#submit(deletion(cbtid, deleted));
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async unreturned(): Promise<readonly string[]> {
    return unreturnedIds(this.#openFile().table.records.values());
  }

  async evict(cbtid: string): Promise<void> {
    await this.#submit(eviction(cbtid));
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async entries(): Promise<number> {
    return this.#openFile().table.records.size;
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async list(): Promise<readonly CookieRecord[]> {
    return [...this.#openFile().table.records.values()];
  }

  /** Drops expired cookies from memory and file: `purge_on_startup` for a store that is open already. */
  async purge(): Promise<void> {
    const file = this.#openFile();
    const now = this.#clock();
    const expired = [...file.table.records.values()].filter((record) => isExpired(record, now));
    file.wantCompaction();
    const deleted = new Date(now).toISOString();
    await Promise.all([this.#submit(NO_CHANGE), ...expired.map(({ cbtid }) => this.delete(cbtid, deleted))]);
    await this.#queue.idle();
  }

  async compact(): Promise<Compaction> {
    const file = this.#openFile();
    const before = file.lines;
    await this.purge();
    if (file.isCompactionOwed)
      throw new CookieStoreError(`the cookie file ${this.#options.filename} could not be compacted`);
    return { before, after: file.lines };
  }

  /** @returns whether the store was opened with these options. */
  isKept({ sync, checksum }: FilePolicy): boolean {
    return sync === this.#options.sync && checksum === this.#options.checksum;
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    await this.#queue.idle();
    clearTimeout(this.#syncTimer);
    try {
      await this.#release();
    } catch (cause) {
      const { filename } = this.#options;
      throw new CookieStoreError(`the cookie file ${filename} cannot be closed: ${messageOf(cause)}`, { cause });
    }
  }

  async #release(): Promise<void> {
    try {
      if (this.#isUnsynced) await this.#opened?.file.sync();
    } finally {
      try {
        await this.#opened?.file.close();
      } finally {
        await this.#opened?.lock.release();
      }
    }
  }

  #openFile(): CookieFile {
    if (this.#closing !== undefined) throw new CookieStoreError('the cookie store is closed');
    if (this.#opened === undefined) throw new CookieStoreError('the cookie store is not open');
    return this.#opened.file;
  }

  #submit(change: Change): Promise<CookieEntry | undefined> {
    return new Promise((resolve, reject) => {
      this.#openFile();
      this.#queue.push({ change, resolve, reject });
    });
  }

  async #submitKnown(change: Change): Promise<CookieRecord> {
    const entry = await this.#submit(change);
    if (entry === undefined || isForward(entry)) throw new CookieStoreError('this cookie is not known');
    return entry;
  }

  async #commit(batch: readonly (Operation | 'sync')[]): Promise<void> {
    const file = this.#opened?.file;
    if (file === undefined) return; // nothing is submitted before the file is open
    await this.#write(
      batch.filter((item) => item !== 'sync'),
      file,
    );
    if (batch.includes('sync')) await this.#sync(file);
    await file.compactIfWorthwhile();
  }

  async #write(operations: readonly Operation[], file: CookieFile): Promise<void> {
    const { slots, lines, accepted } = stage(operations, (cbtid) => file.table.at(cbtid));
    const begunMs = performance.now();
    try {
      // Also without lines: what an earlier failure left could bring back what was deleted.
      await file.append(lines, this.#options.sync === 'always' ? 'now' : 'later');
    } catch (cause) {
      const error = new CookieStoreError(`the cookie file ${this.#options.filename} cannot be written`, { cause });
      for (const { operation } of accepted) operation.reject(error);
      return;
    }
    if (lines.length > 0) this.#syncs?.observe((performance.now() - begunMs) / 1000);
    for (const [cbtid, slot] of slots) file.table.set(cbtid, slot);
    for (const { operation, entry } of accepted) operation.resolve(entry);
    if (lines.length > 0 && this.#options.sync !== 'always') this.#oweSync();
  }

  #oweSync(): void {
    this.#isUnsynced = true;
    if (this.#options.sync === 'no' || this.#closing !== undefined) return;
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = undefined;
      this.#queue.push('sync');
    }, SYNC_INTERVAL_MS).unref();
  }

  /** The sync of `everysec`. The changes were acknowledged already, so all that is left is to try again. */
  async #sync(file: CookieFile): Promise<void> {
    try {
      await file.sync();
      this.#isUnsynced = false;
    } catch (err) {
      this.#log.error({ filename: this.#options.filename, err }, 'cookie file could not be synced');
      this.#oweSync();
    }
  }
}

/**
 * @returns the real path of a file, the same for all paths that lead to it, also before the file exists.
 * @throws CookieStoreError when its directory does not exist.
 */
export async function realFile(filename: string, fs: FileSystem): Promise<string> {
  const directory = dirname(filename);
  try {
    return await fs.realpath(filename);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  try {
    return join(await fs.realpath(directory), basename(filename));
  } catch (cause) {
    if (errorCode(cause) !== 'ENOENT') throw cause;
    throw new CookieStoreError(`there is no directory ${directory}`, { cause });
  }
}

/** @returns the error of a file that cannot be a cookie store. */
export function cannotOpen(filename: string, cause: unknown): CookieStoreError {
  const reason = messageOf(cause);
  return new CookieStoreError(`the cookie file ${filename} cannot be opened: ${reason}`, { cause });
}
