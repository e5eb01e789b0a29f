// Leaves what describes the config keys out of what people run: `npm run generate` has put it into the documents and into the published
// schema, and nothing else reads it.
import { readFileSync } from 'node:fs';

import ts from 'typescript';

/** The files that have schemas. */
const SCHEMAS = /schema\.ts$/;

/** Keywords with texts for readers of the documents. */
const FOR_READERS = new Set(['description', 'absent', 'section']);

/**
 * An esbuild plugin. What is left keeps its line, so that places in a stack stay right.
 * @type {import('esbuild').Plugin}
 */
export const withoutDescriptions = {
  name: 'descriptions',
  setup(build) {
    build.onLoad({ filter: SCHEMAS }, ({ path }) => ({ contents: withoutDescriptionsOf(path), loader: 'ts' }));
  },
};

/**
 * @param {string} file of src/
 * @returns {string} its text; of a schema, without descriptions
 */
export function withoutDescriptionsOf(file) {
  const text = readFileSync(file, 'utf8');
  return SCHEMAS.test(file) ? cut(text) : text;
}

/**
 * @param {string} text of a module
 * @returns {string} with an empty text in the place of each description that is a constant
 */
function cut(text) {
  const source = ts.createSourceFile('schema.ts', text, ts.ScriptTarget.Latest);
  /** @type {(readonly [start: number, end: number])[]} */
  const places = [];
  /** @param {ts.Node} node */
  const visit = (node) => {
    if (isDescription(node)) places.push([node.initializer.getStart(source), node.initializer.end]);
    else ts.forEachChild(node, visit);
  };
  visit(source);
  return places.reduceRight(
    (rest, [start, end]) =>
      `${rest.slice(0, start)}''${rest.slice(start, end).replace(/[^\n]/g, '')}${rest.slice(end)}`,
    text,
  );
}

/**
 * @param {ts.Node} node
 * @returns {node is ts.PropertyAssignment}
 */
function isDescription(node) {
  return (
    ts.isPropertyAssignment(node) &&
    ts.isIdentifier(node.name) &&
    FOR_READERS.has(node.name.text) &&
    ts.isStringLiteralLike(node.initializer)
  );
}
