/**
 * The pieces of uploads that have not come to their end: a directory for each upload, named by its key, with a file for each piece.
 * A piece has its number for a name when it is whole and on the disk; until then its name ends in `.part`. So what is found after
 * a crash needs no explanation, and whoever knows the key goes on where it was.
 *
 *     piece: create `3.<random>.part` -> append ... -> length is right -> sync -> rename to `3` -> sync the directory
 *                | too long, too short, the client has left, no room: the file is removed
 *
 * The pieces of all uploads are bounded in bytes (as blocks of the disk) and in number. It knows no HTTP and no names of files.
 */
import path from 'node:path';
import { drawBytes } from '../../system/random.js';
import { RETRY_LATER, RefusedUpload, badField } from './refused-upload.js';
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
  /** The first event has been published. */
  isTold: boolean;
}

/** How much is kept. */
export interface UnfinishedLimits {
  readonly uploads: number;
  readonly diskBytes: number;
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
  #diskBytes = 0;

  constructor(deps: UnfinishedDeps) {
    this.#deps = deps;
  }

  /** How much is kept; with what is being written. */
  get size(): { readonly uploads: number; readonly diskBytes: number } {
    return { uploads: this.#uploads.size, diskBytes: this.#diskBytes };
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
   * @throws RefusedUpload (rejects) when there are too many.
   */
  async enter(key: string): Promise<Unfinished> {
    await this.#removals.get(key);
    const upload = this.#uploads.get(key) ?? this.#begin(key);
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
    const removal = this.#deps.files.remove(this.#directoryOf(upload.key)).finally(() => {
      this.#removals.delete(upload.key);
      // What is being written is given back by those who write it.
      this.release(diskBytesOf(upload.pieces));
    });
    this.#removals.set(upload.key, removal);
    await removal;
  }

  /** Deletes uploads that do not go on. @returns how many. */
  async sweep(): Promise<number> {
    const { clock, limits } = this.#deps;
    const before = clock() - limits.idleMs;
    const stale = [...this.#uploads.values()].filter(({ users, touchedMs }) => users === 0 && touchedMs < before);
    for (const upload of stale) if (upload.users === 0) await this.remove(upload);
    return stale.length;
  }

  /** Reserves what a piece takes on the disk. @returns false when there is no room. */
  charge(diskBytes: number): boolean {
    if (this.#diskBytes + diskBytes > this.#deps.limits.diskBytes) return false;
    this.#diskBytes += diskBytes;
    return true;
  }

  /** Gives it back. */
  release(diskBytes: number): void {
    this.#diskBytes -= diskBytes;
  }

  #begin(key: string): Unfinished {
    if (this.#uploads.size >= this.#deps.limits.uploads) throw tooMany('max_unfinished');
    const upload: Unfinished = { key, pieces: new Map(), received: 0, touchedMs: 0, users: 0, isTold: false };
    this.#uploads.set(key, upload);
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
    this.#uploads.set(key, { key, pieces, received, touchedMs, users: 0, isTold: true });
    // It is there, whatever the limits are now.
    this.#diskBytes += diskBytesOf(pieces);
  }

  #directoryOf(key: string): string {
    return path.join(this.#deps.directory, key);
  }
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

/** Writes one piece. It is used by one request, one call after the other. */
export class PieceWriter {
  readonly #parts: PieceParts;
  #written = 0;
  #charged = 0;
  #isThere = false;

  constructor(parts: PieceParts) {
    this.#parts = parts;
  }

  /** @throws RefusedUpload (rejects) when it is too long, or there is no room; an error of the system. */
  async append(bytes: Uint8Array): Promise<void> {
    const { file, length, store, files, disk } = this.#parts;
    const written = this.#written + bytes.length;
    if (written > length) throw badField(`the piece is longer than ${String(length)} bytes`);
    const more = blocks(written) - this.#charged;
    if (!store.charge(more)) throw tooMany('max_unfinished_size');
    this.#charged += more;
    this.#written = written;
    await inTurn(disk, async () => {
      if (!this.#isThere) await this.#create();
      await files.append(file, bytes);
    });
  }

  /** The piece is whole: it counts as soon as it is on the disk. @throws as `append` */
  async commit(): Promise<void> {
    const { file, length, number, upload, store, files, disk } = this.#parts;
    if (this.#written !== length) {
      throw badField(`the piece has ${String(this.#written)} bytes instead of ${String(length)}`);
    }
    const target = store.fileOf(upload, number);
    await inTurn(disk, async () => {
      await files.sync(file);
      // Another request may have brought the same piece.
      if (upload.pieces.has(number)) return;
      await files.rename(file, target);
      await files.syncDirectory(path.dirname(target));
    });
    if (upload.pieces.has(number)) return;
    upload.pieces.set(number, length);
    upload.received += length;
    this.#charged = 0;
    this.#isThere = false;
  }

  /** Removes what was written, unless it has become a piece. Idempotent; never rejects. */
  async end(): Promise<void> {
    const { file, store, files } = this.#parts;
    if (this.#isThere) await files.unlink(file).catch(() => undefined);
    this.#isThere = false;
    store.release(this.#charged);
    this.#charged = 0;
  }

  async #create(): Promise<void> {
    const { file, files } = this.#parts;
    await files.makeDirectory(path.dirname(file), 0o700);
    await files.create(file);
    this.#isThere = true;
  }
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

function tooMany(option: 'max_unfinished' | 'max_unfinished_size'): RefusedUpload {
  return new RefusedUpload({
    status: 503,
    text: 'too many uploads are unfinished',
    kind: option,
    remedy: `raise the "${option}" of this upload, or let unfinished uploads be deleted earlier ("unfinished_timeout")`,
    headers: RETRY_LATER,
  });
}
