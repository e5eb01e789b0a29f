/**
 * Which directory is the node's: Crossbar.io's order, but nothing is ever created. There a mistyped `--cbdir` starts
 * an empty node; here it is an error that names the command to make one.
 */
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';

import { NodeError } from './error.js';
import { errorCode } from '../system/error.js';

export interface CbdirSources {
  /** The `--cbdir` option. */
  readonly option?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What relative paths are relative to. */
  readonly cwd: string;
}

/**
 * Takes `--cbdir`, then `$CROSSBAR_DIR`, then `./.crossbar` if there is one, then `.`. A path to a file means the
 * directory of that file.
 *
 * @returns the absolute path of a directory that exists.
 * @throws NodeError `ERR_NODE_DIRECTORY` when it does not.
 */
export function resolveCbdir({ option, env, cwd }: CbdirSources): string {
  const named = option ?? (env['CROSSBAR_DIR'] === '' ? undefined : env['CROSSBAR_DIR']);
  if (named !== undefined) return existingDirectory(path.resolve(cwd, named));
  const usual = path.join(cwd, '.crossbar');
  return kindOf(usual) === 'directory' ? usual : existingDirectory(cwd);
}

/**
 * Where a running node keeps what only it needs: `node.pid` and `node.sock`. Made when it is missing, because what lies
 * below `/run` is gone after each start of the machine.
 *
 * @returns its absolute path; the node directory when there is no `rundir`.
 * @throws NodeError `ERR_NODE_DIRECTORY`
 */
export function resolveRundir(rundir: string | undefined, cbdir: string): string {
  return rundir === undefined ? cbdir : madeDirectory('the run directory', rundir);
}

/**
 * Where a node keeps what has to outlive it, such as its cookies. Made when it is missing.
 *
 * @returns its absolute path; undefined when all that lies in the node directory.
 * @throws NodeError `ERR_NODE_DIRECTORY`
 */
export function resolveStatedir(statedir: string | undefined): string | undefined {
  return statedir === undefined ? undefined : madeDirectory('the state directory', statedir);
}

function madeDirectory(what: string, named: string): string {
  const directory = path.resolve(named);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const code = errorCode(cause) ?? 'unknown error';
    throw new NodeError('ERR_NODE_DIRECTORY', `${what} ${directory} cannot be made (${code})`, { cause });
  }
  return directory;
}

/** @throws NodeError `ERR_NODE_DIRECTORY` when there is nothing at `file`. */
export function existingDirectory(file: string): string {
  const kind = kindOf(file);
  if (kind === 'missing') {
    throw new NodeError(
      'ERR_NODE_DIRECTORY',
      `the node directory ${file} does not exist; \`crossbar-ts init\` makes a new node`,
    );
  }
  return kind === 'directory' ? file : path.dirname(file);
}

function kindOf(file: string): 'directory' | 'file' | 'missing' {
  try {
    return statSync(file).isDirectory() ? 'directory' : 'file';
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing';
    throw new NodeError(
      'ERR_NODE_DIRECTORY',
      `the node directory ${file} cannot be read (${code ?? 'unknown error'})`,
      {
        cause: error,
      },
    );
  }
}
