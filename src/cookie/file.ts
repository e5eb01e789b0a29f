/**
 * Keeps cookies in an append-only file in Crossbar.io's format, and all of them in memory for reading. It knows
 * nothing of HTTP, and a clock only for the purge.
 *
 *     change -> commit queue -> one write, one fdatasync -> memory -> the promise resolves
 *
 * - The memory changes only after the disk did. Until then `get` answers the old state, and a failed batch leaves no
 *   trace: all its changes reject, memory and file are as before. Nobody can ask for a cookie that is being created,
 *   because its id has not left the house. Changes of one cookie in one batch do see each other.
 * - Only the commit queue writes, also for compaction, so no change falls between an old and a new file.
 * - A deleted id stays deleted, and a replaced one replaced: its `deleted` line beats any other line in the file,
 *   earlier or later. Compaction drops all lines of the id together, and then it is unknown, which is the same to
 *   everybody: an id that a client presents is never adopted.
 */
import { basename, dirname, join } from 'node:path';

import { ownChange, ownRecord } from './auth-value.js';
import { CommitQueue } from './commit-queue.js';
import { CookieFile } from './cookie-file.js';
import { isExpired, oldestExpired } from './expiry.js';
import { alteration, creation, deletion, rotation, stage } from './file-change.js';
import { FileLock } from './file-lock.js';
import { errorCode, systemFiles } from './file-system.js';
import { systemProcesses } from './process-table.js';
import { CookieStoreError } from './store.js';
import type { Logger } from '../log/logger.js';
import type { Change, Operation } from './file-change.js';
import type { FileSystem } from './file-system.js';
import type { ProcessTable } from './process-table.js';
import type { CookieStoreType } from './store-type.js';
import type { CookieChange, CookieEntry, CookieRecord, CookieStore } from './store.js';

export const fileStore: CookieStoreType<'file'> = {
  type: 'file',
  create: ({ filename, purge_on_startup }, deps) => new FileCookieStore({ filename, purge: purge_on_startup }, deps),
  share: {
    key: async ({ filename }) => {
      try {
        return await realFile(filename, systemFiles);
      } catch (cause) {
        throw cannotOpen(filename, cause);
      }
    },
    join: async (store, { purge_on_startup }) => {
      if (purge_on_startup && store instanceof FileCookieStore) await store.purge();
    },
  },
};

export interface FileStoreOptions {
  /** An absolute path; its directory must exist. */
  readonly filename: string;
  /** Drop expired cookies while opening. */
  readonly purge: boolean;
}

export interface FileStoreDeps {
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
  readonly fs?: FileSystem;
  readonly processes?: ProcessTable;
}

/** The store type `file`. */
export class FileCookieStore implements CookieStore {
  readonly #options: FileStoreOptions;
  readonly #log: Logger;
  readonly #clock: () => number;
  readonly #fs: FileSystem;
  readonly #processes: ProcessTable;
  readonly #queue = new CommitQueue<Operation>((batch) => this.#commit(batch));
  #opened: { readonly file: CookieFile; readonly lock: FileLock } | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: FileStoreOptions, deps: FileStoreDeps) {
    this.#options = options;
    this.#log = deps.log;
    this.#clock = deps.clock ?? Date.now;
    this.#fs = deps.fs ?? systemFiles;
    this.#processes = deps.processes ?? systemProcesses;
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
    const lock = await FileLock.acquire(`${filename}.lock`, { fs: this.#fs, processes: this.#processes });
    try {
      const now = this.#clock();
      const isUnwanted = (record: CookieRecord): boolean => this.#options.purge && isExpired(record, now);
      const { fs, log, clock } = { fs: this.#fs, log: this.#log, clock: this.#clock };
      const file = await CookieFile.open({ filename, fs, log, clock, isUnwanted });
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
    return slot === 'deleted' ? undefined : slot;
  }

  async create(record: CookieRecord): Promise<void> {
    const change = creation(ownRecord(record));
    this.#sweep();
    await this.#submit(change);
  }

  /** Expired cookies leave in the write that a new one needs anyway; compaction then takes their lines. */
  #sweep(): void {
    const now = this.#clock();
    const { table } = this.#openFile();
    table.dropOldForwards(now);
    for (const cbtid of oldestExpired(table.records, now)) {
      this.delete(cbtid, new Date(now).toISOString()).catch((err: unknown) => {
        this.#log.debug({ err }, 'expired cookie stays for now');
      });
    }
  }

  async update(cbtid: string, change: CookieChange): Promise<CookieRecord> {
    return this.#submitKnown(alteration(cbtid, ownChange(change)));
  }

  async rotate(cbtid: string, successor: string, rotated: string): Promise<CookieRecord> {
    return this.#submitKnown(rotation(cbtid, successor, rotated));
  }

  async delete(cbtid: string, deleted: string): Promise<void> {
    await this.#submit(deletion(cbtid, deleted));
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async list(): Promise<readonly CookieRecord[]> {
    return [...this.#openFile().table.records.values()];
  }

  /** What `purge_on_startup` does, for a store that is open already: expired cookies leave memory and file. */
  async purge(): Promise<void> {
    const file = this.#openFile();
    const now = this.#clock();
    const expired = [...file.table.records.values()].filter((record) => isExpired(record, now));
    file.wantCompaction();
    await Promise.all(expired.map(({ cbtid }) => this.delete(cbtid, new Date(now).toISOString())));
    await this.#queue.idle();
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    await this.#queue.idle();
    try {
      await this.#opened?.file.close();
    } finally {
      await this.#opened?.lock.release();
    }
  }

  #openFile(): CookieFile {
    if (this.#closing !== undefined) throw new CookieStoreError('the cookie store is closed');
    if (this.#opened === undefined) throw new CookieStoreError('the cookie store is not open');
    return this.#opened.file;
  }

  #submit(change: Change): Promise<CookieRecord | undefined> {
    return new Promise((resolve, reject) => {
      this.#openFile();
      this.#queue.push({ change, resolve, reject });
    });
  }

  async #submitKnown(change: Change): Promise<CookieRecord> {
    const record = await this.#submit(change);
    if (record === undefined) throw new CookieStoreError('this cookie is not known');
    return record;
  }

  async #commit(batch: readonly Operation[]): Promise<void> {
    const file = this.#opened?.file;
    if (file === undefined) return; // nothing is submitted before the file is open
    const { slots, lines, accepted } = stage(batch, (cbtid) => file.table.at(cbtid));
    try {
      await file.append(lines); // also without lines: a deletion of nothing must not be undone by an earlier failure
    } catch (cause) {
      const error = new CookieStoreError(`the cookie file ${this.#options.filename} cannot be written`, { cause });
      for (const { operation } of accepted) operation.reject(error);
      return;
    }
    for (const [cbtid, slot] of slots) file.table.set(cbtid, slot);
    for (const { operation, record } of accepted) operation.resolve(record);
    await file.compactIfWorthwhile();
  }
}

/**
 * The one name of a file however many paths lead to it, also before it exists.
 * @throws CookieStoreError when its directory does not exist.
 */
async function realFile(filename: string, fs: FileSystem): Promise<string> {
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

function cannotOpen(filename: string, cause: unknown): CookieStoreError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CookieStoreError(`the cookie file ${filename} cannot be opened: ${reason}`, { cause });
}
