/**
 * The config schema in a form that ajv compiles well: every object is a definition of its own, referred to by `$ref`. Many
 * objects stand in several places (`auth` in every kind of transport); with copies of them the generated code would be seven
 * times as long. Descriptions are left out. Each schema has a number in `$comment`, by which {@link originalOf} finds the
 * constant that it was made from.
 */
import { isOwnKeyword } from './own-keywords.js';
import type { SchemaNode } from './schema-words.js';
import { nodeSchemaTree } from './schema.js';
import type { SchemaTree } from './walk.js';

/** A schema in the dialect of ajv. */
export type PlainSchema = Readonly<Record<string, unknown>>;

/** schema -> its number, by which it is referred to */
type Numbers = ReadonlyMap<object, string>;

/** Keywords with a schema as their value, or with `false`. */
const WITH_SCHEMA: ReadonlySet<string> = new Set([
  'items',
  'additionalProperties',
  'not',
  'propertyNames',
  'if',
  'then',
]);

/** The whole schema, for ajv. */
export function validatorSchema(tree: SchemaTree = nodeSchemaTree): PlainSchema {
  const { root, definitions } = tree;
  const all: Numbers = new Map(allSchemas(tree).map((schema, index) => [schema, String(index)]));
  const named = [...all]
    .filter(([schema]) => schema !== root && isReferredTo(schema))
    .map(([schema, number]) => [number, withoutDefault(plain(schema, all))] as const);
  const recursive = Object.entries(definitions).map(([name, schema]) => [name, reference(schema, all)] as const);
  return { ...plain(root, all), definitions: Object.fromEntries([...named, ...recursive]) };
}

/** @returns the schema, as it was written, that {@link validatorSchema} made this part of. */
export function originalOf(part: PlainSchema | undefined, tree: SchemaTree): SchemaNode {
  return allSchemas(tree)[Number(part?.['$comment'])] ?? {};
}

/** tree -> every schema in it */
const found = new WeakMap<SchemaTree, readonly object[]>();

/** Every schema in the config schema, each once; its place is its number. */
export function allSchemas(tree: SchemaTree): readonly SchemaNode[] {
  const known = found.get(tree);
  if (known !== undefined) return known;
  const schemas = new Set<object>();
  const visit = (schema: object): void => {
    if (schemas.has(schema)) return;
    schemas.add(schema);
    schemasIn(schema).forEach(visit);
  };
  [tree.root, ...Object.values(tree.definitions)].forEach(visit);
  const all = [...schemas];
  found.set(tree, all);
  return all;
}

function schemasIn(schema: object): object[] {
  return Object.entries(schema).flatMap(([keyword, value]: [string, unknown]) => {
    if (keyword === 'properties' || keyword === 'oneOf') return Object.values(value as Record<string, object>);
    return WITH_SCHEMA.has(keyword) && isObject(value) ? [value] : [];
  });
}

function isReferredTo(schema: object): boolean {
  return 'properties' in schema || 'oneOf' in schema;
}

function reference(schema: object, all: Numbers): PlainSchema {
  if (!isReferredTo(schema)) return plain(schema, all);
  return { ...('default' in schema && { default: schema.default }), $ref: `#/definitions/${all.get(schema) ?? ''}` };
}

/** @returns a copy for ajv, with its number. */
function plain(schema: object, all: Numbers): PlainSchema {
  const copy = (inner: object): PlainSchema => reference(inner, all);
  const keywords = Object.entries(schema).filter(([keyword]) => !isOwnKeyword(keyword) && keyword !== 'description');
  const copied = keywords.map(([keyword, value]: [string, unknown]) => {
    if (keyword === 'properties') return [keyword, mapValues(value as Record<string, object>, copy)] as const;
    if (keyword === 'oneOf') return [keyword, (value as readonly object[]).map(copy)] as const;
    return [keyword, WITH_SCHEMA.has(keyword) && isObject(value) ? copy(value) : value] as const;
  });
  return { ...('$ref' in schema ? {} : { $comment: all.get(schema) }), ...Object.fromEntries(copied) };
}

/** The default stands beside the `$ref`. */
function withoutDefault(schema: PlainSchema): PlainSchema {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => keyword !== 'default'));
}

function mapValues(object: Readonly<Record<string, object>>, change: (value: object) => unknown): object {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
