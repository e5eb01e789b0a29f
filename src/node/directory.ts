/**
 * Where a node lives: in a node directory, which it takes with a pid file, or, with a config that is an object, in no
 * directory at all. Then nothing is written, no command can reach it, and relative paths of the config start from the
 * working directory.
 */
import path from 'node:path';

import { loadConfig, loadObject } from '../config/load.js';
import type { CheckedConfig } from '../config/check.js';
import type { CompiledSchema } from '../config/validate.js';
import type { Logger } from '../log/logger.js';
import type { NodeOptions } from './api.js';
import { existingDirectory, resolveRundir, resolveStatedir } from './cbdir.js';
import { NodeError } from './error.js';
import { acquirePidFile } from './pidfile.js';
import type { PidFile } from './pidfile.js';

type DirectoryOptions = Pick<
  NodeOptions,
  'cbdir' | 'config' | 'rundir' | 'statedir' | 'env' | 'strict' | 'commandOptions'
>;

/** A checked config, and the file that it comes from, if it does. */
export type NodeSource = CheckedConfig & {
  readonly file?: string;
  /** Where its workers stand in the file, if not in this order. */
  readonly pointers?: readonly string[];
};

export interface TakenDirectory {
  /** Where relative paths of the config start, absolute. */
  readonly cbdir: string;
  /** Where the control socket lies; none for a node without a directory. */
  readonly rundir: string | undefined;
  readonly loaded: NodeSource;
  /** Reads and checks the config once more. @throws ConfigError (rejects) */
  readonly read: () => Promise<NodeSource>;
  /** None for a node without a directory. */
  readonly pidFile: PidFile | undefined;
}

/**
 * Reads the config and takes the directory.
 *
 * @param schema what may stand in the config; by default what we ship.
 * @throws ConfigError (rejects) when the config is missing or wrong.
 * @throws NodeError (rejects) `ERR_NODE_DIRECTORY`, `ERR_NODE_RUNNING`
 */
export async function takeDirectory(
  options: DirectoryOptions,
  log: Logger,
  schema?: CompiledSchema,
): Promise<TakenDirectory> {
  const { config, strict, env = process.env } = options;
  const directory = options.cbdir === undefined ? undefined : existingDirectory(path.resolve(options.cbdir));
  const cbdir = directory ?? process.cwd();
  const statedir = resolveStatedir(options.statedir);
  const read = async (): Promise<NodeSource> => sourceOf({ directory, cbdir, statedir, config, env, strict, schema });
  const loaded = await read();
  if (directory === undefined && options.rundir === undefined) {
    return { cbdir, rundir: undefined, loaded, read, pidFile: undefined };
  }
  const rundir = resolveRundir(options.rundir, cbdir);
  const given = typeof config === 'string' ? { config } : {};
  const pidFile = await acquirePidFile({ cbdir: rundir, options: options.commandOptions ?? { cbdir, ...given }, log });
  return { cbdir, rundir, loaded, read, pidFile };
}

interface SourceOptions {
  readonly directory: string | undefined;
  readonly cbdir: string;
  readonly statedir: string | undefined;
  readonly config: string | object | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly strict: boolean | undefined;
  readonly schema: CompiledSchema | undefined;
}

function sourceOf({ directory, cbdir, config, ...context }: SourceOptions): NodeSource | Promise<NodeSource> {
  if (typeof config === 'object') return loadObject(config, { cbdir, ...context });
  if (directory === undefined) {
    throw new NodeError('ERR_NODE_DIRECTORY', 'a node needs a directory (`cbdir`), or a `config` that is an object');
  }
  return loadConfig({ cbdir, ...context, ...(config === undefined ? {} : { config }) });
}

/** @returns undefined where the working directory was removed. */
export function workingDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined; // it was removed: nobody can look for anything there
  }
}
