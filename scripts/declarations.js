// The declarations of the package: those that its entries lead to, and no others. What nobody can import needs no types.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

/** `import … from 'x'`, `export … from 'x'`, `import('x')` and `import 'x'` in a declaration. */
const SPECIFIER = /(?:\bfrom|\bimport)\s*\(?\s*(['"])(?<specifier>[^'"]+)\1/g;

/** Examples in comments import, too. */
const COMMENT = /\/\*[\s\S]*?\*\//g;

/**
 * @param {string} directory where the declarations are
 * @param {readonly string[]} entries below it, such as `client/api.d.ts`
 * @returns {{ files: string[], packages: string[] }} what can be reached: files below the directory, and packages by name;
 *   builtins of Node.js stand with their `node:`
 */
export function reachableDeclarations(directory, entries) {
  const files = new Set(entries);
  const packages = new Set();
  // A set that grows while it is gone through.
  for (const file of files) {
    const text = readFileSync(path.join(directory, file), 'utf8').replace(COMMENT, '');
    for (const match of text.matchAll(SPECIFIER)) {
      const specifier = match.groups?.specifier ?? '';
      if (specifier.startsWith('.')) files.add(path.join(path.dirname(file), specifier.replace(/\.js$/, '.d.ts')));
      else packages.add(specifier);
    }
  }
  return { files: [...files].sort(), packages: [...packages].sort() };
}

/**
 * Copies the declarations that can be reached from one directory to another, and takes away what was there before.
 *
 * @param {string} from
 * @param {string} to
 * @param {readonly string[]} entries
 * @param {readonly string[]} allowed packages that come with this one
 * @throws {Error} when a declaration needs a package that does not: nobody could use it
 */
export function publishDeclarations(from, to, entries, allowed) {
  const { files, packages } = reachableDeclarations(from, entries);
  const missing = packages.filter((name) => !name.startsWith('node:') && !allowed.includes(name));
  if (missing.length > 0)
    throw new Error(`the public types need ${missing.join(', ')}, which is not installed with us`);
  for (const file of readdirSync(to, { recursive: true, encoding: 'utf8' })) {
    const old = path.join(to, file);
    if (file.endsWith('.d.ts') && !old.startsWith(from + path.sep)) rmSync(old);
  }
  for (const file of files) {
    mkdirSync(path.dirname(path.join(to, file)), { recursive: true });
    copyFileSync(path.join(from, file), path.join(to, file));
  }
}
