/**
 * The host for components of Python: which Python runs it, with which environment, and what it is told first. The program itself is
 * in the folder `python/` of the package.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { guestEnvironment } from '../guest/environment.js';
import { findInPath, isExecutable } from '../../system/executable.js';
import type { EnvironmentConfig } from '../process/environment-schema.js';
import type { HostCommand, HostProgram } from './component-host.js';

/** As far from this file as from the chunk that it is built into: both are in a folder of a folder of the package. */
const HOST_FILE = fileURLToPath(new URL('../../python/host.py', import.meta.url));

/** What the config of a worker says of its Python. */
export interface PythonOptions {
  /** Absolute. */
  readonly python?: string;
  /** Absolute directories. */
  readonly pythonpath?: readonly string[];
  readonly env?: EnvironmentConfig;
}

/** What it is told of the node. */
export interface PythonSurroundings {
  /** The node directory, absolute. */
  readonly cbdir: string;
  /** Where the node was started; undefined when that directory is gone. */
  readonly startdir: string | undefined;
  /** The environment of the node. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @returns how the components of Python of a worker are run. */
export function pythonProgram(options: PythonOptions, surroundings: PythonSurroundings): HostProgram {
  return { name: 'Python', command: () => pythonCommand(options, surroundings) };
}

async function pythonCommand(options: PythonOptions, surroundings: PythonSurroundings): Promise<HostCommand> {
  const { cbdir, startdir, env } = surroundings;
  const { pythonpath = [], env: environment = { inherit: true, vars: {} } } = options;
  return {
    file: await findPython(options.python, env),
    arguments: ['-u', HOST_FILE],
    cwd: cbdir,
    env: guestEnvironment(environment, env),
    setup: { cbdir, pythonpath, ...(startdir !== undefined && { startdir }) },
  };
}

/**
 * @param named in `options.python`; without it the Python of a virtual environment, then that of the `PATH`
 * @throws Error (rejects) with what to do, where there is none.
 */
export async function findPython(named: string | undefined, env: PythonSurroundings['env']): Promise<string> {
  if (named !== undefined) {
    if (await isExecutable(named)) return named;
    throw new Error(`${named} (options.python) is no program that this user may run`);
  }
  const virtual = env['VIRTUAL_ENV'];
  const ofVirtual = virtual === undefined ? undefined : path.join(virtual, 'bin/python');
  if (ofVirtual !== undefined && (await isExecutable(ofVirtual))) return ofVirtual;
  const found = await findInPath('python3', env['PATH']);
  if (found !== undefined) return found;
  throw new Error(
    'there is no python3 in the PATH: install it with `apt install python3-autobahn`, or name a Python in "options.python" of the worker',
  );
}
