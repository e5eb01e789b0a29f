/**
 * Directories that are served must not hold what is the node's own. The services find none of it (`webservice/static/file-lookup.ts`);
 * here whoever wrote the config learns what was wrong about it.
 */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';

import type { Cursor } from './cursor.js';
import { quote } from './schema-words.js';
import type { RuleContext } from './rules.js';
import { cookiesOf, secretsOf, servicesOf, transportsOf } from './places.js';

/** Follows the links in a path. */
export type RealPath = (file: string) => string;

/** @returns the path without links, as far as it exists. */
export const realPathOf: RealPath = (file) => {
  try {
    return realpathSync(file);
  } catch {
    // Not there, or not to be read: what is above it may be a link all the same.
    return dirname(file) === file ? file : join(realPathOf(dirname(file)), basename(file));
  }
};

export function checkStaticDirectories(node: Cursor, context: RuleContext): void {
  for (const service of transportsOf(node).flatMap((transport) => servicesOf(transport))) {
    if (service.get('type').value === 'static') checkDirectory(service.get('directory'), node, context);
  }
}

function checkDirectory(directory: Cursor, node: Cursor, { cbdir, realPath, report, warn }: RuleContext): void {
  const text = directory.text();
  if (text === undefined || text === '') return;
  const served = realPath(resolve(cbdir, text));
  const own = realPath(cbdir);
  if (served === own) {
    report(directory.path, `found ${quote(text)}, which is the node directory (allowed: a directory of its own)`);
    return;
  }
  if (isShown(own, served)) {
    warn(
      directory.path,
      `${quote(text)} holds the node directory, which is not served; give the pages a directory of their own`,
    );
  }
  const isBelowOwn = isBelow(served, own);
  for (const file of privateFilesOf(node)) {
    const real = realPath(resolve(cbdir, file));
    if (!isShown(real, served) || (isBelow(real, own) && !isBelowOwn)) continue;
    report(
      directory.path,
      `found ${quote(text)}, where ${quote(file)} is (allowed: a directory without files of the node)`,
    );
  }
}

/** Cookie stores, keys, and secrets in files. */
function privateFilesOf(node: Cursor): Set<string> {
  const places = [
    ...cookiesOf(node).flatMap((cookie) => [
      cookie.at('store', 'filename'),
      cookie.at('store', 'path'),
      ...cookie
        .get('secrets')
        .items()
        .map((secret) => secret.get('file')),
    ]),
    ...transportsOf(node).map((transport) => transport.at('endpoint', 'tls', 'key')),
    ...secretsOf(node).map(({ holder, key }) => holder.at(key, 'file')),
  ];
  return new Set(places.map((place) => place.text() ?? '').filter((file) => file !== ''));
}

/** Whether what is at `file` can be asked for: nothing with a dot in front is served. */
function isShown(file: string, directory: string): boolean {
  if (!isBelow(file, directory)) return false;
  return relative(directory, file)
    .split(sep)
    .every((name) => !name.startsWith('.') || name === '.well-known');
}

function isBelow(file: string, directory: string): boolean {
  return file.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}
