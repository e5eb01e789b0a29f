/** Which file an `executable` is. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import path from 'node:path';

/** Where POSIX looks when nothing is said. */
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/** Names that systems no longer have -> what took their place. */
const SUCCESSORS: Readonly<Record<string, string>> = { python: 'python3' };

/** Where a program is looked for. */
export interface ExecutablePlaces {
  /** Absolute. */
  readonly workdir: string;
  /** The `PATH` of the node, not that of the guest. */
  readonly path: string | undefined;
}

/** A program that was found. */
export interface FoundExecutable {
  readonly file: string;
  /** The name that was asked for, where another one took its place. */
  readonly insteadOf?: string;
}

/** Looks in the working directory, then in the `PATH`. @throws Error that names the places. */
export async function findExecutable(name: string, places: ExecutablePlaces): Promise<FoundExecutable> {
  const { workdir, path: searched = DEFAULT_PATH } = places;
  const file = await lookFor(name, workdir, searched);
  if (file !== undefined) return { file };
  const successor = SUCCESSORS[name];
  const instead = successor === undefined ? undefined : await lookFor(successor, workdir, searched);
  if (instead !== undefined) return { file: instead, insteadOf: name };
  throw new Error(`there is no program ${JSON.stringify(name)}, neither in ${workdir} nor in the PATH (${searched})`);
}

/** @returns the program of this name in the `PATH`; undefined when there is none. */
export function findInPath(name: string, searched = DEFAULT_PATH): Promise<string | undefined> {
  return lookIn(searched.split(path.delimiter), name);
}

async function lookFor(name: string, workdir: string, searched: string): Promise<string | undefined> {
  return lookIn([workdir, ...(name.includes('/') ? [] : searched.split(path.delimiter))], name);
}

async function lookIn(directories: readonly string[], name: string): Promise<string | undefined> {
  for (const directory of directories.filter((entry) => entry !== '')) {
    const file = path.resolve(directory, name);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

/** @returns whether a directory is there, and ours to look into. */
export async function isDirectory(place: string): Promise<boolean> {
  try {
    return (await stat(place)).isDirectory();
  } catch {
    return false; // not there, or not for us
  }
}

/** @returns whether a file is there that this user may run. */
export async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false; // not there, not a program, or not for us: the next place is asked
  }
}
