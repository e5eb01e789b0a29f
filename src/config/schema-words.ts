/**
 * Words for messages: what a schema allows, and what was found instead. A value that may be a secret is never shown.
 */
import type { Path } from './source/source.js';

/** The keywords of a schema node that messages are made of. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly oneOf?: readonly SchemaNode[];
  readonly standsAt?: string;
  readonly then?: SchemaNode;
  readonly allowed?: string;
  readonly notYet?: Readonly<Record<string, string>>;
  readonly because?: string;
}

const MAX_SHOWN = 60;
const SECRET = /secret|ticket|passw|passphrase|token|credential|private|salt|(^|[-_])key$/i;
/** Their values should be objects. Where one is not, it may be a secret at the wrong place. */
const OF_SECRETS = /^(auth|users|principals)$/;

/** @returns what a schema allows, in words. */
export function allowedWords(schema: SchemaNode): string {
  if (schema.allowed !== undefined) return schema.allowed;
  if (schema.const !== undefined) return [JSON.stringify(schema.const), schema.because].filter(Boolean).join('; ');
  const words = wordsOf(schema);
  if (words.length > 0) return words.map((word) => JSON.stringify(word)).join(', ');
  if (schema.oneOf !== undefined) return `an object whose "type" is ${typeWords(schema).map(quote).join(' or ')}`;
  const types = schema.type === undefined ? [] : [schema.type].flat();
  return types.map((type) => typeInWords(type, schema)).join(' or ') || 'any value';
}

/** @returns the words of an enumeration, wherever the schema keeps them. */
export function wordsOf(schema: SchemaNode): readonly unknown[] {
  return schema.enum ?? schema.then?.enum ?? [];
}

/** @returns the words for `type` of a schema with variants. */
export function typeWords(schema: SchemaNode): string[] {
  return (schema.oneOf ?? []).map((variant) => String(variant.properties?.['type']?.const));
}

function typeInWords(type: string, schema: SchemaNode): string {
  switch (type) {
    case 'object':
      return 'an object';
    case 'array':
      return schema.minItems === undefined ? 'a list' : 'a list that is not empty';
    case 'string':
      return schema.minLength === undefined ? 'a string' : 'a string that is not empty';
    case 'boolean':
      return 'true or false';
    case 'integer':
      return schema.minimum === undefined
        ? 'a whole number'
        : `a whole number from ${schema.minimum} to ${schema.maximum ?? '...'}`;
    default:
      return type;
  }
}

/** @returns the value at `path` in words, shortened; of a possible secret only its type. */
export function foundWords(value: unknown, path: Path): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (mayBeSecret(value, path)) return `a ${typeof value}`;
  if (typeof value !== 'string') return String(value);
  return quote(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value);
}

function mayBeSecret(value: unknown, path: Path): boolean {
  const isSecretPlace = path.some((segment) => SECRET.test(segment)) || OF_SECRETS.test(path.at(-2) ?? '');
  return isSecretPlace || /:\/\/[^/]*@/.test(String(value));
}

/** @returns what to do instead of a key or word of Crossbar.io that is not supported yet; undefined for all others. */
export function insteadOf(word: string, { notYet = {} }: Pick<SchemaNode, 'notYet'>): string | undefined {
  return Object.hasOwn(notYet, word) ? notYet[word] : undefined;
}

export function quote(word: string): string {
  return JSON.stringify(word);
}
