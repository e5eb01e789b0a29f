/** Whether there is a directory that the service `static` can serve: what its start finds out, too. And what `default_file` is for. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Look } from '../../schema/look.js';
import { FileLookup, PrivatePlaceError } from './file-lookup.js';
import { cannotServe, reasonOf } from './root.js';
import type { StaticConfig } from './schema.js';

/** So many directories below are looked at, so that `check` is quick where a directory is large. */
const MOST_LOOKED_AT = 200;

/** The look `static directory`. Where there is nothing to serve, the node starts and each request looks again. */
export const lookAtStaticDirectory: Look<StaticConfig> = async ({ directory, options }, tools) => {
  try {
    const lookup = await FileLookup.open(directory, options.index, tools.privatePaths);
    const problem = lookup.isFile ? undefined : await problemOf(lookup, directory, options);
    if (problem !== undefined) tools.warn(['options', 'default_file'], problem);
  } catch (error) {
    const tell = error instanceof PrivatePlaceError ? tools.report : tools.warn;
    tell(['directory'], cannotServe(directory, reasonOf(error)));
  }
};

/**
 * @returns what is odd about a `default_file`: it is not there, or directories have one of their own by this name, as if it
 *   answered for them
 */
async function problemOf(
  lookup: FileLookup,
  directory: string,
  { default_file: file, index }: StaticConfig['options'],
): Promise<string | undefined> {
  if (file === undefined) return undefined;
  if ((await lookup.fileAt(file)).kind !== 'file') {
    return `there is no file ${JSON.stringify(file)} in ${directory}: paths that do not exist get 404`;
  }
  if (file === index || file.includes('/')) return undefined;
  for (const name of await directoriesIn(directory)) {
    const [own, page] = await Promise.all([lookup.fileAt(`${name}/${file}`), lookup.fileAt(`${name}/${index}`)]);
    if (own.kind !== 'file' || page.kind === 'file') continue;
    const [named, there] = [JSON.stringify(file), JSON.stringify(name)];
    return `found ${named}, and the directory ${there} has a file of this name, which does not answer for it: name the page of directories with "index"`;
  }
  return undefined;
}

async function directoriesIn(directory: string): Promise<string[]> {
  const entries = await readdir(path.resolve(directory), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .slice(0, MOST_LOOKED_AT)
    .map(({ name }) => name);
}
