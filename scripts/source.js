// Lets the tools of the project use a module of src/, without a build of the whole.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { build } from 'esbuild';

const root = path.dirname(import.meta.dirname);

/**
 * @param {string} file below src/
 * @returns {Promise<any>} what it exports
 */
export async function importSource(file) {
  const name = path.basename(file, '.ts');
  // Where packages are found, and as deep as in src/ what is found by its place relative to the code.
  const outfile = path.join(root, `dist/tools/${name}-${process.pid}.mjs`);
  await build({
    absWorkingDir: root,
    entryPoints: [path.join('src', file)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
  });
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(outfile);
  }
}
