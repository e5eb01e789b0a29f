/**
 * The dialect of JSON Schema (draft-07) in which every `schema.ts` is written, and how a TypeScript type is derived from a
 * schema. Types only: no folder gets a run-time dependency from it. The checker (`config/validate.ts`), the published schema and
 * the reference page (`config/reference.ts`) read the same constants.
 */
import type { FromSchema, JSONSchema } from 'json-schema-to-ts';

import type { LookWord } from './look.js';
import type { Adapt, FrontOf, Rules } from './rules.js';

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
 * A family of variants, told apart by their `type`. Written as the type of the constant, where no type is derived from it: the whole of a
 * config would be too long a type for a declaration.
 */
export type FamilySchema = ConfigSchema & { readonly oneOf: readonly ConfigSchema[] };

/**
 * Keywords of our own. Those before `is` improve messages and documents. Those from `is` on say what `config/` and `node/` do
 * with a value, so that neither knows a word of any family by name.
 */
export interface OwnKeywords {
  /** The allowed values in words, where the keywords alone would read badly. */
  readonly allowed?: string;
  /** The default in words, for keys without a fixed default. */
  readonly absent?: string;
  /**
   * Keys (of an object) or words (of a string, or of `type`) of Crossbar.io that are not supported yet, each with what to do instead: an
   * imperative that follows a colon in the message.
   */
  readonly notYet?: Readonly<Record<string, string>>;
  /** What Crossbar.io accepts and a limit or a rule refuses, each with what to do instead. For documents only. */
  readonly refuses?: Readonly<Record<string, string>>;
  /** With `const`: why a key of Crossbar.io is accepted with one value only. */
  readonly because?: string;
  /**
   * What Crossbar.io accepts and what has no effect here. It is taken out of the config, with a note that says why:
   * - of an object, by key: keys that no property has, whatever their value
   * - of an object, as text: the whole object. It keeps its place, and the keys that a property has
   * - of a property with `const`: the other values of its type
   */
  readonly noEffect?: string | Readonly<Record<string, string>>;
  /** Of an object: keys that nobody knows are taken out with a note, unless they look like a slip of a known one. */
  readonly unknownKeys?: 'note';
  /** Of a property: takes values that Crossbar.io accepts in another form or range, with a note. */
  readonly adapt?: Adapt;
  /** The title of the object's own section in the reference. */
  readonly section?: string;
  /** With `section`: an example of where such an object stands. */
  readonly standsAt?: string;
  /** A form of the value that has a section of its own in the reference. */
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
  /** With `is` of a realm or role: what happens where there is none of this name. Without it that is an error, with it a note. */
  readonly ifAbsent?: string;
  /** With `is: 'file'`: no service serves the file. Files of secrets are always private. */
  readonly private?: true;
  /** With `is: 'file'`: the node writes there while it runs. Relative paths start at its state directory, if it has one. */
  readonly state?: true;
  /** With `is: 'uri'`: the procedure decides about clients; the key of this name beside it names the role that may register it. */
  readonly provider?: string;
  /** Sections with the same value here share one store, and must agree on its keys. */
  readonly identity?: true;
  /** Where this section lacks the key `unless`, it has these keys of a section of the node. */
  readonly borrows?: { readonly from: string; readonly unless: string; readonly keys: readonly string[] };
  /** A section that applies to everything below its object, except where there is another one nearer. */
  readonly inherited?: true;
  /** The key beside it whose inherited sections apply here, too. */
  readonly below?: string;
  /** WAMP clients connect here. */
  readonly clients?: {
    /** The name of what they connect to, as messages call it. */
    readonly by: string;
    /** Whether browsers can connect, with cookies and from pages of any origin. */
    readonly browsers: boolean;
    /** They publish and subscribe, and neither call nor register; by default they may do all four. */
    readonly calls?: false;
    /** It is the object that has `allowed_origins`; by default the key `options` of it is. */
    readonly areOptions?: true;
  };
  /**
   * An authentication method that asks for no secret: it lets in anybody (with `realm` and `role`), or clients by their cookies, or
   * by the cookies of a web application.
   */
  readonly letsIn?: 'anybody' | 'cookies' | 'web logins';
  /** Of a worker that has no realms of its own. */
  readonly front?: FrontOf;
  /** When a change of the value takes effect, in a node that is told to read its config again: see {@link ReloadWord}. */
  readonly reload?: ReloadWord;
  /** Checks what the keywords cannot express. */
  readonly rules?: Rules;
  /** What `check` looks at beyond the text of the config. */
  readonly looks?: LookWord;
}

/**
 * When a change takes effect, of a value and all that is below it and has no word of its own:
 * - `at once`, also for what is open
 * - `new requests`, `new sessions`, `new connections`: what has begun before goes on as it was
 * - `on demand`: by a reload that is told to restart components, else with the next start
 * - `restart`: with the next start. Of a list of things that have names the word is about those that come and go
 * - `restart of all`: the same, whatever is said further below
 */
export type ReloadWord =
  'at once' | 'new requests' | 'new sessions' | 'new connections' | 'on demand' | 'restart' | 'restart of all';

type TypeWord = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null';

/** The type of a checked value: defaults are there, and everything is frozen. */
export type Checked<S extends JSONSchema> = Frozen<FromSchema<S>>;

/** As {@link Checked}, but keys with a default may be left out: for values that are also written by hand. */
export type Written<S extends JSONSchema> = Frozen<FromSchema<S, { keepDefaultedPropertiesOptional: true }>>;

/** Readonly all the way down. */
export type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;
