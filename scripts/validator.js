// The check of a config as code: what ajv would compile at every start is compiled here, once.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import standaloneCode from 'ajv/dist/standalone/index.js';
import { transform } from 'esbuild';

import { importSource } from './source.js';

/** Where the code goes, seen from any file of `dist/`: they all lie as deep. */
const FROM_DIST = '../config/validator.js';

/**
 * Writes the code that ajv generates to `dist/config/validator.js`. It stays a file of its own, without a source map: it
 * has no source.
 *
 * @param {string} dist
 */
export async function writeValidator(dist) {
  const { compile } = await importSource('config/validator.ts');
  const { ajv, validate } = compile({ source: true, esm: true });
  const { code } = await transform(asModule(withShortErrors(standaloneCode.default(ajv, validate))), {
    format: 'esm',
    minify: true,
  });
  mkdirSync(path.join(dist, 'config'), { recursive: true });
  writeFileSync(path.join(dist, 'config/validator.js'), code);
}

/**
 * An esbuild plugin: whoever imports `src/config/validator.ts` gets what {@link writeValidator} wrote.
 * @type {import('esbuild').Plugin}
 */
export const useValidator = {
  name: 'validator',
  setup(build) {
    build.onResolve({ filter: /\/validator\.js$/ }, ({ resolveDir }) => {
      return path.basename(resolveDir) === 'config' ? { path: FROM_DIST, external: true } : undefined;
    });
  },
};

/** An error as ajv writes it, with the value and its schema. Those of names of properties have one member more, and stay as they are. */
const WITHIN = String.raw`(?:(?!\{instancePath).)*?`;
const ERROR = new RegExp(
  String.raw`\{instancePath(?::(${WITHIN}))?,schemaPath:"(?:[^"\\]|\\.)*",keyword:("\w+"),params:(\{${WITHIN}\}),schema:${WITHIN},parentSchema:(${WITHIN}),data(?::(\w+))?\}`,
  'g',
);

/**
 * Makes each error by a call, without what nobody reads (`config/schema-errors.ts`): there is one for each place of the config and
 * each thing that may be wrong there, and they are most of the code.
 * @param {string} code
 */
function withShortErrors(code) {
  const fault =
    'const fault = (instancePath, keyword, params, parentSchema, data) => ({ instancePath, keyword, params, parentSchema, data });';
  const short = code.replaceAll(
    ERROR,
    (_error, place = 'instancePath', keyword, params, schema, data = 'data') =>
      `fault(${place},${keyword},${params},${schema},${data})`,
  );
  return `${fault}\n${short}`;
}

/**
 * Gives the generated code the export of `src/config/validator.ts`, and the `require` that it relies on.
 * @param {string} code
 */
function asModule(code) {
  const before = "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n";
  return `${before}${code}\nexport const validator = () => validate;\n`;
}
