/**
 * Keeps cookies in a bucket of NATS that all nodes share: a login at one of them counts at all, a logout ends the sessions everywhere.
 *
 *     change -> a new version, created -> JetStream has it -> our watch tells it -> the promise resolves
 *     get    -> the copy that the watch keeps; the bucket is asked only for ids that the copy does not know
 *     latest -> the copy, unless the bucket has the next version already
 *
 * Two nodes that change a cookie at once both create its next version: one is first, and the other looks again at what the cookie is
 * now. So no logout is undone and no login lost, without an update by revision (`engine.ts` says why). A rotation writes the successor
 * first, which counts from the moment at which the old id leads there: that is one version of the old id, so it is both or neither.
 */
import { CookieStoreError } from '../error.js';
import { GENEROUS, expiryOf } from '../expiry.js';
import { forwardTo } from '../forwards.js';
import { ownChange, ownRecord, withChange } from '../record-copy.js';
import { RepeatedLog } from '../../log/repeated.js';
import { inSlices } from '../slices.js';
import { isForward, isUnreturned } from '../store.js';
import { isConflict } from '../../engine/engine.js';
import { whenAvailable } from '../../engine/patience.js';
import { messageOf } from '../../system/error.js';
import { InTurn } from './in-turn.js';
import { untold } from './copy.js';
import { BucketLink } from './link.js';
import { sweep } from './sweep.js';
import { MARGIN_MS } from './table.js';
import { encodeVersion, hashOf, isGone, seenKey, versionKey } from './values.js';
import { Watchers } from '../watchers.js';
import type { Logger } from '../../log/logger.js';
import type { Histogram } from '../../metrics/histogram.js';
import type { Engine } from '../../engine/engine.js';
import type { BucketLinkDeps } from './link.js';
import type { Compaction, CookieChange, CookieEntry, CookieRecord, CookieStore, Here } from '../store.js';
import type { Slot, Table } from './table.js';
import type { Gone, Held } from './values.js';

export interface NatsStoreDeps {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: Logger;
  readonly syncs?: Histogram | undefined;
  /** Rejects with EngineError, or OptionalPackageError. */
  readonly connect: () => Promise<Engine>;
  /** How long it is tried to open the store while NATS cannot serve, in milliseconds; by default once. */
  readonly patienceMs?: number;
}

/** How often what is over is erased, in milliseconds. */
const SWEEP_EVERY_MS = 60_000;

/** How long the mark of a cookie stays that nobody came back with, in milliseconds. Strangers can make many. */
export const EVICTED_MS = 60_000;

/** How often a change is tried again because another node was first. */
const ATTEMPTS = 32;

/** The store type `nats`. */
export class NatsCookieStore implements CookieStore {
  readonly #bucket: string;
  readonly #deps: NatsStoreDeps;
  readonly #repeated: RepeatedLog;
  readonly #turns = new InTurn();
  readonly #watchers = new Watchers();
  #link: BucketLink | undefined;
  #closing: Promise<void> | undefined;
  #sweepTimer: NodeJS.Timeout | undefined;

  /** @param bucket its name. */
  constructor(bucket: string, deps: NatsStoreDeps) {
    this.#bucket = bucket;
    this.#deps = deps;
    this.#repeated = new RepeatedLog(deps.log);
  }

  async open(): Promise<void> {
    const { clock, connect, patienceMs = 0, log } = this.#deps;
    const linkDeps: BucketLinkDeps = {
      clock,
      // Also of what was deleted here: another node may have given the cookie its id, of which nobody knows here.
      onGone: (hash) => this.#watchers.gone(this.#table.idsOf(hash)),
      onPutBack: (count) =>
        log.warn({ bucket: this.#bucket, count }, 'changes of cookies that NATS had lost were put back'),
      onCaughtUp: () => void this.#watchers.lookAll((cbtid) => this.#isLoggedOut(cbtid)),
    };
    const waiting = (problem: string): void =>
      log.warn({ bucket: this.#bucket, problem }, 'waits for the cookie store in NATS');
    try {
      // A server of NATS that died a moment ago may have led the bucket: the others elect another one.
      this.#link = await whenAvailable(async () => BucketLink.open(await connect(), this.#bucket, linkDeps), {
        ...{ ms: patienceMs, waiting },
      });
    } catch (cause) {
      const text = `the cookie store in the bucket ${this.#bucket} of NATS cannot be opened: ${messageOf(cause)}`;
      throw new CookieStoreError(text, { cause });
    }
    this.#sweepTimer = setInterval(() => this.#sweep(), SWEEP_EVERY_MS).unref();
  }

  async get(cbtid: string): Promise<CookieEntry | undefined> {
    return this.#answer(() => this.#entry(hashOf(cbtid)));
  }

  latest(cbtid: string): Promise<CookieEntry | undefined> {
    return this.#answer(async () => {
      const hash = hashOf(cbtid);
      const link = this.#opened();
      if ((await link.bucket.get(versionKey(hash, this.#next(hash)))) !== undefined) await link.barrier();
      return this.#table.entry(hash);
    });
  }

  create(record: CookieRecord): Promise<void> {
    return this.#change([record.cbtid], async ([hash = '']) => {
      const own = ownRecord(record);
      if (this.#slot(hash) !== undefined || !(await this.#append(hash, 0, own))) throw taken();
    });
  }

  update(cbtid: string, change: CookieChange): Promise<CookieRecord> {
    return this.#change([cbtid], ([hash = '']) =>
      this.#again(async () => {
        const own = ownChange(change);
        const record = await this.#known(hash);
        const changed = withChange(record, own);
        if (changed === record) return record;
        if ('seen' in own) return this.#note(hash, own.seen);
        return (await this.#append(hash, this.#next(hash), changed)) ? changed : undefined;
      }),
    );
  }

  rotate(cbtid: string, successor: string, rotated: string, returned = true): Promise<CookieRecord> {
    return this.#change([cbtid, successor], async ([hash = '', newHash = '']) => {
      let moved = { ...(await this.#known(hash)), cbtid: successor, rotated, returned: false };
      const isFree = cbtid !== successor && this.#slot(newHash) === undefined;
      if (!isFree || !(await this.#append(newHash, 0, moved, hash))) throw taken();
      return this.#again(async () => {
        const record = await this.#known(hash);
        const version = this.#next(hash);
        const { auth, modified, seen } = record;
        // Another node has changed the record meanwhile. Nobody else knows the successor yet.
        if (auth !== moved.auth || modified !== moved.modified || seen !== moved.seen) {
          moved = { ...moved, auth, modified, seen };
          await this.#put(versionKey(newHash, 0), encodeVersion(moved, hash));
        }
        const forward = forwardTo({ cbtid: successor, rotated }, cbtid, returned);
        return (await this.#append(hash, version, forward)) ? moved : undefined;
      });
    });
  }

  delete(cbtid: string, _deleted?: string, isTold = true): Promise<CookieEntry | undefined> {
    return this.#change([cbtid], async ([hash = '']) => {
      const { entry } = await this.#again(async () => {
        const found = await this.#entry(hash);
        if (found === undefined) return { entry: undefined };
        const gone = this.#goneOf(hash, found, isTold);
        return (await this.#append(hash, this.#next(hash), gone)) ? { entry: found } : undefined;
      });
      return entry;
    });
  }

  evict(cbtid: string): Promise<void> {
    return this.#change([cbtid], async ([hash = '']) => {
      const entry = await this.#entry(hash);
      if (entry === undefined || isForward(entry) || !isUnreturned(entry)) return;
      const gone = { gone: cbtid, until: this.#deps.clock() + EVICTED_MS, told: false };
      // When another node is first, somebody came back with it, or it is gone.
      await this.#append(hash, this.#next(hash), gone);
    });
  }

  unreturned(): Promise<readonly string[]> {
    return this.#answer(async () => {
      const found: CookieRecord[] = [];
      await this.#eachRecord((record) => isUnreturned(record) && found.push(record));
      return found.sort((a, b) => (a.created < b.created ? -1 : 1)).map(({ cbtid }) => cbtid);
    });
  }

  list(): Promise<readonly CookieRecord[]> {
    return this.#answer(async () => {
      const records: CookieRecord[] = [];
      await this.#eachRecord((record) => records.push(record));
      return records;
    });
  }

  entries(): Promise<number> {
    return this.#answer(() => Promise.resolve(this.#table.size));
  }

  /** @returns how many ids are known, and of how many the value cannot be read. */
  count(): Promise<{ readonly values: number; readonly damaged: number }> {
    return this.#answer(async () => {
      let damaged = 0;
      await inSlices(this.#table.slots(), ([, { version, held }]) => {
        if (version >= 0 && held === undefined) damaged += 1;
      });
      return { values: this.#table.size, damaged };
    });
  }

  compact(): Promise<Compaction> {
    return this.#answer(async () => {
      const before = this.#table.size;
      const { bucket, copy } = this.#opened();
      await sweep(bucket, copy, this.#deps.clock);
      return { before, after: this.#table.size };
    });
  }

  watch(here: Here, onGone: (cbtid: string) => void): () => void {
    return this.#watchers.add(here, onGone);
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    clearInterval(this.#sweepTimer);
    this.#watchers.end();
    await this.#turns.idle();
    this.#repeated.end();
    await this.#link?.end();
  }

  #opened(): BucketLink {
    if (this.#link === undefined) throw new CookieStoreError('the cookie store is not open');
    return this.#link;
  }

  get #table(): Table {
    return this.#opened().copy.table;
  }

  #slot(hash: string): Slot | undefined {
    const slot = this.#table.at(hash);
    return slot === undefined || slot.version === -1 ? undefined : slot;
  }

  #next(hash: string): number {
    return (this.#table.at(hash)?.version ?? -1) + 1;
  }

  async #entry(hash: string): Promise<CookieEntry | undefined> {
    if (this.#slot(hash) === undefined) {
      const link = this.#opened();
      // Another node may have made it a moment ago.
      if ((await link.bucket.get(versionKey(hash, 0))) !== undefined) await link.barrier();
    }
    return this.#table.entry(hash);
  }

  async #known(hash: string): Promise<CookieRecord> {
    const entry = await this.#entry(hash);
    if (entry === undefined || isForward(entry)) throw new CookieStoreError('this cookie is not known');
    return entry;
  }

  /** @returns false when another node was first: then what it wrote is known. */
  async #append(hash: string, version: number, held: Held, from?: string): Promise<boolean> {
    const link = this.#opened();
    const value = this.#fitting(encodeVersion(held, from));
    try {
      await this.#written((bucket) => bucket.create(versionKey(hash, version), value));
      // NATS may lose what it has just confirmed (2.9.10): then nobody was told of it.
      if ((this.#table.at(hash)?.version ?? -1) < version) throw untold();
      return true;
    } catch (error) {
      if (!isConflict(error)) throw error;
      await link.barrier();
      return false;
    }
  }

  #put(key: string, value: Uint8Array): Promise<void> {
    return this.#written((bucket) => bucket.put(key, this.#fitting(value)));
  }

  /** Resolves when what was written is known here, too. */
  async #written(write: (bucket: BucketLink['bucket']) => Promise<number>): Promise<void> {
    const { bucket, copy } = this.#opened();
    const begunMs = performance.now();
    const revision = await write(bucket);
    this.#deps.syncs?.observe((performance.now() - begunMs) / 1000);
    await copy.reach(revision);
  }

  #fitting(value: Uint8Array): Uint8Array {
    const { maxMessageBytes } = this.#opened().engine;
    if (value.length <= maxMessageBytes) return value;
    throw new CookieStoreError(`the login cannot be stored: it is larger than NATS takes (${maxMessageBytes} bytes)`);
  }

  async #note(hash: string, seen: string): Promise<CookieRecord> {
    await this.#put(seenKey(hash), Buffer.from(seen));
    return this.#known(hash);
  }

  #goneOf(hash: string, entry: CookieEntry, told: boolean): Gone {
    const now = this.#deps.clock();
    const record = this.#table.end(hash);
    const until = (record === undefined ? now : expiryOf(record, now, GENEROUS)) + MARGIN_MS;
    const gone = { gone: entry.cbtid, until, told };
    return isForward(entry) ? { ...gone, movedTo: hashOf(entry.moved_to) } : gone;
  }

  /** Tries until no other node is first. */
  async #again<T>(attempt: () => Promise<T | undefined>): Promise<T> {
    for (let count = 0; count < ATTEMPTS; count += 1) {
      const result = await attempt();
      if (result !== undefined) return result;
    }
    const cause = new Error('other nodes change the cookie all the time');
    throw new CookieStoreError('the cookie could not be changed', { cause });
  }

  #eachRecord(see: (record: CookieRecord) => void): Promise<void> {
    const table = this.#table;
    return inSlices(table.slots(), ([hash]) => {
      const entry = table.entry(hash);
      if (entry !== undefined && !isForward(entry)) see(entry);
    });
  }

  /** One change of an id after the other. */
  #change<T>(cbtids: readonly string[], work: (hashes: readonly string[]) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(closed());
    const hashes = cbtids.map(hashOf);
    return this.#turns.take(hashes, () => this.#run(() => work(hashes)));
  }

  #answer<T>(work: () => Promise<T>): Promise<T> {
    return this.#closing === undefined ? this.#run(work) : Promise.reject(closed());
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    try {
      const catchingUp = this.#opened().current();
      if (catchingUp !== undefined) await catchingUp;
      return await work();
    } catch (error) {
      if (error instanceof CookieStoreError) throw error;
      const text = `the cookie store in the bucket ${this.#bucket} of NATS failed: ${messageOf(error)}`;
      throw new CookieStoreError(text, { cause: error });
    }
  }

  /** Also under an id that took its place. */
  #isLoggedOut(cbtid: string): boolean {
    let hash = hashOf(cbtid);
    for (;;) {
      const held = this.#table.at(hash)?.held;
      if (held === undefined) return false;
      if (isGone(held)) return held.told;
      if (!isForward(held)) return false;
      hash = hashOf(held.moved_to);
    }
  }

  #sweep(): void {
    const { engine, bucket, copy } = this.#opened();
    if (!engine.isUp) return;
    sweep(bucket, copy, this.#deps.clock).catch((err: unknown) => {
      this.#repeated.say('warn', { err, bucket: this.#bucket }, 'expired cookies could not be erased');
    });
  }
}

function closed(): CookieStoreError {
  return new CookieStoreError('the cookie store is closed');
}

function taken(): CookieStoreError {
  return new CookieStoreError('this cookie id is taken');
}
