/**
 * WAMP ids: integers in [1, 2^53] (section "IDs"). Randomness is passed in, this file holds only the rules.
 */

/** The largest id, 2^53: the last integer up to which a double counts without gaps. */
export const MAX_ID = 9007199254740992;

/** Draws an id uniformly at random from [1, 2^53]: for ids of global scope (sessions, publications). */
export type RandomId = () => number;

/** @returns whether `value` may stand where the specification asks for an id. */
export function isId(value: unknown): value is number {
  return typeof value === 'number' && value >= 1 && value <= MAX_ID && Number.isInteger(value);
}

/** @returns the id that follows `id` in session scope: 1, 2, 3 ... and 1 again behind 2^53. */
export function nextId(id: number): number {
  return id >= MAX_ID ? 1 : id + 1;
}
