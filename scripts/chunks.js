// Which chunks there are. esbuild makes one of the modules that the same entries reach, and each `import()` is an entry, too: what every
// start loads would lie in as many pieces as there are sets of parts that need them. Node.js opens all of them at once, and each costs time.
import path from 'node:path';

import { build } from 'esbuild';

import { withoutDescriptionsOf } from './descriptions.js';

/** Where the modules stand that import what belongs together. */
const NAMESPACE = 'loaded-before';

/** The program whose start does not count. */
const FRONT = 'src/front-program/main.ts';

/**
 * An esbuild plugin, for a build with `splitting`: a module that is loaded later imports all that whoever loads it has loaded already. That
 * loads nothing more, and what is loaded together becomes one chunk, but for what some of the entries share and others do not.
 *
 * @param {import('esbuild').BuildOptions & { absWorkingDir: string, entryPoints: string[] }} options of that build
 * @returns {Promise<import('esbuild').Plugin>}
 */
export async function fewChunks(options) {
  const before = await loadedBefore(options);
  const { absWorkingDir: root } = options;
  /** @type {Map<string, string>} from the modules that are imported to a name for all of them */
  const names = new Map();
  for (const files of before.values()) names.set(files, names.get(files) ?? `${NAMESPACE}:${names.size}`);
  const contents = new Map([...names].map(([files, name]) => [name, files]));
  return {
    name: NAMESPACE,
    setup({ onResolve, onLoad }) {
      onResolve({ filter: new RegExp(`^${NAMESPACE}:`) }, ({ path: name }) => ({ path: name, namespace: NAMESPACE }));
      onLoad({ filter: /./, namespace: NAMESPACE }, ({ path: name }) => ({
        contents: contents.get(name) ?? '',
        resolveDir: root,
      }));
      onLoad({ filter: /\.ts$/, namespace: 'file' }, ({ path: file }) => {
        const files = before.get(path.relative(root, file));
        if (files === undefined) return undefined;
        // In the first line, so that places in a stack stay right.
        return { contents: `import '${names.get(files)}';${withoutDescriptionsOf(file)}`, loader: 'ts' };
      });
    },
  };
}

/**
 * @param {Parameters<typeof fewChunks>[0]} options
 * @returns {Promise<Map<string, string>>} for each module that is loaded later, imports of all that is loaded before it in any case
 */
async function loadedBefore(options) {
  const { metafile } = await build({ ...options, write: false, metafile: true, logLevel: 'silent' });
  const { inputs } = metafile;
  /** @param {string} entry @param {boolean} alsoLater */
  const reached = (entry, alsoLater) => {
    /** @type {Set<string>} */
    const files = new Set();
    /** @param {string} file */
    const visit = (file) => {
      if (files.has(file) || inputs[file] === undefined) return;
      files.add(file);
      for (const { path: next, kind } of inputs[file].imports) if (alsoLater || kind !== 'dynamic-import') visit(next);
    };
    visit(entry);
    return files;
  };
  // A front may load more than it needs: a start must not be in more pieces because of it.
  /** @type {readonly string[]} */
  const points = options.entryPoints;
  const entries = points
    .filter((entry) => entry !== FRONT)
    .map((entry) => ({ first: reached(entry, false), all: reached(entry, true) }));
  const later = Object.values(inputs).flatMap(({ imports }) =>
    imports.filter(({ kind, external }) => kind === 'dynamic-import' && external !== true).map((each) => each.path),
  );
  return new Map(
    later.map((file) => {
      const [one, ...others] = entries.filter(({ all }) => all.has(file)).map(({ first }) => first);
      const shared = [...(one ?? [])].filter((each) => others.every((other) => other.has(each)));
      return [file, shared.map((each) => `import './${each}';`).join('\n')];
    }),
  );
}
