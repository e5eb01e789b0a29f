/**
 * What a look or an action asks for: a dictionary, by name, from the arguments of a CALL or of a request through the control socket.
 * What is wrong is told to the one who asked. A name that is none is wrong: it would be a filter that filters nothing.
 */
import { ErrorUri, WampError } from '../wamp/error.js';
import { quoted } from '../wamp/uri.js';
import { PAGE } from './selection.js';
import type { Behind } from './selection.js';

/** The names and values of a request. */
export type Asked = Readonly<Record<string, unknown>>;

/** What things are put in order by. */
export interface Order<T> {
  readonly keyOf: (thing: T) => number | string;
  /** Whether the largest come first where nothing else is asked for. */
  readonly descending: boolean;
  /** The order is that of rates: `keyOf` gives the count that they are rates of. */
  readonly isRate?: boolean;
}

/** @returns the order by how fast a count grows. */
export function byRate<T>(countOf: (thing: T) => number): Order<T> {
  return { keyOf: countOf, descending: true, isRate: true };
}

/** Reads a request. All methods throw a WampError `wamp.error.invalid_argument`. */
export class Wish {
  readonly #asked: Asked;

  /** @param names all that may be asked for. */
  constructor(asked: Asked, names: readonly string[]) {
    this.#asked = asked;
    const unknown = Object.keys(asked).find((name) => !names.includes(name));
    if (unknown === undefined) return;
    const known = names.length === 0 ? 'none are' : `there are ${names.join(', ')}`;
    throw wrong(`there is no argument ${quoted(unknown)}: ${known}`);
  }

  text(name: string): string | undefined {
    const value = this.#asked[name] ?? undefined;
    if (value === undefined || typeof value === 'string') return value;
    throw wrong(`"${name}" must be a string`);
  }

  /** From 1 on. */
  id(name: string): number | undefined {
    const value = this.#asked[name] ?? undefined;
    if (value === undefined || (Number.isSafeInteger(value) && Number(value) > 0)) return value as number | undefined;
    throw wrong(`"${name}" must be an id (an integer)`);
  }

  flag(name: string): boolean | undefined {
    const value = this.#asked[name] ?? undefined;
    if (value === undefined || typeof value === 'boolean') return value;
    throw wrong(`"${name}" must be true or false`);
  }

  /** Up to a page. */
  get limit(): number {
    return this.#count('limit', 1, PAGE) ?? PAGE;
  }

  get offset(): number {
    return this.#count('offset', 0, Number.MAX_SAFE_INTEGER) ?? 0;
  }

  get after(): Behind | undefined {
    const value = this.#asked['after'] ?? undefined;
    if (value === undefined || isBehind(value)) return value;
    throw wrong('"after" must be what "next" of the page before was');
  }

  /** @returns the order that `sort` names, or the one that `usual` does. */
  order<T>(orders: Readonly<Record<string, Order<T>>>, usual: string): Order<T> & { readonly name: string } {
    const name = this.text('sort') ?? usual;
    const order = Object.hasOwn(orders, name) ? orders[name] : undefined;
    if (order === undefined) throw wrong(`"sort" must be one of ${Object.keys(orders).join(', ')}`);
    return { ...order, name, descending: this.flag('descending') ?? order.descending };
  }

  #count(name: string, least: number, most: number): number | undefined {
    const value = this.#asked[name] ?? undefined;
    if (value === undefined) return undefined;
    if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most) return Number(value);
    throw wrong(`"${name}" must be a number from ${least} to ${most}`);
  }
}

/** @returns the error for a request that cannot be understood. */
export function wrong(text: string): WampError {
  return new WampError(ErrorUri.INVALID_ARGUMENT, text);
}

function isBehind(value: unknown): value is Behind {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [key, id, place] = value as unknown[];
  return (typeof key === 'number' || typeof key === 'string') && Number.isInteger(id) && Number.isInteger(place);
}
