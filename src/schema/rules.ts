/**
 * Functions beside a schema (`...-rules.ts`): rules check what keywords cannot express, and `adapt` takes values in other forms.
 * Types only: `config/` has the class behind {@link Place}, and calls the functions.
 *
 * Rules run even if the schema check fails, so that all problems are reported at once. What a rule reports about a value that
 * the schema refuses is dropped.
 */

/** The keys, and indexes as text, that lead to a value. */
export type Path = readonly string[];

/** A place in a config that may be wrong anywhere. A step to a place that does not exist never fails. */
export interface Place {
  readonly value: unknown;
  readonly path: Path;
  readonly isObject: boolean;
  /** There is no value. */
  readonly missing: boolean;
  /** @returns the place under a key. */
  get(key: string): Place;
  /** @returns the place under several keys, one below the other. */
  at(...keys: readonly string[]): Place;
  /** @returns the items of a list; none of anything else. */
  items(): readonly Place[];
  /** @returns the values of an object; none of anything else. */
  entries(): readonly Place[];
  /** @returns the value if it is a string. */
  text(): string | undefined;
  /** @returns the value if it is a number. */
  number(): number | undefined;
}

/** Reports something about the value at `path`. */
export type Report = (path: Path, text: string) => void;

/** What is around a worker of the config. */
export interface Neighbours {
  /** All workers, itself included. */
  readonly workers: readonly Place[];
  /** The node directory, absolute: relative paths start there. */
  readonly cbdir: string;
  /** @returns the port that a value names, also by a variable of the environment; undefined when it names none. */
  readonly portOf: (value: unknown) => number | undefined;
}

/** A worker in front of others: its clients join the realms of those. */
export interface Front {
  /** The worker with the realms that is meant first: the one in the process of the node, if there is one; undefined where it leads to none. */
  readonly target: Place | undefined;
  /** All workers that it leads to. */
  readonly targets: readonly Place[];
  /** The realms of workers with processes of their own, with these workers. */
  readonly apart: ReadonlyMap<string, Place>;
  /** Its transports that do not listen, by their index, with the transport that does. */
  readonly silent: ReadonlyMap<number, Place>;
}

/** Finds out where a worker leads. The config may be wrong anywhere. */
export type FrontOf = (worker: Place, neighbours: Neighbours) => Front;

/** What rules may ask, and how they report. */
export interface RuleContext extends Neighbours {
  /** The whole config. */
  readonly node: Place;
  /** Reports an error: what was found, and in brackets what is allowed. */
  readonly report: Report;
  /** Warns of a value that is probably a mistake. */
  readonly warn: Report;
  /** Notes what is accepted and has no effect: `--strict` takes it for an error. */
  readonly note: Report;
  /** Follows the links in a path, as far as it exists. */
  readonly realPath: (file: string) => string;
  /** The realms of the worker around the place. */
  readonly realms: readonly Place[];
  /** Those of them, by their names, that are with workers with processes of their own: see {@link Front.apart}. */
  readonly apart: Front['apart'];
  /** The paths, as they are written, of the files that the schema marks as `private`. */
  readonly privateFiles: () => ReadonlySet<string>;
  /** @returns the secret at a place, read from the environment or a file if need be; undefined when there is none. */
  readonly secretAt: (place: Place) => string | undefined;
  /** @returns the `inherited` section of this name that is in force at the place; a place without value when there is none. */
  readonly inForce: (key: string) => Place;
}

/** Checks one value of the schema. Not called for missing values. */
export type Rules = (place: Place, context: RuleContext) => void;

/** What is taken instead of a value. */
export interface Adapted {
  /** Undefined: nothing, so that the default applies. */
  readonly value: unknown;
  /** Where it is put, from the object that it stands in; by default where it was. */
  readonly at?: Path;
  /** What was found, and what is taken instead and why. Undefined: nothing is said, because it means the same. */
  readonly note?: string;
}

/**
 * Looks at a value before the schema check, so it may be anything.
 *
 * @param beside - the object that it stands in
 * @returns what is taken instead; undefined when the value is taken as it is
 */
export type Adapt = (value: unknown, beside: Place) => Adapted | undefined;
