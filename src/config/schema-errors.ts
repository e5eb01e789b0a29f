/**
 * Turns an error of ajv into words: where it is, what was found, what is allowed, and which word was probably meant.
 */
import type { ErrorObject } from 'ajv';

import { allowedWords, foundWords, insteadOf, quote, typeWords, wordsOf } from './schema-words.js';
import type { SchemaNode } from './schema-words.js';
import { pathOf } from './source/source.js';
import type { Path } from './source/source.js';
import { nearest } from './suggest.js';
import { allSchemas, originalOf } from './validator-schema.js';
import type { SchemaTree } from './walk.js';

/** Something wrong at a path. */
export interface Complaint {
  readonly path: Path;
  readonly at: 'key' | 'value' | 'missing';
  readonly text: string;
  /** The word in `type` is wrong, so the schema of the object is unknown. */
  readonly misnames: boolean;
}

/** @returns an error of ajv (with `verbose`) in words; nothing when other errors say the same. */
export function explain(error: ErrorObject, tree: SchemaTree): Complaint[] {
  const schema = originalOf(error.parentSchema, tree);
  const data: unknown = error.data;
  const path = pathOf(error.instancePath);
  if (error.propertyName !== undefined) return [badName(path, error.propertyName, schema)];
  const params = error.params as Readonly<Record<string, unknown>>;
  switch (error.keyword) {
    case 'additionalProperties':
      return [unknownKey(path, String(params['additionalProperty']), schema)];
    case 'required':
      return missingKey(path, String(params['missingProperty']), schema, data);
    case 'discriminator':
      return unknownVariant(path, params, schema, tree);
    case 'uniqueItems':
      return [repeated(path, data, Math.max(Number(params['i']), Number(params['j'])))];
    case 'if':
    case 'propertyNames':
      // The errors of the values inside say it.
      return [];
    default:
      return [wrongValue(path, data, schema)];
  }
}

function unknownKey(path: Path, key: string, schema: SchemaNode): Complaint {
  const keys = Object.keys(schema.properties ?? {});
  const allowed = `(allowed: ${keys.join(', ')})`;
  const instead = insteadOf(key, schema);
  const text =
    instead !== undefined
      ? `${quote(key)} is a key of Crossbar.io that is not supported yet: ${instead} ${allowed}`
      : `unknown key ${quote(key)}${didYouMean(key, keys)} ${allowed}`;
  return { path: [...path, key], at: 'key', text, misnames: false };
}

function missingKey(path: Path, key: string, schema: SchemaNode, data: unknown): Complaint[] {
  // Such a key stands for the one that is missing, and has a message of its own.
  if (Object.keys(data as object).some((candidate) => insteadOf(candidate, schema) !== undefined)) return [];
  const variant = onlyVariant(schema);
  const misspelt = misspeltKey(key, variant ?? schema, data);
  // Without `type` no variant is checked, so no other error reports the misspelt key.
  if (misspelt !== undefined)
    return schema.oneOf === undefined ? [] : [unknownKey(path, misspelt, variant ?? { properties: { [key]: {} } })];
  const wanted = schema.oneOf === undefined ? schema.properties?.[key] : { enum: typeWords(schema) };
  const text = `missing key ${quote(key)} (allowed: ${allowedWords(wanted ?? {})})`;
  return [{ path, at: 'missing', text, misnames: false }];
}

/** @returns what an object is meant to be, whatever its `type`, in a family of one word. */
function onlyVariant({ oneOf }: SchemaNode): SchemaNode | undefined {
  return oneOf?.length === 1 ? oneOf[0] : undefined;
}

/** @returns the key of `data` that is probably a misspelling of `key`. */
function misspeltKey(key: string, schema: SchemaNode, data: unknown): string | undefined {
  const known = schema.properties ?? { [key]: {} };
  const unknown = Object.keys(data as object).filter((candidate) => !(candidate in known));
  return unknown.find(
    (candidate) => insteadOf(candidate, schema) === undefined && nearest(candidate, Object.keys(known)) === key,
  );
}

function unknownVariant(
  path: Path,
  params: Readonly<Record<string, unknown>>,
  schema: SchemaNode,
  tree: SchemaTree,
): Complaint[] {
  const found = params['tagValue'];
  if (found === undefined) return [];
  const words = typeWords(schema);
  const complaint = wrongWord([...path, 'type'], found, words, schema);
  if (typeof found !== 'string' || insteadOf(found, schema) !== undefined) return [complaint];
  const home = homeOf(found, tree);
  if (home === undefined) return [complaint];
  return [{ ...complaint, text: `found ${quote(found)}, which belongs to ${home} ${allowedOf(words)}` }];
}

/** @returns where in a worker a word for `type` may stand, supported or not: in some other place it is no slip of another word. */
function homeOf(word: string, tree: SchemaTree): string | undefined {
  const home = allSchemas(tree).find(
    (schema) =>
      schema.standsAt?.startsWith('workers[]') === true &&
      schema.oneOf !== undefined &&
      (typeWords(schema).includes(word) || insteadOf(word, schema) !== undefined),
  );
  return home?.standsAt;
}

function badName(path: Path, name: string, schema: SchemaNode): Complaint {
  return {
    path: [...path, name],
    at: 'key',
    text: `found the key ${quote(name)} (allowed: ${allowedWords(schema)})`,
    misnames: false,
  };
}

function repeated(path: Path, data: unknown, index: number): Complaint {
  const items = Array.isArray(data) ? (data as readonly unknown[]) : [];
  const itemPath = [...path, String(index)];
  return {
    path: itemPath,
    at: 'value',
    text: `found ${foundWords(items[index], itemPath)} twice (allowed: once)`,
    misnames: false,
  };
}

function wrongValue(path: Path, data: unknown, schema: SchemaNode): Complaint {
  if (typeof schema.const === 'string') return wrongWord(path, data, [schema.const], schema);
  const words = wordsOf(schema).filter((word) => typeof word === 'string');
  if (words.length > 0 && typeof data === 'string') return wrongWord(path, data, words, schema);
  const unsupported = schema.because !== undefined && typeof data === typeof schema.const;
  const text = `found ${foundWords(data, path)}${unsupported ? ', not supported' : ''} (allowed: ${allowedWords(schema)})`;
  return { path, at: 'value', text, misnames: false };
}

function wrongWord(path: Path, found: unknown, words: readonly string[], schema: SchemaNode): Complaint {
  const allowed = allowedOf(words);
  const instead = typeof found === 'string' ? insteadOf(found, schema) : undefined;
  const text =
    instead !== undefined
      ? `${quote(String(found))} is a word of Crossbar.io that is not supported yet: ${instead} ${allowed}`
      : `found ${foundWords(found, path)}${typeof found === 'string' ? didYouMean(found, words) : ''} ${allowed}`;
  return { path, at: 'value', text, misnames: path.at(-1) === 'type' };
}

function allowedOf(words: readonly string[]): string {
  return `(allowed: ${words.map(quote).join(', ')})`;
}

function didYouMean(word: string, candidates: readonly string[]): string {
  const suggestion = nearest(word, candidates);
  return suggestion === undefined ? '' : `, did you mean ${quote(suggestion)}?`;
}
