/** Finds and reads the config file of a node. It is read once. */
import { open, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';

import { errorCode, messageOf } from '../system/error.js';
import { checkConfig, checkObject } from './check.js';
import type { CheckedConfig } from './check.js';
import type { Environment } from './environment.js';
import { ConfigError, invalidConfig } from './error.js';
import type { ConfigProblem } from './error.js';
import { parserFor } from './source/formats.js';
import type { Parser } from './source/formats.js';
import { realPathOf } from './real-path.js';
import { readSecretFile } from './secrets.js';
import type { CompiledSchema } from './validate.js';
import { decodeUtf8, LineIndex, MAX_CONFIG_BYTES, ROOT } from './source/text.js';

export interface LoadOptions {
  /** The node directory. */
  readonly cbdir: string;
  /** Where the node writes what the config names by relative paths; default: the node directory. */
  readonly statedir?: string | undefined;
  /** The file to read, relative to the working directory or else to the node directory. */
  readonly config?: string;
  readonly env: Environment;
  /** Takes notes for errors. */
  readonly strict?: boolean | undefined;
  /** What may stand in the config; by default what we ship. */
  readonly schema?: CompiledSchema | undefined;
}

export interface LoadedConfig extends CheckedConfig {
  /** The file that was read, absolute. */
  readonly file: string;
}

/** What a config is called in a node directory; of several the first one counts. */
export const CONFIG_NAMES = ['config.yaml', 'config.yml', 'config.json'] as const;

/**
 * Reads and checks the config: the file that is named, else `config.yaml` or `config.json` in the node directory.
 *
 * @throws ConfigError when there is no file or anything in it is wrong
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const { file, name, text, parse, warnings } = await readConfig(options);
  const checked = checkConfig(text, name, { ...options, ...filesOfConfig, parse });
  return { ...checked, file, warnings: [...warnings, ...checked.warnings] };
}

/** A config file that was found and read, but not parsed. */
export interface ReadConfig {
  /** The file, absolute, and its name in messages. */
  readonly file: string;
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly parse: Parser;
  /** About other files. */
  readonly warnings: readonly ConfigProblem[];
}

/** The files that a config names. */
export const filesOfConfig = { secretFiles: readSecretFile, realPath: realPathOf } as const;

/** @throws ConfigError when there is no file, or it is no text of a format of ours */
export async function readConfig({ cbdir, config }: Pick<LoadOptions, 'cbdir' | 'config'>): Promise<ReadConfig> {
  const { file, warnings } =
    config === undefined ? await findDefault(cbdir) : { file: await findNamed(cbdir, config), warnings: [] };
  const name = basename(file);
  const bytes = await read(file);
  const { text, finding } = decodeUtf8(bytes);
  if (finding !== undefined) {
    const { offset, ...rest } = finding;
    throw invalidConfig([{ file: name, ...new LineIndex(text).at(offset), ...rest }]);
  }
  return { file, name, bytes, text, parse: await parserFor(name), warnings };
}

/**
 * Checks a config that is an object of the program. Relative paths in it start at `cbdir`. The object is copied.
 *
 * @throws ConfigError when anything in it is wrong
 */
export function loadObject(config: object, context: Omit<LoadOptions, 'config'>): CheckedConfig {
  return checkObject(config, { ...context, ...filesOfConfig });
}

/** @returns the config file that a start on this directory reads; undefined when there is none. @throws ConfigError */
export async function defaultConfigOf(cbdir: string): Promise<string | undefined> {
  const [first] = await namesIn(resolve(cbdir));
  return first === undefined ? undefined : join(resolve(cbdir), first);
}

/** @returns what of {@link CONFIG_NAMES} is there, in that order. */
async function namesIn(directory: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of CONFIG_NAMES) if (await exists(join(directory, name))) found.push(name);
  return found;
}

async function findDefault(cbdir: string): Promise<{ file: string; warnings: ConfigProblem[] }> {
  const directory = resolve(cbdir);
  const [first, ...ignored] = await namesIn(directory);
  if (first === undefined) {
    throw new ConfigError(
      'ERR_CONFIG_MISSING',
      `there is no config.json or config.yaml in ${directory}; "crossbar-ts init" makes a node with one`,
    );
  }
  const warnings = ignored.map((name) => atTop(name, `is not read, because ${first} is there too`));
  return { file: join(directory, first), warnings };
}

async function findNamed(cbdir: string, config: string): Promise<string> {
  const [here, there] = [resolve(config), resolve(cbdir, config)];
  if (await exists(here)) return here;
  if (await exists(there)) return there;
  const places = here === there ? here : `${here} or ${there}`;
  throw new ConfigError('ERR_CONFIG_MISSING', `there is no config file ${places}`);
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return false;
    throw unreadable(file, error);
  }
}

/** Reads at most one byte more than allowed: the file may be a device without end. */
async function read(file: string): Promise<Uint8Array> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await readUpTo(handle, MAX_CONFIG_BYTES + 1);
      if (bytesRead <= MAX_CONFIG_BYTES) return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw unreadable(file, error);
  }
  throw invalidConfig([atTop(basename(file), `the file is too large (allowed: ${MAX_CONFIG_BYTES} bytes)`)]);
}

async function readUpTo(
  handle: Awaited<ReturnType<typeof open>>,
  limit: number,
): Promise<{ buffer: Buffer; bytesRead: number }> {
  const buffer = Buffer.alloc(limit);
  let filled = 0;
  while (filled < limit) {
    const { bytesRead } = await handle.read(buffer, filled, limit - filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return { buffer, bytesRead: filled };
}

function atTop(file: string, text: string): ConfigProblem {
  return { file, line: 1, column: 1, pointer: ROOT, text };
}

function unreadable(file: string, cause: unknown): ConfigError {
  const reason = messageOf(cause);
  return new ConfigError('ERR_CONFIG_MISSING', `${file} cannot be read: ${reason}`, [], { cause });
}
