/**
 * URI rules (section "URIs"). Pure functions over strings; which rule a realm uses is its own affair.
 */

/** `loose` forbids whitespace, `#` and misplaced dots; `strict` allows only lower case letters, digits and `_`. */
export type UriRule = 'loose' | 'strict';

/** How a URI is compared: whole, as a prefix, or with empty components that stand for any one component. */
export type Match = 'exact' | 'prefix' | 'wildcard';

/** Longest URI accepted, in UTF-16 units: URIs live in maps and logs, nobody writes longer ones by hand. */
export const MAX_URI_LENGTH = 1024;

/** Most components of a wildcard pattern: each takes some 300 bytes in the index, however short it is. */
export const MAX_WILDCARD_COMPONENTS = 32;

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
  return uriExcess(uri, match) === undefined && RULES[match][rule].test(uri);
}

/** @returns what a URI or pattern has too much of, for the text of an error; undefined when its size is right. */
export function uriExcess(uri: string, match: Match = 'exact'): string | undefined {
  if (uri.length > MAX_URI_LENGTH) return `it has more than ${MAX_URI_LENGTH} characters`;
  if (match !== 'wildcard' || componentCount(uri) <= MAX_WILDCARD_COMPONENTS) return undefined;
  return `a wildcard pattern has at most ${MAX_WILDCARD_COMPONENTS} components`;
}

/** @param what the URI is of, as in "invalid topic URI". @returns the text of an error about a URI that is not valid. */
export function invalidUriText(what: string, uri: string, match: Match = 'exact'): string {
  const excess = uriExcess(uri, match);
  return `invalid ${what} URI ${quoted(uri)}${excess === undefined ? '' : `: ${excess}`}`;
}

/** @returns how many components a URI has, empty ones included. */
export function componentCount(uri: string): number {
  let count = 1;
  for (let at = uri.indexOf('.'); at !== -1; at = uri.indexOf('.', at + 1)) count++;
  return count;
}

/** @returns the URI in quotes, for a text that somebody reads: no longer than such a text should be. */
export function quoted(uri: string): string {
  return uri.length > 100 ? `"${uri.slice(0, 100)}…"` : `"${uri}"`;
}

/** @returns whether applications must keep out of `uri`: its first component is `wamp` (section "URIs"). */
export function isReservedUri(uri: string): boolean {
  return uri === 'wamp' || uri.startsWith('wamp.');
}
