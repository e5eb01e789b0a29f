/** Reads a piece of a file, all of it or nothing; and how others have their turn while much is read. */
import type { FileHandle } from 'node:fs/promises';
import { ArchiveError } from './error.js';

/** Reads exactly so many bytes. @throws ArchiveError (rejects) when there are fewer. */
export async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw new ArchiveError('it ends too early');
    done += bytesRead;
  }
  return bytes;
}

/** So many entries take a few milliseconds. */
const ENTRIES_AT_ONCE = 300;

/** Resolves at once, but after some hundreds of entries in a later turn of the event loop. */
export async function pauseAfter(entries: number): Promise<void> {
  if (entries % ENTRIES_AT_ONCE === ENTRIES_AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
}
