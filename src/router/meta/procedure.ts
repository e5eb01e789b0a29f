/**
 * What a meta procedure is, and how it reads its arguments: each by position or by name. A wrong argument is answered with
 * `wamp.error.invalid_argument` and a sentence for the caller.
 */
import { ErrorUri, WampError } from '../../wamp/error.js';
import { isDict } from '../../wamp/payload.js';
import type { Call } from '../../wamp/message.js';
import type { Dict, Payload } from '../../wamp/payload.js';
import type { Later } from '../observer.js';
import type { Permission } from '../permission.js';
import type { RouterSession } from '../session.js';

/**
 * A procedure of the router itself. It is called when the caller is authorized.
 *
 * @param granted the answer of an authorizer, for callers whose role has one.
 * @returns the payload of the RESULT, or a function that gives it later.
 * @throws WampError the ERROR for the caller.
 */
export type MetaProcedure = (caller: RouterSession, call: Call, granted?: Permission) => Payload | Later;

/** Procedure URI -> procedure. */
export type ProcedureTable = Readonly<Record<string, MetaProcedure>>;

/** What an argument must be. */
export interface Kind<T> {
  readonly is: (value: unknown) => value is T;
  /** Completes the sentence "... must be". */
  readonly text: string;
}

/** An argument that is a string. */
export const STRING: Kind<string> = { is: (value) => typeof value === 'string', text: 'a string' };
export const LIST: Kind<readonly unknown[]> = { is: (value) => Array.isArray(value), text: 'a list' };
/** An argument that is a dictionary. */
export const DICT: Kind<Dict> = { is: isDict, text: 'a dictionary' };
/** Any integer: an id that cannot exist is unknown, not malformed. */
export const ID: Kind<number> = { is: (value): value is number => Number.isInteger(value), text: 'an id (an integer)' };
export const STRINGS: Kind<readonly string[]> = {
  is: (value): value is readonly string[] => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  text: 'a list of strings',
};

/** The largest payload of a CALL to a procedure of the router. Its values are decoded, and each one takes time. */
export const MAX_ARGUMENT_BYTES = 65_536;

/** @returns whether the payload of a CALL is too large for a procedure of the router. */
export function isTooLarge({ payload: { byteLength = 0 } }: Call): boolean {
  return byteLength > MAX_ARGUMENT_BYTES;
}

/** The arguments of one call. */
export class CallArguments {
  readonly args: readonly unknown[];
  readonly kwargs: Dict | undefined;
  readonly #call: Call;
  readonly #names: readonly string[];

  /**
   * @param names the parameters in order of position.
   * @throws WampError when there are more arguments than parameters.
   */
  constructor(call: Call, names: readonly string[]) {
    this.#call = call;
    this.#names = names;
    // Both at once: each of the two would decode all of it.
    const { args, kwargs } = call.payload.values?.() ?? call.payload;
    this.args = args;
    this.kwargs = kwargs;
    const given = this.args.length;
    if (given > names.length) {
      throw invalid(`${call.procedure}: got ${given} arguments, expected at most ${names.length}`);
    }
  }

  /** @throws WampError when the argument is missing or of another kind. */
  required<T>(name: string, kind: Kind<T>): T {
    const value = this.optional(name, kind);
    if (value === undefined) throw invalid(`${this.#call.procedure}: argument "${name}" is missing`);
    return value;
  }

  /** @returns undefined when the argument is missing or null. @throws WampError when it is of another kind. */
  optional<T>(name: string, { is, text }: Kind<T>): T | undefined {
    const value = this.args[this.#names.indexOf(name)] ?? this.kwargs?.[name] ?? undefined;
    if (value !== undefined && !is(value)) throw invalid(`${this.#call.procedure}: "${name}" must be ${text}`);
    return value;
  }
}

/** @returns the error for an argument that the procedure cannot use. @param text a sentence for the caller */
export function invalid(text: string): WampError {
  return new WampError(ErrorUri.INVALID_ARGUMENT, text);
}
