/**
 * Which entries of an archive are served, by name. Nothing is ever written under a name of an archive, but names that would lead
 * out of a directory are somebody's attack, and are left out. Bombs are refused as a whole: entries that lie over each other, and
 * more than is ever unpacked. It reads nothing.
 */
import { ArchiveError } from './error.js';
import { pauseAfter } from './read-at.js';
import type { Directory, DirectoryEntry } from './directory.js';

/** An entry that can be asked for. Positions and lengths in bytes. */
export interface ArchiveEntry extends Omit<DirectoryEntry, 'name' | 'flags' | 'method'> {
  readonly name: string;
  readonly isDeflated: boolean;
  /** Where the next entry begins: it ends before. */
  readonly limit: number;
}

/** What an archive has. */
export interface Contents {
  /** name -> entry */
  readonly entries: ReadonlyMap<string, ArchiveEntry>;
  /** How many entries are not served: names that lead elsewhere, are hidden or cannot be read. */
  readonly ignored: number;
  /** How many names are there twice; the last one counts. */
  readonly repeated: number;
}

/** All entries together, unpacked. */
const MAX_UNPACKED_BYTES = 4 * 1024 * 1024 * 1024;
/** From this size on an entry may not be packed more than {@link MAX_RATIO} times. */
const RATIO_COUNTS_FROM = 16 * 1024 * 1024;
const MAX_RATIO = 200;
const LOCAL_HEADER_BYTES = 30;
/** Stands for a number that is elsewhere. */
const UNKNOWN = 0xffffffff;
const [STORED, DEFLATED] = [0, 8];

/** @throws ArchiveError (rejects) when an entry cannot be served, or the archive is a bomb. */
export async function contentsOf({ entries, start }: Directory): Promise<Contents> {
  const limits = limitsOf(entries, start);
  const found = new Map<string, ArchiveEntry>();
  let [ignored, repeated, unpacked] = [0, 0, 0];
  for (const [index, entry] of entries.entries()) {
    await pauseAfter(index);
    const name = nameOf(entry.name);
    if (name?.endsWith('/') === true) continue;
    unpacked += entry.size;
    if (name === undefined || !isServed(name)) ignored += 1;
    else {
      const limit = limits[index] ?? start;
      checkEntry(name, entry, limit);
      if (found.has(name)) repeated += 1;
      const { crc32, compressedSize, size, offset } = entry;
      found.set(name, { name, crc32, compressedSize, size, offset, limit, isDeflated: entry.method === DEFLATED });
    }
  }
  if (unpacked > MAX_UNPACKED_BYTES) throw new ArchiveError('it is larger than 4 GiB when it is unpacked');
  return { entries: found, ignored, repeated };
}

/** Where each entry must have ended. Positions and indexes are sorted as numbers: it takes 10 ms for all that an archive can have. */
function limitsOf(entries: readonly DirectoryEntry[], start: number): readonly number[] {
  const keys = Float64Array.from(entries, ({ offset }, index) => offset * 0x10000 + index).sort();
  const limits: number[] = [];
  let limit = start;
  for (let at = keys.length - 1; at >= 0; at--) {
    const index = (keys[at] ?? 0) % 0x10000;
    limits[index] = limit;
    limit = entries[index]?.offset ?? limit;
  }
  return limits;
}

function checkEntry(name: string, entry: DirectoryEntry, limit: number): void {
  const fault = faultOf(entry, limit);
  if (fault !== undefined) throw new ArchiveError(`the entry ${JSON.stringify(name)} ${fault}`);
}

function faultOf(entry: DirectoryEntry, limit: number): string | undefined {
  const { flags, method, size, compressedSize, offset } = entry;
  if ((flags & 1) !== 0) return 'is encrypted';
  if (size === UNKNOWN || compressedSize === UNKNOWN || offset === UNKNOWN) {
    return 'is in the format ZIP64, which is not supported';
  }
  if (method !== STORED && method !== DEFLATED) {
    return `is packed by method ${String(method)} (allowed: 0, stored, and 8, deflated)`;
  }
  if (method === STORED && size !== compressedSize) return 'has two lengths';
  if (offset + LOCAL_HEADER_BYTES + entry.name.length + compressedSize > limit) return 'overlaps another one';
  const isBomb = size > RATIO_COUNTS_FROM && size > compressedSize * MAX_RATIO;
  return isBomb ? `would unpack to more than ${String(MAX_RATIO)} times its size` : undefined;
}

/** Programs that do not mark names as UTF-8 write them so all the same, or in ASCII. For other bytes nobody can ask. */
function nameOf(bytes: Buffer): string | undefined {
  const name = bytes.toString();
  return name.includes('\ufffd') ? undefined : name;
}

/** Whether an entry can be asked for: as in a static directory, nothing with a dot in front is. */
function isServed(name: string): boolean {
  if (/[\\\x00-\x1f\x7f]|^[a-z]:/i.test(name)) return false;
  return name.split('/').every((part) => part !== '' && (!part.startsWith('.') || part === '.well-known'));
}
