/**
 * The dialect of JSON Schema (draft-07) that every `schema.ts` is written in, and how a TypeScript type is made of one.
 * Types only: no folder gets a run-time dependency from it. The checker (`config/check.ts`), the published schema and
 * the reference page (`config/reference.ts`) all read the same constants.
 */
import type { FromSchema, JSONSchema } from 'json-schema-to-ts';

/**
 * One node of a schema. Write `as const satisfies ConfigSchema`, and the compiler refuses a key without description.
 * The keywords from `allowed` on are ours: annotations that make messages and documents better.
 */
export interface ConfigSchema {
  /** One or two sentences: meaning, unit, and why the default has its value. */
  readonly description: string;
  readonly type?: TypeWord | readonly TypeWord[];
  readonly default?: unknown;
  readonly const?: string | number | boolean;
  readonly enum?: readonly string[] | readonly number[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly not?: { readonly exclusiveMinimum: number; readonly exclusiveMaximum: number };
  readonly items?: ConfigSchema;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, ConfigSchema>>;
  readonly propertyNames?: { readonly pattern: string; readonly allowed: string };
  /** `false`, or the schema of the values of a free-form object. */
  readonly additionalProperties?: false | ConfigSchema | { readonly $ref: string };
  /** Variants told apart by the word in their `type`. */
  readonly discriminator?: { readonly propertyName: 'type' };
  readonly oneOf?: readonly ConfigSchema[];
  readonly if?: { readonly type: TypeWord };
  readonly then?: { readonly enum: readonly string[] };
  /** What may stand here, in words, where the keywords alone would read badly. */
  readonly allowed?: string;
  /** What it means when the key is not there, for keys without a fixed default. */
  readonly absent?: string;
  /** Keys (of an object) or words (of a string) that Crossbar.io knows and we do not support yet: refused by name. */
  readonly notYet?: readonly string[];
  /** Why a key of Crossbar.io is accepted with one value only (`const`). */
  readonly because?: string;
}

type TypeWord = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null';

/** The type of a checked value: defaults are there, and everything is frozen. */
export type Checked<S extends JSONSchema> = Frozen<FromSchema<S>>;

/** As {@link Checked}, but keys with a default may be left out: for values that are also written by hand. */
export type Written<S extends JSONSchema> = Frozen<FromSchema<S, { keepDefaultedPropertiesOptional: true }>>;

/** Readonly all the way down. */
export type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;
