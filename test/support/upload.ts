/** Uploads for tests: what a checked config looks like, and the forms that resumable.js sends. */
import type { UploadConfig } from '../../src/webservice/upload/schema.js';
import { uploadSchema } from '../../src/webservice/upload/schema.js';

const MIB = 1024 * 1024;

/** The service with all defaults, on `realm1`. */
export function uploadConfig(
  directory: string,
  { options, ...parts }: Partial<Omit<UploadConfig, 'options'>> & { options?: Partial<UploadConfig['options']> } = {},
): UploadConfig {
  return {
    type: 'upload',
    realm: 'realm1',
    role: 'uploader',
    directory,
    form_fields: defaultsOf(uploadSchema.properties.form_fields.properties),
    options: {
      max_file_size: 10 * MIB,
      file_permissions: '0644',
      overwrite: false,
      allowed_origins: ['self'],
      allow_null_origin: false,
      max_unfinished: 1000,
      max_unfinished_per_address: 100,
      unfinished_timeout: 86_400,
      chunk_timeout: 120,
      ...options,
    },
    ...parts,
  };
}

function defaultsOf<K extends string>(
  properties: Readonly<Record<K, { readonly default: string }>>,
): Record<K, string> {
  const entries = Object.entries<{ readonly default: string }>(properties);
  return Object.fromEntries(entries.map(([key, schema]) => [key, schema.default])) as Record<K, string>;
}

/** One piece of a file. */
export interface Piece {
  readonly content: Buffer;
  readonly chunkSize?: number;
  readonly number?: number;
  readonly name?: string;
  /** Fields that are added, or take the place of others; undefined: the field does not come. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
}

/** @returns how many pieces resumable.js makes of a file. */
export function pieceCount(total: number, chunkSize: number): number {
  return Math.max(1, Math.floor(total / chunkSize));
}

/** @returns what resumable.js says of a piece. @param content of the whole file */
export function pieceFields({
  content,
  chunkSize = MIB,
  number = 1,
  name = 'a.bin',
  fields = {},
}: Piece): [string, string][] {
  const chunks = pieceCount(content.length, chunkSize);
  const all: Record<string, string | undefined> = {
    resumableChunkNumber: String(number),
    resumableChunkSize: String(chunkSize),
    resumableCurrentChunkSize: String(pieceOf({ content, chunkSize, number }).length),
    resumableTotalSize: String(content.length),
    resumableType: 'application/octet-stream',
    resumableIdentifier: `${String(content.length)}-${name.replace(/[^0-9a-zA-Z_-]/gim, '')}`,
    resumableFilename: name,
    resumableRelativePath: name,
    resumableTotalChunks: String(chunks),
    ...fields,
  };
  return Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
}

/** @returns the bytes of a piece: the last one has the rest. */
export function pieceOf({ content, chunkSize = MIB, number = 1 }: Piece): Buffer {
  const isLast = number === pieceCount(content.length, chunkSize);
  return content.subarray((number - 1) * chunkSize, isLast ? undefined : number * chunkSize);
}

export const BOUNDARY = '----boundaryOfATest';
export const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

/** @returns the body of a form as browsers write it. */
export function formBody(
  fields: readonly (readonly [string, string])[],
  file: Buffer | undefined,
  { field = 'file', filename = 'blob' }: { readonly field?: string; readonly filename?: string } = {},
): Buffer {
  const parts = fields.map(
    ([name, value]) => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${field}"; filename="${filename}"\r\nContent-Type: application/octet-stream\r\n\r\n`;
  const end = `--${BOUNDARY}--\r\n`;
  const body = file === undefined ? [] : [Buffer.from(head), file, Buffer.from('\r\n')];
  return Buffer.concat([Buffer.from(parts.join('')), ...body, Buffer.from(end)]);
}

/** @returns the whole form for a piece. */
export function pieceForm(piece: Piece): Buffer {
  return formBody(pieceFields(piece), pieceOf(piece));
}

/** @returns the query by which resumable.js asks for a piece. */
export function pieceQuery(piece: Piece): string {
  return `?${new URLSearchParams(pieceFields(piece)).toString()}`;
}
