/**
 * Where an archive comes from: the file, if it is there and is one that the config takes, else its origin. What is downloaded takes
 * the place of the file only when it has been found good.
 *
 *     file there, hash fits         -> open it
 *     file gone, or another         -> download: fetch to a file beside it -> hash, directory -> rename -> open it
 *                                      no download: the node does not start
 */
import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { errorCode, messageOf } from '../../system/error.js';
import { ArchiveError } from './error.js';
import { download } from './download.js';
import { ZipFile } from './zip-file.js';
import type { Logger } from '../../log/logger.js';
import type { ArchiveConfig } from './schema.js';

export interface SourceDeps {
  readonly log: Logger;
  /** Gives a download up. */
  readonly signal: AbortSignal;
}

/** @returns the archive, open. @throws Error (rejects) that says which file, and what is wrong with it. */
export async function openArchive(config: ArchiveConfig, deps: SourceDeps): Promise<ZipFile> {
  try {
    const problem = await problemOf(config);
    if (problem !== undefined) await fetchInstead(config, problem, deps);
    const zip = await ZipFile.open(config.archive);
    tell(config, zip, deps.log);
    return zip;
  } catch (cause) {
    throw new Error(cannotServe(config, cause), { cause });
  }
}

/** @returns the sentence for an archive that cannot be served, as the start and `check` say it. */
export function cannotServe({ archive }: Pick<ArchiveConfig, 'archive'>, error: unknown): string {
  return `cannot serve the archive ${archive}: ${messageOf(error)}`;
}

/** @returns why the file is not the one that the config wants; undefined where it is. Rejects where it cannot be read. */
export async function problemOf({ archive, hashes }: ArchiveConfig): Promise<ArchiveError | undefined> {
  try {
    if (hashes.length === 0) await stat(archive);
    const hash = hashes.length === 0 ? undefined : await hashOf(archive);
    return hash === undefined || isOneOf(hash, hashes) ? undefined : wrongHash(hash);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return new ArchiveError('it does not exist');
  }
}

async function fetchInstead(config: ArchiveConfig, problem: ArchiveError, { log, signal }: SourceDeps): Promise<void> {
  const { archive, origin, download: fetches, hashes, options } = config;
  if (!fetches || origin === undefined) throw problem;
  const facts = { archive, origin: withoutQuery(origin) };
  log.info({ ...facts, reason: problem.message }, 'archive is being downloaded');
  const check = async (file: string): Promise<void> => {
    const hash = await hashOf(file);
    if (hashes.length > 0 && !isOneOf(hash, hashes)) throw wrongHash(hash);
    await (await ZipFile.open(file)).close();
  };
  const isAnyWay = hashes.length > 0;
  const bytes = await download({
    url: origin,
    file: archive,
    silenceMs: options.timeout * 1000,
    takesHttp: isAnyWay,
    check,
    signal,
  });
  log.info({ ...facts, bytes }, 'archive downloaded');
}

async function hashOf(name: string): Promise<string> {
  const file = await open(name);
  const hash = createHash('sha256');
  // The stream closes the file.
  for await (const chunk of file.createReadStream() as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}

function isOneOf(hash: string, hashes: readonly string[]): boolean {
  return hashes.some((each) => each.toLowerCase() === hash);
}

function wrongHash(hash: string): ArchiveError {
  return new ArchiveError(`its SHA-256 is ${hash}, which is none of the "hashes"`);
}

/** A key may be in it. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/, '');
}

function tell({ archive }: ArchiveConfig, { contents: { entries, ignored, repeated } }: ZipFile, log: Logger): void {
  log.info({ archive, entries: entries.size }, 'archive opened');
  if (ignored > 0 || repeated > 0) {
    const remedy =
      'names with "..", "\\" or a leading "/" or dot are not served; of a name that is there twice the last one is';
    log.warn({ archive, ignored, repeated, remedy }, 'archive has entries that are not served');
  }
}
