/**
 * `crossbar-ts init`: a working node with the demo page, copied from the one that this package comes with. What is
 * there already stays as it is.
 */
import { constants, copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';

import { NodeError } from '../node/error.js';
import { errorCode, messageOf } from '../system/error.js';
import { PACKAGE_ROOT } from '../node/package.js';

export interface InitOptions {
  readonly appdir: string;
}

export interface InitResult {
  /** Paths relative to the new directory. */
  readonly written: readonly string[];
  readonly skipped: readonly string[];
}

const CONFIG = '.crossbar/config.json';
const PAGE = 'web';

/** Copies the default node to `appdir` and says what to do next. */
export function init({ appdir }: InitOptions): void {
  const { written, skipped } = copyDefaultNode(PACKAGE_ROOT, path.resolve(appdir));
  const lines = [
    ...written.map((file) => `wrote    ${path.join(appdir, file)}`),
    ...skipped.map((file) => `skipped  ${path.join(appdir, file)} (exists)`),
    '',
    `Start the node with: crossbar-ts start --cbdir ${quoted(path.join(appdir, '.crossbar'))}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Copies config and page from `from` to `to`; a file that exists there is skipped. */
export function copyDefaultNode(from: string, to: string): InitResult {
  const written: string[] = [];
  const skipped: string[] = [];
  for (const file of [CONFIG, ...filesBelow(from, PAGE)]) {
    (copyIfMissing(path.join(from, file), path.join(to, file)) ? written : skipped).push(file);
  }
  return { written, skipped };
}

function filesBelow(root: string, dir: string): string[] {
  if (!existsSync(path.join(root, dir, 'vendor'))) {
    throw new NodeError('ERR_NODE_START', `the demo page is not built: ${path.join(root, dir, 'vendor')} is missing`);
  }
  return readdirSync(path.join(root, dir), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
}

function copyIfMissing(source: string, target: string): boolean {
  try {
    mkdirSync(path.dirname(target), { recursive: true });
    copyFileSync(source, target, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && existsSync(target)) return false;
    throw new NodeError('ERR_NODE_DIRECTORY', `${target} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}

function quoted(file: string): string {
  return /^[\w./@+-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;
}
