/**
 * The pieces of uploads that have not come to their end: a directory for each upload, named by its key, with a file for each piece.
 * A piece has its number for a name when it is whole and on the disk; until then its name ends in `.part`. So what is found after
 * a crash needs no explanation, and whoever knows the key goes on where it was.
 *
 *     piece: create `3.<random>.part` -> append ... -> length is right -> sync -> rename to `3` -> sync the directory
 *                | too long, too short, the client has left, no room: the file is removed
 *
 * The pieces of all uploads, and of those of one address, are bounded in bytes (as blocks of the disk) and in number (`accounts.ts`). It
 * knows no HTTP and no names of files.
 */
import path from 'node:path';
import { createHash } from 'node:crypto';
import { drawBytes } from '../../system/random.js';
import { Accounts } from './accounts.js';
import { RETRY_LATER, RefusedUpload, badField } from './refused-upload.js';
import { MAX_RECENT_PIECES, REPEATS_LAST_MS } from './repeats.js';
import type { Bound, Room } from './accounts.js';
import type { Turns } from '../../system/turns.js';
import type { UploadFiles } from './files.js';

/** What is kept of one upload. */
export interface Unfinished {
  readonly key: string;
  /** The pieces that are whole and on the disk: number -> length. */
  readonly pieces: Map<number, number>;
  /** Their lengths together. */
  received: number;
  /** When something last happened, in milliseconds since 1970. */
  touchedMs: number;
  /** How many requests are at it: it is not swept meanwhile. */
  users: number;
  /** The first event has been published. Until then all pieces are such as come again (`repeats.ts`). */
  isTold: boolean;
  /** Whose share it takes; undefined where nobody knows, as of one that was found at the start. */
  address: string | undefined;
  /** The pieces that came last: number -> a mark of the content. */
  readonly recent: Map<number, string>;
}

/** How much is kept. */
export interface UnfinishedLimits extends Room {
  /** By one address. */
  readonly perAddress: Room;
  /** For how long an upload that does not go on is kept, in milliseconds. */
  readonly idleMs: number;
}

export interface UnfinishedDeps {
  /** Where the directories of the uploads are, absolute. */
  readonly directory: string;
  readonly limits: UnfinishedLimits;
  readonly files: UploadFiles;
  /** Who may use the disk: there are few threads for it. */
  readonly disk: Turns;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** What a file takes at least: it is charged in such blocks, or tiny pieces would fill the disk. */
const BLOCK_BYTES = 4096;

const KEY = /^[0-9a-f]{64}$/;

/** All unfinished uploads of one service. */
export class UnfinishedUploads {
  readonly #deps: UnfinishedDeps;
  /** key -> upload */
  readonly #uploads = new Map<string, Unfinished>();
  /** key -> its removal from the disk, which is under way */
  readonly #removals = new Map<string, Promise<void>>();
  readonly #accounts: Accounts;

  constructor(deps: UnfinishedDeps) {
    this.#deps = deps;
    this.#accounts = new Accounts(deps.limits, deps.limits.perAddress);
  }

  /** How much is kept, with what is being written; and of how many addresses. */
  get size(): Room & { readonly addresses: number } {
    return { ...this.#accounts.taken, addresses: this.#accounts.addresses };
  }

  /** Finds what an earlier run has left, and removes pieces that were not whole. */
  async start(): Promise<void> {
    const { directory, files } = this.#deps;
    await files.makeDirectory(directory, 0o700);
    for (const name of await files.list(directory)) {
      if (KEY.test(name)) await this.#find(name);
    }
    await this.sweep();
  }

  /** @returns what there is of an upload; undefined when there is nothing. */
  find(key: string): Unfinished | undefined {
    return this.#uploads.get(key);
  }

  /**
   * Lets a request use an upload, which begins with it if need be.
   * @param address whose share it takes; undefined where the client has none.
   * @throws RefusedUpload (rejects) when there are too many.
   */
  async enter(key: string, address?: string): Promise<Unfinished> {
    await this.#removals.get(key);
    const upload = this.#uploads.get(key) ?? this.#begin(key, address);
    if (upload.address === undefined && upload.users === 0 && address !== undefined) {
      upload.address = address;
      this.#accounts.assign(address, { uploads: 1, diskBytes: diskBytesOf(upload.pieces) });
    }
    upload.users += 1;
    upload.touchedMs = this.#deps.clock();
    return upload;
  }

  /** The request is done with it. An upload of which nothing has come is forgotten. Never rejects. */
  async leave(upload: Unfinished): Promise<void> {
    upload.users -= 1;
    if (upload.users > 0 || upload.pieces.size > 0) return;
    // What cannot be removed now is at the next start.
    await this.remove(upload).catch(() => undefined);
  }

  /** @param length what the piece must have, in bytes. */
  piece(upload: Unfinished, number: number, length: number): PieceWriter {
    const file = path.join(this.#directoryOf(upload.key), `${String(number)}.${drawBytes(6).toString('hex')}.part`);
    return new PieceWriter({
      file,
      upload,
      number,
      length,
      store: this,
      files: this.#deps.files,
      disk: this.#deps.disk,
    });
  }

  /** @returns where a piece is that is whole. */
  fileOf({ key }: Unfinished, number: number): string {
    return path.join(this.#directoryOf(key), String(number));
  }

  /** Deletes an upload: it is finished, or stale. */
  async remove(upload: Unfinished): Promise<void> {
    if (this.#uploads.get(upload.key) !== upload) return;
    this.#uploads.delete(upload.key);
    this.#accounts.add(upload.address, { uploads: -1 });
    const removal = this.#deps.files.remove(this.#directoryOf(upload.key)).finally(() => {
      this.#removals.delete(upload.key);
      // What is being written is given back by those who write it.
      this.release(upload, diskBytesOf(upload.pieces));
    });
    this.#removals.set(upload.key, removal);
    await removal;
  }

  /** Deletes uploads that do not go on. @returns how many. */
  async sweep(): Promise<number> {
    const { clock, limits } = this.#deps;
    const before = (idleMs: number): number => clock() - idleMs;
    const stale = [...this.#uploads.values()].filter(
      ({ users, touchedMs, isTold }) => users === 0 && touchedMs < before(isTold ? limits.idleMs : REPEATS_LAST_MS),
    );
    for (const upload of stale) if (upload.users === 0) await this.remove(upload);
    return stale.length;
  }

  /** Reserves what a piece takes on the disk. @throws RefusedUpload when there is no room. */
  charge({ address }: Unfinished, diskBytes: number): void {
    const bound = this.#accounts.boundOf(address, { diskBytes });
    if (bound !== undefined) throw tooMany(bound, 'max_unfinished_size');
    this.#accounts.add(address, { diskBytes });
  }

  /** Gives it back. */
  release({ address }: Unfinished, diskBytes: number): void {
    this.#accounts.add(address, { diskBytes: -diskBytes });
  }

  /** Removes the directory of an upload that is gone, if a piece that came too late has made it again. */
  async sweepBehind({ key }: Unfinished): Promise<void> {
    if (!this.#uploads.has(key) && !this.#removals.has(key)) await this.#deps.files.remove(this.#directoryOf(key));
  }

  #begin(key: string, address: string | undefined): Unfinished {
    const bound = this.#accounts.boundOf(address, { uploads: 1 });
    if (bound !== undefined) throw tooMany(bound, 'max_unfinished');
    const upload = { ...newUpload(key), address };
    this.#uploads.set(key, upload);
    this.#accounts.add(address, { uploads: 1 });
    return upload;
  }

  async #find(key: string): Promise<void> {
    const { files } = this.#deps;
    const directory = this.#directoryOf(key);
    const pieces = new Map<number, number>();
    let touchedMs = 0;
    for (const name of await files.list(directory)) {
      const file = path.join(directory, name);
      if (!/^[1-9][0-9]*$/.test(name)) {
        await files.remove(file);
        continue;
      }
      const { size, changedMs } = await files.stat(file);
      pieces.set(Number(name), size);
      touchedMs = Math.max(touchedMs, changedMs);
    }
    if (pieces.size === 0) {
      await files.remove(directory);
      return;
    }
    const received = [...pieces.values()].reduce((sum, size) => sum + size, 0);
    this.#uploads.set(key, { ...newUpload(key), pieces, received, touchedMs, isTold: true });
    // It is there, whatever the limits are now.
    this.#accounts.add(undefined, { uploads: 1, diskBytes: diskBytesOf(pieces) });
  }

  #directoryOf(key: string): string {
    return path.join(this.#deps.directory, key);
  }
}

function newUpload(key: string): Unfinished {
  const state = { received: 0, touchedMs: 0, users: 0, isTold: false, address: undefined };
  return { key, pieces: new Map(), recent: new Map(), ...state };
}

interface PieceParts {
  readonly file: string;
  readonly upload: Unfinished;
  readonly number: number;
  readonly length: number;
  readonly store: UnfinishedUploads;
  readonly files: UploadFiles;
  readonly disk: Turns;
}

/**
 * Writes one piece. It is used by one request, one call after the other. Another request may bring the same piece meanwhile, and finish
 * the upload with it: then there is nothing left to be done here, and nothing to complain of.
 */
export class PieceWriter {
  readonly #parts: PieceParts;
  readonly #hash = createHash('sha256');
  #written = 0;
  #charged = 0;
  #isThere = false;
  #mark: string | undefined;

  constructor(parts: PieceParts) {
    this.#parts = parts;
  }

  /** What tells the content from any other, when all of it has come. */
  get mark(): string {
    this.#mark ??= this.#hash.digest('base64');
    return this.#mark;
  }

  /** @throws RefusedUpload (rejects) when it is too long, or there is no room; an error of the system. */
  async append(bytes: Uint8Array): Promise<void> {
    const { file, length, upload, store, files } = this.#parts;
    const written = this.#written + bytes.length;
    if (written > length) throw badField(`the piece is longer than ${String(length)} bytes`);
    this.#written = written;
    if (this.isNeedless) return;
    const more = blocks(written) - this.#charged;
    store.charge(upload, more);
    this.#charged += more;
    this.#hash.update(bytes);
    await this.#atDisk(async () => {
      if (!this.#isThere) await this.#create();
      await files.append(file, bytes);
    });
  }

  /**
   * The piece is whole: it counts as soon as it is on the disk.
   * @returns false when another request has brought it.
   * @throws as `append`
   */
  async commit(): Promise<boolean> {
    const { file, length, number, upload, store, files } = this.#parts;
    if (this.#written !== length) {
      throw badField(`the piece has ${String(this.#written)} bytes instead of ${String(length)}`);
    }
    const target = store.fileOf(upload, number);
    await this.#atDisk(async () => {
      await files.sync(file);
      if (this.isNeedless) return;
      await files.rename(file, target);
      await files.syncDirectory(path.dirname(target));
    });
    if (this.isNeedless) return false;
    upload.pieces.set(number, length);
    upload.received += length;
    remember(upload.recent, number, this.mark);
    this.#charged = 0;
    this.#isThere = false;
    return true;
  }

  /** Removes what was written, unless it has become a piece. Idempotent; never rejects. */
  async end(): Promise<void> {
    const { file, upload, store, files } = this.#parts;
    if (this.#isThere) await files.unlink(file).catch(() => undefined);
    if (this.#isThere) await store.sweepBehind(upload).catch(() => undefined);
    this.#isThere = false;
    store.release(upload, this.#charged);
    this.#charged = 0;
  }

  /** Another request has brought the same piece. */
  get isNeedless(): boolean {
    const { upload, number } = this.#parts;
    return upload.pieces.has(number);
  }

  async #atDisk(work: () => Promise<void>): Promise<void> {
    try {
      await inTurn(this.#parts.disk, async () => {
        if (!this.isNeedless) await work();
      });
    } catch (error) {
      // Its directory may have gone with the whole upload.
      if (!this.isNeedless) throw error;
    }
  }

  async #create(): Promise<void> {
    const { file, files } = this.#parts;
    await files.makeDirectory(path.dirname(file), 0o700);
    await files.create(file);
    this.#isThere = true;
  }
}

function remember(recent: Map<number, string>, number: number, mark: string): void {
  const [oldest] = recent.keys();
  if (recent.size >= MAX_RECENT_PIECES && oldest !== undefined) recent.delete(oldest);
  recent.set(number, mark);
}

/** Does something with the disk when it is its turn. */
export async function inTurn<T>(turns: Turns, work: () => Promise<T>): Promise<T> {
  const giveBack = await turns.take();
  try {
    return await work();
  } finally {
    giveBack();
  }
}

function diskBytesOf(pieces: ReadonlyMap<number, number>): number {
  return [...pieces.values()].reduce((sum, size) => sum + blocks(size), 0);
}

function blocks(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

function tooMany(bound: Bound, what: 'max_unfinished' | 'max_unfinished_size'): RefusedUpload {
  const option = bound === 'all' ? what : `${what}_per_address`;
  return new RefusedUpload({
    status: 503,
    text: bound === 'all' ? 'too many uploads are unfinished' : 'too many uploads of this address are unfinished',
    kind: option,
    remedy: `raise the "${option}" of this upload, or let unfinished uploads be deleted earlier ("unfinished_timeout")`,
    headers: RETRY_LATER,
  });
}
