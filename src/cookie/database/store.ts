/**
 * Keeps cookies in an LMDB database that several processes of one machine can have open at the same time: a login at one of
 * them counts at all. How requests are done is in `engine.ts`.
 *
 *     request -> commit queue -> thread -> one transaction, synced -> the promise resolves
 */
import { mkdir, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';

import { deepFreeze, ownChange, ownRecord } from '../record-copy.js';
import { CommitQueue } from '../file/commit-queue.js';
import { openInThread } from '../database-thread.js';
import { errorCode, messageOf } from '../../system/error.js';
import { CookieStoreError } from '../error.js';
import { RepeatedLog } from '../../log/repeated.js';
import type { Logger } from '../../log/logger.js';
import type { Histogram } from '../../metrics/histogram.js';
import { DatabaseWatch, LOOK_EVERY_MS } from './watch.js';
import { isReading } from './reading.js';
import { prepareSignal, watchSignal } from './signal.js';
import type { DatabaseAnswer, DatabaseCount, DatabaseOptions, DatabaseRequest, DatabaseValue } from './engine.js';
import { checkDatabaseFile } from './file-check.js';
import type { DatabaseConnection } from '../database-thread.js';
import type { CookieStoreType } from '../store-type.js';
import type { Compaction, CookieChange, CookieEntry, CookieRecord, CookieStore, Here } from '../store.js';

export const databaseStore: CookieStoreType<'database'> = {
  type: 'database',
  create: ({ path, maxsize, readonly, sync, purge_on_startup }, deps) =>
    new DatabaseCookieStore({ path, maxsize, readonly, sync, purge: purge_on_startup }, deps),
  place: ({ path }) => ({ path }),
  share: {
    key: async ({ path, readonly }) => {
      if (!readonly) await makeDirectory(path);
      try {
        return await realpath(path);
      } catch (cause) {
        throw cannotOpen(path, cause);
      }
    },
    // The first section has opened the database, and may have emptied it. The config check makes sure that all agree.
    join: () => Promise.resolve(),
  },
};

export interface DatabaseStoreDeps {
  readonly log: Logger;
  readonly syncs?: Histogram | undefined;
  /** Default: {@link openInThread}. */
  readonly connect?: (options: DatabaseOptions) => Promise<DatabaseConnection>;
  /** How often {@link DatabaseCookieStore.watch} looks, in milliseconds; default {@link LOOK_EVERY_MS}. */
  readonly lookEveryMs?: number;
}

/** A request that waits for its batch. */
interface Task {
  readonly request: DatabaseRequest;
  readonly resolve: (value: DatabaseValue) => void;
  readonly reject: (error: CookieStoreError) => void;
}

/** The store type `database`. */
export class DatabaseCookieStore implements CookieStore {
  readonly #options: DatabaseOptions;
  readonly #repeated: RepeatedLog;
  readonly #syncs: Histogram | undefined;
  readonly #connect: (options: DatabaseOptions) => Promise<DatabaseConnection>;
  readonly #queue = new CommitQueue<Task>((batch) => this.#commit(batch));
  // undefined before `open`, and after the thread was lost
  #connection: DatabaseConnection | undefined;
  #isOpen = false;
  #closing: Promise<void> | undefined;
  readonly #lookEveryMs: number;
  readonly #watches = new Set<DatabaseWatch>();

  constructor(
    options: DatabaseOptions,
    { log, syncs, connect = openInThread, lookEveryMs = LOOK_EVERY_MS }: DatabaseStoreDeps,
  ) {
    this.#syncs = syncs;
    this.#options = options;
    this.#lookEveryMs = lookEveryMs;
    this.#repeated = new RepeatedLog(log);
    this.#connect = connect;
  }

  async open(): Promise<void> {
    const { path, readonly } = this.#options;
    if (!readonly) await makeDirectory(path);
    try {
      await checkDatabaseFile(path, readonly);
      this.#connection = await this.#connect(this.#options);
    } catch (cause) {
      throw cannotOpen(path, cause);
    }
    if (!readonly) await prepareSignal(path);
    this.#isOpen = true;
  }

  async get(cbtid: string): Promise<CookieEntry | undefined> {
    return oneOf(await this.#submit({ do: 'get', cbtid }));
  }

  async create(record: CookieRecord): Promise<void> {
    await this.#submit({ do: 'create', record: ownRecord(record) });
  }

  async update(cbtid: string, change: CookieChange): Promise<CookieRecord> {
    return recordOf(await this.#submit({ do: 'update', cbtid, change: ownChange(change) }));
  }

  async rotate(cbtid: string, successor: string, rotated: string, returned = true): Promise<CookieRecord> {
    return recordOf(await this.#submit({ do: 'rotate', cbtid, successor, rotated, returned }));
  }

  async delete(cbtid: string, _deleted?: string, isTold = true): Promise<CookieEntry | undefined> {
    return oneOf(await this.#submit({ do: 'delete', cbtid, isTold }));
  }

  async unreturned(): Promise<readonly string[]> {
    const value = await this.#submit({ do: 'unreturned' });
    return isList(value) ? value.filter((each) => typeof each === 'string') : [];
  }

  async evict(cbtid: string): Promise<void> {
    await this.#submit({ do: 'evict', cbtid });
  }

  async list(): Promise<readonly CookieRecord[]> {
    const value = await this.#submit({ do: 'list' });
    return isList(value) ? value.filter((each) => typeof each !== 'string').map((record) => deepFreeze(record)) : [];
  }

  /** Removes what is expired. The file does not shrink: LMDB uses the room again. */
  async purge(): Promise<void> {
    await this.#submit({ do: 'purge' });
  }

  async compact(): Promise<Compaction> {
    const { values: before } = await this.count();
    await this.purge();
    const { values: after } = await this.count();
    return { before, after };
  }

  async entries(): Promise<number> {
    const value = await this.#submit({ do: 'entries' });
    return typeof value === 'number' ? value : 0;
  }

  async count(): Promise<DatabaseCount> {
    const value = await this.#submit({ do: 'count' });
    return typeof value === 'object' && 'damaged' in value ? value : { values: 0, damaged: 0 };
  }

  watch(here: Here, onGone: (cbtid: string) => void): () => void {
    const watch = new DatabaseWatch({
      ask: (request) => this.#askFor(request),
      everyMs: this.#lookEveryMs,
      onSignal: (listener) => watchSignal(this.#options.path, listener),
      ...{ here, onGone },
      onFailure: (err) => this.#repeated.say('warn', { err }, 'logouts of other nodes cannot be looked for'),
    });
    this.#watches.add(watch);
    return () => {
      this.#watches.delete(watch);
      watch.stop();
    };
  }

  /** That another process has written is told once: all have to look then. */
  async #askFor(request: DatabaseRequest): Promise<DatabaseValue> {
    const value = await this.#submit(request);
    if (request.do === 'changed' && value === true) for (const watch of this.#watches) watch.mustLook();
    return value;
  }

  close(): Promise<void> {
    for (const watch of this.#watches) watch.stop();
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    await this.#queue.idle();
    this.#repeated.end();
    try {
      await this.#connection?.close();
    } catch (cause) {
      const { path } = this.#options;
      throw new CookieStoreError(`the cookie database ${path} cannot be closed: ${messageOf(cause)}`, { cause });
    }
  }

  #submit(request: DatabaseRequest): Promise<DatabaseValue> {
    return new Promise((resolve, reject) => {
      if (this.#closing !== undefined) throw new CookieStoreError('the cookie store is closed');
      if (!this.#isOpen) throw new CookieStoreError('the cookie store is not open');
      this.#queue.push({ request, resolve, reject });
    });
  }

  async #commit(batch: readonly Task[]): Promise<void> {
    let answers: readonly DatabaseAnswer[];
    try {
      // A lost thread is replaced. The database is not emptied again, even where it was at the start.
      this.#connection ??= await this.#connectAgain();
      const begunMs = performance.now();
      answers = await this.#connection.run(batch.map(({ request }) => request));
      if (!batch.every(({ request }) => isReading(request))) {
        this.#syncs?.observe((performance.now() - begunMs) / 1000);
      }
    } catch (err) {
      this.#repeated.say('error', { path: this.#options.path, err }, 'cookie database lost');
      await this.#disconnect();
      answers = batch.map(() => ({ failed: messageOf(err) }));
    }
    for (const [index, task] of batch.entries()) this.#settle(task, answers[index]);
  }

  async #connectAgain(): Promise<DatabaseConnection> {
    const { path, readonly } = this.#options;
    if (!readonly) await makeDirectory(path);
    return this.#connect({ ...this.#options, purge: false });
  }

  /** A lost thread may fail to close, which no longer matters. */
  async #disconnect(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await Promise.allSettled([connection?.close()]);
  }

  #settle({ resolve, reject }: Task, answer: DatabaseAnswer = { failed: 'no answer' }): void {
    if ('value' in answer) resolve(answer.value);
    else if ('refused' in answer) reject(new CookieStoreError(answer.refused));
    else {
      const message = `the cookie database ${this.#options.path} failed: ${answer.failed}`;
      reject(new CookieStoreError(message, { cause: new Error(answer.failed) }));
    }
  }
}

function isList(value: DatabaseValue): value is readonly CookieRecord[] | readonly string[] {
  return Array.isArray(value);
}

function oneOf(value: DatabaseValue): CookieEntry | undefined {
  return typeof value !== 'object' || isList(value) || 'damaged' in value ? undefined : deepFreeze(value);
}

function recordOf(value: DatabaseValue): CookieRecord {
  const entry = oneOf(value);
  if (entry === undefined || !('auth' in entry)) throw new CookieStoreError('this cookie is not known');
  return entry;
}

/** LMDB itself would make the directory readable for everybody, and its parents as well. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (cause) {
    const code = errorCode(cause);
    if (code === 'EEXIST') return;
    const reason = code === 'ENOENT' ? new Error(`there is no directory ${dirname(path)}`) : cause;
    throw cannotOpen(path, reason);
  }
}

/** @returns the error of a database that cannot be opened. */
export function cannotOpen(path: string, cause: unknown): CookieStoreError {
  const reason = messageOf(cause);
  return new CookieStoreError(`the cookie database ${path} cannot be opened: ${reason}`, { cause });
}
