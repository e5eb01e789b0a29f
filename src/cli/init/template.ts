/**
 * The templates of `init`: the folders of `templates/` in the package. Each has the files of a node and its page as they are
 * written, and a `template.json`: what it is in a line, and what it takes from elsewhere in the package, so that nothing is shipped
 * twice. A new folder is a new template.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

import { NodeError } from '../../node/error.js';

/** The folder in the package. */
const TEMPLATES = 'templates';
/** What `init` takes where nobody chooses. */
export const DEFAULT_TEMPLATE = 'minimal';

export const CONFIG = '.crossbar/config.json';
const GITIGNORE = '.crossbar/.gitignore';

export interface Template {
  readonly name: string;
  /** What it is, for people who choose. */
  readonly summary: string;
  /** The config first. Names are those in the new directory, with slashes. */
  readonly files: readonly TemplateFile[];
}

export interface TemplateFile {
  readonly name: string;
  /** What is copied; absolute. */
  readonly source: string;
}

/** `template.json`. */
interface About {
  readonly summary: string;
  /** Name in the new directory -> file or directory in the package. */
  readonly copies?: Readonly<Record<string, string>>;
}

/** @returns the names of all templates, the default first. @param root the directory of the package */
export function templateNames(root: string): string[] {
  const folders = readdirSync(path.join(root, TEMPLATES), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  const others = folders.map(({ name }) => name).filter((name) => name !== DEFAULT_TEMPLATE);
  return [DEFAULT_TEMPLATE, ...others.sort()];
}

/** @throws NodeError when the package is not whole: its page has a part that `npm run build` makes. */
export function readTemplate(root: string, name: string): Template {
  const folder = path.join(root, TEMPLATES, name);
  const about = path.join(folder, 'template.json');
  const { summary, copies = {} } = JSON.parse(readFileSync(about, 'utf8')) as About;
  const files = new Map<string, string>();
  const add = (target: string, source: string): void => {
    for (const file of filesAt(source)) files.set(path.posix.join(target, file), path.join(source, file));
  };
  for (const [target, source] of Object.entries(copies)) add(target, path.join(root, source));
  add('', folder);
  files.delete('template.json');
  // npm leaves files of this name out of packages.
  files.set(GITIGNORE, path.join(root, TEMPLATES, 'gitignore'));
  const isConfig = (file: string): number => Number(file !== CONFIG);
  const names = [...files.keys()].sort((a, b) => isConfig(a) - isConfig(b) || (a < b ? -1 : 1));
  return { name, summary, files: names.map((file) => ({ name: file, source: files.get(file) ?? '' })) };
}

/** @returns the names of the files in a directory, with slashes; of a file the empty name. */
function filesAt(place: string): string[] {
  if (!existsSync(place)) {
    throw new NodeError('ERR_NODE_START', `the package is not built (npm run build): ${place} is missing`);
  }
  if (!statSync(place).isDirectory()) return [''];
  return readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(place, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'));
}
