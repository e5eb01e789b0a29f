/** ZIP files for tests, written byte by byte: also those that no program writes. */
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntryParts {
  readonly name: string | Buffer;
  readonly content?: string | Buffer;
  /** Default: deflated. */
  readonly method?: number;
  readonly flags?: number;
  /** What the directory says, where it is not the truth. */
  readonly size?: number;
  readonly compressedSize?: number;
  readonly crc?: number;
  readonly offset?: number;
  /** Length of an extra field of the local header, which the directory does not have. */
  readonly localExtra?: number;
}

export interface ZipParts {
  readonly comment?: string | Buffer;
  /** What the end says, where it is not the truth. */
  readonly count?: number;
  readonly start?: number;
}

interface Written {
  readonly local: Buffer;
  readonly central: Buffer;
}

/** @returns a whole file. */
export function zipOf(entries: readonly ZipEntryParts[], parts: ZipParts = {}): Buffer {
  let offset = 0;
  const written = entries.map((entry) => {
    const each = written1(entry, offset);
    offset += each.local.length;
    return each;
  });
  const centrals = Buffer.concat(written.map(({ central }) => central));
  const comment = Buffer.from(parts.comment ?? '');
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(parts.count ?? entries.length, 8);
  end.writeUInt16LE(parts.count ?? entries.length, 10);
  end.writeUInt32LE(centrals.length, 12);
  end.writeUInt32LE(parts.start ?? offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...written.map(({ local }) => local), centrals, end, comment]);
}

function written1(entry: ZipEntryParts, at: number): Written {
  const name = Buffer.from(entry.name);
  const content = Buffer.from(entry.content ?? '');
  const method = entry.method ?? 8;
  const packed = method === 8 ? deflateRawSync(content) : content;
  const { crc = crc32(content), size = content.length, compressedSize = packed.length, flags = 0x800 } = entry;
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(flags, 2);
  common.writeUInt16LE(method, 4);
  common.writeUInt32LE(crc, 10);
  common.writeUInt32LE(compressedSize, 14);
  common.writeUInt32LE(size, 18);
  common.writeUInt16LE(name.length, 22);
  const extra = Buffer.alloc(entry.localExtra ?? 0);
  const localCommon = Buffer.from(common);
  localCommon.writeUInt16LE(extra.length, 24);
  const local = Buffer.concat([word(0x04034b50), localCommon, name, extra, packed]);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(entry.offset ?? at, 10);
  return { local, central: Buffer.concat([word(0x02014b50), Buffer.from([20, 0]), common, rest, name]) };
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
