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
 * - A deleted id stays deleted: its `deleted` line beats any other line in the file, earlier or later. Compaction
 *   drops all lines of the id together, and then it is unknown, which is the same to everybody: an id that a client
 *   presents is never adopted.
 */
import { basename, dirname, join } from 'node:path';

import { ownAuth, withAuth } from './auth-value.js';
import { CommitQueue } from './commit-queue.js';
import { CookieFile } from './cookie-file.js';
import { isExpired, oldestExpired } from './expiry.js';
import { deletedLine, liveLine } from './file-line.js';
import { FileLock } from './file-lock.js';
import { errorCode, systemFiles } from './file-system.js';
import { systemProcesses } from './process-table.js';
import { CookieStoreError } from './store.js';
import type { Logger } from '../log/logger.js';
import type { FileSystem } from './file-system.js';
import type { ProcessTable } from './process-table.js';
import type { CookieStoreType } from './store-type.js';
import type { CookieAuth, CookieRecord, CookieStore } from './store.js';

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

/** A cookie as a change finds it. */
interface Current {
  readonly record: CookieRecord | undefined;
  readonly isDeleted: boolean;
}

/** What a change makes of it. Without `line` nothing has to be written. */
interface Outcome {
  readonly line?: string;
  readonly record: CookieRecord | undefined;
}

interface Operation {
  readonly cbtid: string;
  /** Throws to reject this operation alone. */
  readonly change: (current: Current) => Outcome;
  readonly resolve: (record: CookieRecord | undefined) => void;
  readonly reject: (error: unknown) => void;
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
      this.#log.debug({ filename, cookies: this.#opened.file.records.size }, 'cookie file loaded');
    } catch (cause) {
      throw cannotOpen(this.#options.filename, cause);
    }
  }

  async #lockAndLoad(filename: string): Promise<{ file: CookieFile; lock: FileLock }> {
    const lock = await FileLock.acquire(`${filename}.lock`, { fs: this.#fs, processes: this.#processes });
    try {
      const now = this.#clock();
      const isUnwanted = (record: CookieRecord): boolean => this.#options.purge && isExpired(record, now);
      const file = await CookieFile.open({ filename, fs: this.#fs, log: this.#log, isUnwanted });
      return { file, lock };
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  // An async function so that a refusal becomes a rejection.
  // eslint-disable-next-line @typescript-eslint/require-await
  async get(cbtid: string): Promise<CookieRecord | undefined> {
    return this.#openFile().records.get(cbtid);
  }

  async create(record: CookieRecord): Promise<void> {
    const own = { ...record, auth: ownAuth(record.auth) };
    this.#sweep();
    await this.#submit(record.cbtid, (current) => {
      if (current.record !== undefined || current.isDeleted) throw new CookieStoreError('this cookie id is taken');
      return { line: liveLine(own), record: own };
    });
  }

  /** Expired cookies leave in the write that a new one needs anyway; compaction then takes their lines. */
  #sweep(): void {
    const now = this.#clock();
    for (const cbtid of oldestExpired(this.#openFile().records, now)) {
      this.delete(cbtid, new Date(now).toISOString()).catch((err: unknown) => {
        this.#log.debug({ err }, 'expired cookie stays for now');
      });
    }
  }

  async setAuth(cbtid: string, auth: CookieAuth | null, modified: string): Promise<CookieRecord> {
    const own = ownAuth(auth);
    const known = await this.#submit(cbtid, ({ record }) => {
      if (record === undefined) return { record };
      const changed = withAuth(record, own, modified);
      return changed === record ? { record } : { line: liveLine(changed), record: changed };
    });
    if (known === undefined) throw new CookieStoreError('this cookie is not known');
    return known;
  }

  async delete(cbtid: string, deleted: string): Promise<void> {
    await this.#submit(cbtid, ({ record }) =>
      record === undefined ? { record } : { line: deletedLine(record, deleted), record: undefined },
    );
  }

  /** What `purge_on_startup` does, for a store that is open already: expired cookies leave memory and file. */
  async purge(): Promise<void> {
    const file = this.#openFile();
    const now = this.#clock();
    const expired = [...file.records.values()].filter((record) => isExpired(record, now));
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

  #submit(cbtid: string, change: Operation['change']): Promise<CookieRecord | undefined> {
    return new Promise((resolve, reject) => {
      this.#openFile();
      this.#queue.push({ cbtid, change, resolve, reject });
    });
  }

  async #commit(batch: readonly Operation[]): Promise<void> {
    const file = this.#opened?.file;
    if (file === undefined) return; // nothing is submitted before the file is open
    const { staged, lines, accepted } = stage(batch, file);
    try {
      await file.append(lines); // also without lines: a deletion of nothing must not be undone by an earlier failure
    } catch (cause) {
      const error = new CookieStoreError(`the cookie file ${this.#options.filename} cannot be written`, { cause });
      for (const { operation } of accepted) operation.reject(error);
      return;
    }
    for (const [cbtid, record] of staged) {
      if (record === undefined) {
        file.records.delete(cbtid);
        file.tombstones.add(cbtid);
      } else {
        file.records.set(cbtid, record);
      }
    }
    for (const { operation, outcome } of accepted) operation.resolve(outcome.record);
    await file.compactIfWorthwhile();
  }
}

interface Staged {
  /** id -> new state; undefined for deleted */
  readonly staged: ReadonlyMap<string, CookieRecord | undefined>;
  readonly lines: readonly string[];
  readonly accepted: readonly { readonly operation: Operation; readonly outcome: Outcome }[];
}

/** Works out what a batch makes of the file, in order, without touching anything. */
function stage(batch: readonly Operation[], file: CookieFile): Staged {
  const staged = new Map<string, CookieRecord | undefined>();
  const lines: string[] = [];
  const accepted: Staged['accepted'][number][] = [];
  for (const operation of batch) {
    const { cbtid } = operation;
    const record = staged.has(cbtid) ? staged.get(cbtid) : file.records.get(cbtid);
    const isDeleted = staged.has(cbtid) ? record === undefined : file.tombstones.has(cbtid);
    try {
      const outcome = operation.change({ record, isDeleted });
      if (outcome.line !== undefined) {
        staged.set(cbtid, outcome.record);
        lines.push(outcome.line);
      }
      accepted.push({ operation, outcome });
    } catch (error) {
      operation.reject(error);
    }
  }
  return { staged, lines, accepted };
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
