/**
 * An archive that is open: its entries by name, and the bytes of each. The file stays open as long as it is served, so that another
 * one that takes its place changes nothing.
 *
 *     local header | name | extra | packed bytes      the header is checked when the entry is first asked for
 */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { contentsOf } from './contents.js';
import { readDirectory } from './directory.js';
import { ArchiveError } from './error.js';
import { readAt } from './read-at.js';
import type { ArchiveEntry, Contents } from './contents.js';

const LOCAL_HEADER_BYTES = 30;
/** So much is read at once. */
const BLOCK_BYTES = 64 * 1024;

/** One file. */
export class ZipFile {
  readonly contents: Contents;
  readonly #file: FileHandle;
  /** Where the packed bytes of an entry begin, as far as it was asked for. */
  readonly #starts = new Map<ArchiveEntry, number>();

  private constructor(file: FileHandle, contents: Contents) {
    this.#file = file;
    this.contents = contents;
  }

  /** @throws ArchiveError, or an error of the system (rejects). */
  static async open(name: string): Promise<ZipFile> {
    const file = await open(name);
    try {
      const found = await file.stat();
      if (!found.isFile()) throw new ArchiveError('it is no file');
      return new ZipFile(file, await contentsOf(await readDirectory(file, found.size)));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** @returns the packed bytes of an entry. @throws ArchiveError (rejects) when it is not where the directory says. */
  async packed(entry: ArchiveEntry): Promise<AsyncIterable<Buffer>> {
    const start = this.#starts.get(entry) ?? (await this.#startOf(entry));
    this.#starts.set(entry, start);
    return this.#read(start, start + entry.compressedSize);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #startOf({ name, offset, compressedSize, limit }: ArchiveEntry): Promise<number> {
    const header = await readAt(this.#file, offset, LOCAL_HEADER_BYTES);
    const [nameLength, extraLength] = [header.readUInt16LE(26), header.readUInt16LE(28)];
    const start = offset + LOCAL_HEADER_BYTES + nameLength + extraLength;
    if (header.readUInt32LE(0) !== 0x04034b50 || start + compressedSize > limit) {
      throw new ArchiveError(`the entry ${JSON.stringify(name)} is damaged`);
    }
    return start;
  }

  async *#read(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end; at += BLOCK_BYTES)
      yield await readAt(this.#file, at, Math.min(BLOCK_BYTES, end - at));
  }
}
