/**
 * Reads the central directory of a ZIP file: which entries there are, and where. It believes nothing: what does not fit the file
 * is refused with a sentence for the operator. What is in the entries is not read here (`zip-file.ts`).
 *
 *     entries ... | central directory | end record, with a comment of up to 64 KiB
 */
import type { FileHandle } from 'node:fs/promises';
import { ArchiveError } from './error.js';
import { pauseAfter, readAt } from './read-at.js';

/** One entry as the directory has it. Positions and lengths in bytes. */
export interface DirectoryEntry {
  readonly name: Buffer;
  /** Bit 11: the name is UTF-8. Bit 0: the content is encrypted. */
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Where its local header is. */
  readonly offset: number;
}

/** All entries, and where the directory begins. */
export interface Directory {
  readonly entries: readonly DirectoryEntry[];
  readonly start: number;
}

const END = 0x06054b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
/** As long as a comment can be. */
const MAX_COMMENT = 0xffff;
/** Room for 65,535 entries, the most without ZIP64, with names of 200 characters. */
const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024;
/** @throws ArchiveError (rejects) when it is no ZIP file, or one that is not supported. */
export async function readDirectory(file: FileHandle, size: number): Promise<Directory> {
  const { count, length, start } = await readEnd(file, size);
  if (length > MAX_DIRECTORY_BYTES) throw new ArchiveError('its directory is larger than 16 MiB');
  const bytes = await readAt(file, start, length);
  const entries: DirectoryEntry[] = [];
  let at = 0;
  while (entries.length < count) {
    await pauseAfter(entries.length);
    const { entry, next } = entryAt(bytes, at);
    entries.push(entry);
    at = next;
  }
  return { entries, start };
}

async function readEnd(file: FileHandle, size: number): Promise<{ count: number; length: number; start: number }> {
  const length = Math.min(size, END_BYTES + MAX_COMMENT);
  const tail = await readAt(file, size - length, length);
  const at = endIn(tail, size - length);
  const end = tail.subarray(at);
  const position = size - length + at;
  const [disk, firstDisk, here, count = 0] = [4, 6, 8, 10].map((field) => end.readUInt16LE(field));
  const [directoryBytes = 0, start = 0] = [12, 16].map((field) => end.readUInt32LE(field));
  if (count === 0xffff || directoryBytes === 0xffffffff || start === 0xffffffff) {
    throw new ArchiveError('it is in the format ZIP64, which is not supported (65,534 entries and 4 GiB are the most)');
  }
  if (disk !== 0 || firstDisk !== 0 || here !== count)
    throw new ArchiveError('it is a part of an archive in several files');
  if (start + directoryBytes !== position)
    throw new ArchiveError('its directory is not where its end says, or bytes are missing');
  return { count, length: directoryBytes, start };
}

/** A comment may look like an end, too: the right one reaches to the end of the file, and has the directory before it. */
function endIn(tail: Buffer, position: number): number {
  let found: number | undefined;
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END || at + END_BYTES + tail.readUInt16LE(at + 20) !== tail.length) continue;
    if (tail.readUInt32LE(at + 16) + tail.readUInt32LE(at + 12) === position + at) return at;
    found ??= at;
  }
  if (found === undefined) throw new ArchiveError('it is no ZIP file, or its end is missing');
  return found;
}

function entryAt(bytes: Buffer, at: number): { readonly entry: DirectoryEntry; readonly next: number } {
  const nameAt = at + ENTRY_BYTES;
  const isThere = nameAt <= bytes.length && bytes.readUInt32LE(at) === 0x02014b50;
  const [nameLength = 0, extra = 0, comment = 0] = isThere
    ? [28, 30, 32].map((field) => bytes.readUInt16LE(at + field))
    : [];
  const next = nameAt + nameLength + extra + comment;
  if (!isThere || next > bytes.length) throw new ArchiveError('its directory is damaged');
  const entry = {
    name: bytes.subarray(nameAt, nameAt + nameLength),
    flags: bytes.readUInt16LE(at + 8),
    method: bytes.readUInt16LE(at + 10),
    crc32: bytes.readUInt32LE(at + 16),
    compressedSize: bytes.readUInt32LE(at + 20),
    size: bytes.readUInt32LE(at + 24),
    offset: bytes.readUInt32LE(at + 42),
  };
  return { entry, next };
}
