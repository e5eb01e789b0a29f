/**
 * The dialect of JSON Schema (draft-07) that every `schema.ts` is written in, and how a TypeScript type is made of one.
 * Types only: no folder gets a run-time dependency from it. The checker (`config/check.ts`), the published schema and
 * the reference page (`config/reference.ts`) all read the same constants.
 */
import type { FromSchema, JSONSchema } from 'json-schema-to-ts';

import type { Rules } from './rules.js';

/** One node of a schema. Write `as const satisfies ConfigSchema`, and the compiler refuses a key without description. */
export interface ConfigSchema extends OwnKeywords {
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
}

/**
 * Keywords of our own. The first ones are for people: they make messages and documents better. Those from `is` on tell
 * `config/` and `node/` what they have to do with a value, so that neither knows a word of any family by name.
 */
export interface OwnKeywords {
  /** What may stand here, in words, where the keywords alone would read badly. */
  readonly allowed?: string;
  /** What it means when the key is not there, for keys without a fixed default. */
  readonly absent?: string;
  /** Keys (of an object) or words (of a string) that Crossbar.io knows and we do not support yet: refused by name. */
  readonly notYet?: readonly string[];
  /** Why a key of Crossbar.io is accepted with one value only (`const`). */
  readonly because?: string;
  /** An object that has a section of its own in the reference: the title of it. */
  readonly section?: string;
  /** With `section`: an example of where such an object stands. */
  readonly standsAt?: string;
  /** One of the forms that the value may have, as it stands in the reference. */
  readonly form?: ConfigSchema;
  /**
   * What a string names, or every item of a list:
   * - `file`: a path; relative ones start at the node directory
   * - `secret`: a password or key, which may be in the environment or in a file
   * - `realm`: a realm of the worker
   * - `role`: a role of the realm that stands beside it (`is: 'realm'`), else of the realm around it, else of any realm
   * - `uri`: a procedure
   */
  readonly is?: 'file' | 'secret' | 'realm' | 'role' | 'uri';
  /** With `is: 'file'`: the file is the node's own, and no service hands it out. Secrets always are. */
  readonly private?: true;
  /** With `is: 'uri'`: the procedure decides about clients, and the key of this name beside it says which role may register it. */
  readonly provider?: string;
  /** Sections with the same value here mean one and the same thing, and have to agree on it. */
  readonly identity?: true;
  /** A section that holds for everything below the object around it, but for what has a section of its own. */
  readonly inherited?: true;
  /** What this key beside it hands down (`inherited`) holds here as well. */
  readonly below?: string;
  /** WAMP clients connect here. */
  readonly clients?: {
    /** The name of what they connect to, as messages call it. */
    readonly by: string;
    /** Browsers are among them, with cookies and pages of any origin. */
    readonly browsers: boolean;
  };
  /** An authentication method that lets clients in without a secret: anybody (`realm` and `role` say where), or cookies. */
  readonly letsIn?: 'anybody' | 'cookies';
  /** What is to be checked beyond the keywords. */
  readonly rules?: Rules;
}

type TypeWord = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null';

/** The type of a checked value: defaults are there, and everything is frozen. */
export type Checked<S extends JSONSchema> = Frozen<FromSchema<S>>;

/** As {@link Checked}, but keys with a default may be left out: for values that are also written by hand. */
export type Written<S extends JSONSchema> = Frozen<FromSchema<S, { keepDefaultedPropertiesOptional: true }>>;

/** Readonly all the way down. */
export type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;
