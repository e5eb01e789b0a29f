/**
 * The families of words that a config is made of, and the schema of a config with more words in them than we ship. A program that
 * brings a transport or a store of its own needs no change here: what `config/` has to know of a word, its schema says.
 */
import { authSchema } from '../auth/schema.js';
import { componentSchema } from '../component/schema.js';
import { cookieStoreSchema } from '../cookie/schema.js';
import type { ConfigSchema } from '../schema/dialect.js';
import { serializersSchema } from '../transport/connection-schema.js';
import { pathServiceSchema } from '../webservice/schema.js';
import { transportSchema, workerSchema } from '../worker/schema.js';
import { nodeSchemaTree } from './schema.js';
import type { SchemaTree } from './walk.js';

/** More words: variants with their word in `type` (`const`), methods by their words, and words of serializers. */
export interface MoreWords {
  readonly workers?: readonly ConfigSchema[];
  readonly transports?: readonly ConfigSchema[];
  readonly services?: readonly ConfigSchema[];
  readonly components?: readonly ConfigSchema[];
  readonly stores?: readonly ConfigSchema[];
  readonly methods?: Readonly<Record<string, ConfigSchema>>;
  readonly serializers?: readonly string[];
}

/** @returns the schema of a config that may have these words, beside all that are shipped. */
export function nodeSchemaOf(more: MoreWords): SchemaTree {
  const copies = new Map<ConfigSchema, ConfigSchema>();
  const copyOf = (schema: ConfigSchema): ConfigSchema => {
    const copy = copies.get(schema) ?? changed(extended(schema, more), copyOf);
    copies.set(schema, copy);
    return copy;
  };
  const { root, definitions } = nodeSchemaTree;
  return { root: copyOf(root), definitions: mapValues(definitions, copyOf) };
}

/** @returns the words of every family that we ship. */
export function shippedWords(): Readonly<Record<keyof MoreWords, readonly string[]>> {
  return {
    workers: wordsOf(workerSchema.oneOf),
    transports: wordsOf(transportSchema.oneOf),
    services: wordsOf(pathServiceSchema.oneOf),
    components: wordsOf(componentSchema.oneOf),
    stores: wordsOf(cookieStoreSchema.oneOf),
    methods: Object.keys(authSchema.properties),
    serializers: serializersSchema.items.enum,
  };
}

function wordsOf(variants: readonly ConfigSchema[]): string[] {
  return variants.map(({ properties }) => String(properties?.['type']?.const));
}

/** Puts more words to the schema that has the words of a family. All others stay as they are. */
function extended(schema: ConfigSchema, more: MoreWords): ConfigSchema {
  switch (schema) {
    case workerSchema:
      return withMore(workerSchema, more.workers);
    case componentSchema:
      return withMore(componentSchema, more.components);
    case transportSchema:
      return withMore(transportSchema, more.transports);
    case pathServiceSchema:
      return withMore(pathServiceSchema, more.services);
    case cookieStoreSchema:
      return withMore(cookieStoreSchema, more.stores);
    case authSchema:
      return { ...authSchema, properties: { ...authSchema.properties, ...more.methods } };
    case serializersSchema.items:
      return { ...schema, enum: [...serializersSchema.items.enum, ...(more.serializers ?? [])] };
    default:
      return schema;
  }
}

/** @param family - told apart by the word in their `type` */
function withMore(
  family: ConfigSchema & { readonly oneOf: readonly ConfigSchema[] },
  variants: readonly ConfigSchema[] = [],
): ConfigSchema {
  return { ...family, oneOf: [...family.oneOf, ...variants] };
}

/** @returns the schema with copies of what is in it. */
function changed(schema: ConfigSchema, copyOf: (inner: ConfigSchema) => ConfigSchema): ConfigSchema {
  const { properties, items, oneOf, additionalProperties: free } = schema;
  return {
    ...schema,
    ...(properties !== undefined && { properties: mapValues(properties, copyOf) }),
    ...(items !== undefined && { items: copyOf(items) }),
    ...(oneOf !== undefined && { oneOf: oneOf.map(copyOf) }),
    ...(free !== undefined && free !== false && !('$ref' in free) && { additionalProperties: copyOf(free) }),
  };
}

function mapValues(
  object: Readonly<Record<string, ConfigSchema>>,
  change: (value: ConfigSchema) => ConfigSchema,
): Readonly<Record<string, ConfigSchema>> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}
