/**
 * What a schema may say that no keyword can: a function beside it (`...-rules.ts`) that looks at a value of its kind and
 * says what is wrong with it. Types only: `config/` has the class behind {@link Place}, and calls the rules.
 *
 * Rules run over configs that may be wrong elsewhere, beside the check of the schema: so that all problems are told at once. About
 * a value that the schema refuses already, nobody hears what a rule says.
 */

/** The way to a value: keys, and indexes as text. */
export type Path = readonly string[];

/** A place in a config that may be wrong anywhere: moving on never fails, it only ends at nothing. */
export interface Place {
  readonly value: unknown;
  readonly path: Path;
  readonly isObject: boolean;
  /** Nothing stands there. */
  readonly missing: boolean;
  /** What stands under a key. */
  get(key: string): Place;
  /** Goes through several keys. */
  at(...keys: readonly string[]): Place;
  /** The items of a list; none of anything else. */
  items(): readonly Place[];
  /** The values of an object; none of anything else. */
  entries(): readonly Place[];
  /** The value if it is a string. */
  text(): string | undefined;
  /** The value if it is a number. */
  number(): number | undefined;
}

/** Says something about the value at `path`. */
export type Report = (path: Path, text: string) => void;

/** What rules may ask, and where they say what they found. */
export interface RuleContext {
  /** Says that something is wrong: what was found, and in brackets what is allowed. */
  readonly report: Report;
  /** Says that something is probably not meant. */
  readonly warn: Report;
  /** The node directory, absolute: relative paths start there. */
  readonly cbdir: string;
  /** Follows the links in a path, as far as it exists. */
  readonly realPath: (file: string) => string;
  /** The realms of the worker around the place. */
  readonly realms: readonly Place[];
  /** The files, as they are written, of which the schema says that they are the node's own (`private`). */
  readonly privateFiles: () => ReadonlySet<string>;
  /** @returns the secret at a place, wherever it comes from; undefined when it is not there. */
  readonly secretAt: (place: Place) => string | undefined;
  /** @returns the section of this name (`inherited`) that holds where the place is; at nothing when there is none. */
  readonly inForce: (key: string) => Place;
}

/** Looks at one value that the schema is about. It is not called where nothing stands. */
export type Rules = (place: Place, context: RuleContext) => void;
