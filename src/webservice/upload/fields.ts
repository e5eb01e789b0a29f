/**
 * What a client says of the piece of a file that it sends, or asks for: from the fields of a form, or the query of a URL, to numbers
 * that fit together and a name that can be used. Pure.
 *
 * With `n` pieces each is as long as `chunk_size`, but for the last, which has the rest. resumable.js lets that one be shorter
 * (`forceChunkSize`), or up to twice as long.
 */
import { createHash } from 'node:crypto';
import { isValidUri } from '../../wamp/uri.js';
import { fileNameOf, isOfType } from './names.js';
import { RefusedUpload, badField } from './refused-upload.js';
import type { UploadConfig } from './schema.js';
import { isAllowedTopic } from './topics.js';

/** What a client says of one piece. */
export interface UploadFields {
  /** How the client calls the upload. */
  readonly identifier: string;
  /** A name for the file; it may be taken. */
  readonly name: string;
  /** The number of the piece, from 1. */
  readonly chunk: number;
  /** How many pieces there are. */
  readonly chunks: number;
  readonly chunkSize: number;
  /** Of this piece, in bytes. */
  readonly length: number;
  /** Of the file, in bytes. */
  readonly total: number;
  /** Where the progress is told; undefined: nowhere. */
  readonly topic: string | undefined;
  /** The session that is told alone; undefined: whoever has subscribed. */
  readonly session: number | undefined;
  /** What the page wants to be in the events; undefined: nothing. */
  readonly chunkExtra: unknown;
  readonly finishExtra: unknown;
}

/** Field -> its text. */
export type FormFields = ReadonlyMap<string, string>;

/** Each is a file, and an entry in a directory. */
const MAX_CHUNKS = 100_000;

const MAX_IDENTIFIER_LENGTH = 1024;

/** How deep the JSON of a page may be nested. */
const MAX_DEPTH = 32;

/** @throws RefusedUpload when something is missing or wrong. */
export function checkFields(given: FormFields, config: UploadConfig): UploadFields {
  const { form_fields: names } = config;
  const total = integerOf(given, names.total_size);
  const chunk = integerOf(given, names.chunk_number);
  const chunks = integerOf(given, names.total_chunks);
  const chunkSize = integerOf(given, names.chunk_size);
  checkSize(total, config);
  if (!isPossible(total, chunkSize, chunks)) {
    throw badField(
      `a file of ${String(total)} bytes does not come in ${String(chunks)} pieces of ${String(chunkSize)}`,
    );
  }
  if (chunk > chunks) throw badField(`there is no piece ${String(chunk)} of ${String(chunks)}`);
  const written = textOf(given, names.file_name);
  const identifier = given.get(names.identifier) ?? written;
  if (identifier.length > MAX_IDENTIFIER_LENGTH) throw badField(`the field "${names.identifier}" is too long`);
  return {
    identifier,
    name: checkName(written, config),
    ...{ chunk, chunks, chunkSize, total },
    length: chunk < chunks ? chunkSize : total - (chunks - 1) * chunkSize,
    topic: topicOf(given, config),
    session: sessionOf(given, names.session),
    chunkExtra: jsonOf(given, names.chunk_extra),
    finishExtra: jsonOf(given, names.finish_extra),
  };
}

/**
 * What a piece belongs to: pieces of one file have the same key, and nobody else has.
 * @param owner who uploads: different clients may send files of the same name and size.
 */
export function uploadKey(owner: string, { identifier, name, total, chunkSize, chunks }: UploadFields): string {
  const parts = [owner, identifier, name, total, chunkSize, chunks];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function checkSize(total: number, { options }: UploadConfig): void {
  if (total <= options.max_file_size) return;
  throw new RefusedUpload({
    status: 400,
    text: `the file is larger than ${String(options.max_file_size)} bytes`,
    kind: 'size of an upload',
    remedy: 'raise the "max_file_size" of this upload, if such files are wanted',
    facts: { size: String(total) },
  });
}

function checkName(written: string, { options: { file_types: types } }: UploadConfig): string {
  const name = fileNameOf(written);
  if (name === undefined) throw badField('the file has no name', { name: written });
  if (types === undefined || isOfType(name, types)) return name;
  throw new RefusedUpload({
    status: 415,
    text: `only files of these types are taken: ${types.join(' ')}`,
    kind: 'type of an upload',
    remedy: 'add the extension to the "file_types" of this upload, if such files are wanted',
    facts: { name },
  });
}

function isPossible(total: number, chunkSize: number, chunks: number): boolean {
  if (chunks > MAX_CHUNKS) return false;
  return chunks === Math.ceil(total / chunkSize) || chunks === Math.max(1, Math.floor(total / chunkSize));
}

function topicOf(given: FormFields, { form_fields: names, options }: UploadConfig): string | undefined {
  const topic = given.get(names.on_progress);
  // A page without a topic may send the field all the same.
  if (topic === undefined || topic === '') return undefined;
  if (!isValidUri(topic, 'loose')) throw badField(`the field "${names.on_progress}" is no URI of a topic`);
  if (options.topics === undefined || isAllowedTopic(topic, options.topics)) return topic;
  throw new RefusedUpload({
    status: 400,
    text: 'progress is not told on that topic',
    kind: 'topic of an upload',
    remedy: 'add the topic to the "topics" of this upload',
    facts: { topic },
  });
}

function sessionOf(given: FormFields, name: string): number | undefined {
  const text = given.get(name);
  return text === undefined || text === '' ? undefined : integerOf(given, name);
}

function textOf(given: FormFields, name: string): string {
  const text = given.get(name);
  if (text === undefined) throw badField(`the field "${name}" is missing`);
  return text;
}

function integerOf(given: FormFields, name: string): number {
  const text = textOf(given, name);
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > Number.MAX_SAFE_INTEGER) throw badField(`the field "${name}" is no number of use`);
  return value;
}

function jsonOf(given: FormFields, name: string): unknown {
  const text = given.get(name);
  if (text === undefined || text === '') return undefined;
  try {
    if (depthOf(text) <= MAX_DEPTH) return JSON.parse(text) as unknown;
  } catch {
    // A page may send anything.
  }
  throw badField(`the field "${name}" is no JSON, or nested too deeply`);
}

/** @returns how deep the brackets of a text are nested, at most: those in strings count, too. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth);
    else if (character === ']' || character === '}') depth -= 1;
  }
  return deepest;
}
