/** Unpacked entries that are kept in memory: those that were asked for last. Bounded in bytes. */
import type { ArchiveEntry } from './contents.js';

/** All that one archive keeps. */
export const CACHE_BYTES = 64 * 1024 * 1024;

/** A larger entry is never kept: it would push out too many others. */
const LARGEST = 8;

/** One for each archive. */
export class ObjectCache {
  /** Those asked for last come last. */
  readonly #objects = new Map<ArchiveEntry, Promise<Buffer>>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes = CACHE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Of the entries that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether an entry is small enough. */
  takes({ size }: ArchiveEntry): boolean {
    return size <= this.#maxBytes / LARGEST;
  }

  /** @param make called where it is not kept; requests that come meanwhile wait for the same. What fails is not kept. */
  get(entry: ArchiveEntry, make: () => Promise<Buffer>): Promise<Buffer> {
    const known = this.#objects.get(entry);
    const object = known ?? make();
    if (known === undefined) {
      this.#bytes += entry.size;
      object.catch(() => this.#forget(entry, object));
    }
    this.#objects.delete(entry);
    this.#objects.set(entry, object);
    for (const [oldest, kept] of this.#objects) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#forget(oldest, kept);
    }
    return object;
  }

  #forget(entry: ArchiveEntry, object: Promise<Buffer>): void {
    // It may be there anew.
    if (this.#objects.get(entry) !== object) return;
    this.#objects.delete(entry);
    this.#bytes -= entry.size;
  }
}
