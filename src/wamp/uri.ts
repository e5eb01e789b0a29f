/**
 * URI rules (section "URIs"). Pure functions over strings; which rule a realm uses is its own affair.
 */

/** `loose` forbids whitespace, `#` and misplaced dots; `strict` allows only lower case letters, digits and `_`. */
export type UriRule = 'loose' | 'strict';

/** How a URI is compared: whole, as a prefix, or with empty components that stand for any one component. */
export type Match = 'exact' | 'prefix' | 'wildcard';

/** Longest URI accepted, in UTF-16 units: URIs live in maps and logs, nobody writes longer ones by hand. */
export const MAX_URI_LENGTH = 1024;

const EXACT: Record<UriRule, RegExp> = {
  loose: /^(?:[^\s.#]+\.)*[^\s.#]+$/,
  strict: /^(?:[0-9a-z_]+\.)*[0-9a-z_]+$/,
};
const WILDCARD: Record<UriRule, RegExp> = {
  loose: /^(?:[^\s.#]*\.)*[^\s.#]*$/,
  strict: /^(?:[0-9a-z_]*\.)*[0-9a-z_]*$/,
};
// Only the last component may be empty. The specification is silent; Crossbar.io and nexus agree on this.
const PREFIX: Record<UriRule, RegExp> = {
  loose: /^(?:[^\s.#]+\.)*[^\s.#]*$/,
  strict: /^(?:[0-9a-z_]+\.)*[0-9a-z_]*$/,
};
const RULES: Record<Match, Record<UriRule, RegExp>> = { exact: EXACT, prefix: PREFIX, wildcard: WILDCARD };

/** @returns whether `uri` is well-formed under `rule`, seen as a pattern of kind `match`. */
export function isValidUri(uri: string, rule: UriRule, match: Match = 'exact'): boolean {
  return uri.length <= MAX_URI_LENGTH && RULES[match][rule].test(uri);
}

/** @returns the URI in quotes, for a text that somebody reads: no longer than such a text should be. */
export function quoted(uri: string): string {
  return uri.length > 100 ? `"${uri.slice(0, 100)}…"` : `"${uri}"`;
}

/** @returns whether applications must keep out of `uri`: its first component is `wamp` (section "URIs"). */
export function isReservedUri(uri: string): boolean {
  return uri === 'wamp' || uri.startsWith('wamp.');
}
