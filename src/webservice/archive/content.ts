/**
 * What goes out for an entry: its bytes, unpacked and checked, or the packed ones as a gzip file, which needs no work. The directory
 * says how long an entry is and what its checksum is; nobody gets more than that, and nobody gets the last bytes of something else.
 */
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import type { Writable } from 'node:stream';
import { ArchiveError } from './error.js';
import type { ArchiveEntry } from './contents.js';

/** Magic number, deflated, no flags, no time, no hint, unknown system (RFC 1952). */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
const GZIP_TRAILER_BYTES = 8;

/** @returns the length of {@link sendGzip}. */
export function gzipLength({ compressedSize }: ArchiveEntry): number {
  return GZIP_HEADER.length + compressedSize + GZIP_TRAILER_BYTES;
}

/** Sends a deflated entry as a gzip file. The client checks it. */
export function sendGzip(entry: ArchiveEntry, packed: AsyncIterable<Buffer>, to: Writable): Promise<void> {
  return pipeline(gzipOf(entry, packed), to);
}

/** Sends an entry as it was packed from. @throws Error (rejects) when it is not what the directory says: `to` is destroyed before its end. */
export function sendUnpacked(entry: ArchiveEntry, packed: AsyncIterable<Buffer>, to: Writable): Promise<void> {
  const checked = (source: AsyncIterable<Buffer>): AsyncIterable<Buffer> => check(entry, source);
  return entry.isDeflated ? pipeline(packed, createInflateRaw(), checked, to) : pipeline(packed, checked, to);
}

/** @returns an entry as it was packed from. @throws Error (rejects) when it is not what the directory says. */
export async function unpack(entry: ArchiveEntry, packed: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const collect = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of check(entry, source)) chunks.push(chunk);
  };
  await (entry.isDeflated ? pipeline(packed, createInflateRaw(), collect) : pipeline(packed, collect));
  return Buffer.concat(chunks);
}

async function* gzipOf(entry: ArchiveEntry, packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const trailer = Buffer.alloc(GZIP_TRAILER_BYTES);
  trailer.writeUInt32LE(entry.crc32, 0);
  trailer.writeUInt32LE(entry.size, 4);
  yield GZIP_HEADER;
  yield* packed;
  yield trailer;
}

/** Keeps the last chunk back until the checksum is known. */
async function* check(
  { name, size, crc32: expected }: ArchiveEntry,
  source: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const damaged = (): ArchiveError =>
    new ArchiveError(`the entry ${JSON.stringify(name)} is not what the directory says`);
  let [length, sum] = [0, 0];
  let held: Buffer | undefined;
  for await (const chunk of source) {
    length += chunk.length;
    if (length > size) throw damaged();
    sum = crc32(chunk, sum);
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (length !== size || sum !== expected) throw damaged();
  if (held !== undefined) yield held;
}
