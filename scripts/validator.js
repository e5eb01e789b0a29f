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
  const { code } = await transform(asModule(shortened(standaloneCode.default(ajv, validate))), {
    format: 'esm',
    minify: true,
    // The schemas.
    treeShaking: true,
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

/** An error as ajv writes it, with the value and its schema. */
const WITHIN = String.raw`(?:(?!\{instancePath).)*?`;
const ERROR = new RegExp(
  String.raw`\{instancePath(?::(${WITHIN}))?,schemaPath:"(?:[^"\\]|\\.)*",keyword:("\w+"),params:(\{${WITHIN}\}),schema:${WITHIN},parentSchema:(${WITHIN}),data(?::(\w+))?(?:,propertyName:(\w+))?\}`,
  'g',
);
/** What `config/schema-errors.ts` reads of the parameters of an error. */
const READ_PARAMETERS = /^\{(?:additionalProperty|missingProperty|tagValue|error|i):?/;
const KEPT_ERROR =
  /const (err\d*) = (fault\(.*?\));if\(vErrors === null\)\{vErrors = \[\1\];\}else \{vErrors\.push\(\1\);\}errors\+\+;/g;
const DEFINITION_ERRORS = /vErrors = vErrors === null \? (validate\d+)\.errors : vErrors\.concat\(\1\.errors\);/g;
const UNUSED_ARGUMENTS = /,parentData(?:(?!\{instancePath)[^{}])*?,rootData\}/g;
const UNUSED_PARAMETERS = /\{instancePath="", parentData, parentDataProperty, rootData=data\}=\{\}/g;

/** What the short code calls. */
const CALLED = `
  const fault = (instancePath, keyword, params, number, data, propertyName) =>
    ({ instancePath, keyword, params, parentSchema: { $comment: number }, data, propertyName });
  const added = (errors, error) => { if (errors === null) return [error]; errors.push(error); return errors; };
  const joined = (errors, { errors: more }) => errors === null ? more : errors.concat(more);
`;

/**
 * Writes what is there a thousand times as calls, without what nobody reads (`config/schema-errors.ts`): there is an error for each
 * place of the config and each thing that may be wrong there, and they are most of the code. Of the schema in an error only its
 * number is read, so the schemas themselves are not needed.
 * @param {string} code
 */
function shortened(code) {
  const schemas = schemasIn(code);
  const short = code
    .replaceAll(ERROR, (_error, place = 'instancePath', keyword, params, schema, data = 'data', name = '') => {
      const kept = READ_PARAMETERS.test(params) ? params : '{}';
      return `fault(${place},${keyword},${kept},${JSON.stringify(valueOf(schema, schemas)['$comment'])},${data}${name && `,${name}`})`;
    })
    .replaceAll(KEPT_ERROR, 'vErrors = added(vErrors, $2);errors++;')
    .replaceAll(DEFINITION_ERRORS, 'vErrors = joined(vErrors, $1);')
    .replaceAll(UNUSED_ARGUMENTS, '}')
    .replaceAll(UNUSED_PARAMETERS, '{instancePath=""}={}')
    .replaceAll(/schema\d+(?:\.[\w$]+|\["[^"]+"\])*\.enum\b/g, (list) => JSON.stringify(valueOf(list, schemas)));
  return `${CALLED}\n${short}`;
}

/**
 * @param {string} code
 * @returns {Readonly<Record<string, unknown>>} the schemas that the code has, by their names in it.
 */
function schemasIn(code) {
  const definitions = [...code.matchAll(/const (schema\d+) = (?=\{)/g)].map((found) => {
    const start = found.index + found[0].length;
    return [found[1], JSON.parse(code.slice(start, endOfObject(code, start)))];
  });
  return Object.fromEntries(definitions);
}

/**
 * @param {string} text
 * @param {number} start of an object in JSON.
 * @returns {number} where it ends.
 */
function endOfObject(text, start) {
  let depth = 0;
  for (const { 0: token, index } of text.slice(start).matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') depth += 1;
    if (token === '}') depth -= 1;
    if (depth === 0) return start + index + 1;
  }
  throw new Error('the generated code has an object without end');
}

/**
 * @param {string} expression such as `schema7.properties["cookie.id"].items`
 * @param {Readonly<Record<string, unknown>>} schemas
 * @returns {any}
 */
function valueOf(expression, schemas) {
  const steps = expression.match(/[\w$]+|"[^"]+"/g) ?? [];
  return steps.reduce((/** @type {any} */ value, step) => value[step.replaceAll('"', '')], schemas);
}

/**
 * Gives the generated code the export of `src/config/validator.ts`, and the `require` that it relies on.
 * @param {string} code
 */
function asModule(code) {
  const before = "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n";
  return `${before}${code}\nexport const validator = () => validate;\n`;
}
