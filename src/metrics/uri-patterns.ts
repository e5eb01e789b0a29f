/** Says which URIs are counted each for itself. */
import type { Match } from '../wamp/uri.js';

/** A URI, or a pattern of URIs, as in a subscription. */
export interface UriPattern {
  readonly uri: string;
  readonly match: Match;
}

/** @returns the test whether one of the patterns is that of a URI. */
export function namedBy(patterns: readonly UriPattern[]): (uri: string) => boolean {
  const exact = new Set(patterns.flatMap(({ uri, match }) => (match === 'exact' ? [uri] : [])));
  const prefixes = patterns.flatMap(({ uri, match }) => (match === 'prefix' ? [uri] : []));
  const wildcards = patterns.flatMap(({ uri, match }) => (match === 'wildcard' ? [uri.split('.')] : []));
  return (uri) =>
    exact.has(uri) ||
    prefixes.some((prefix) => uri.startsWith(prefix)) ||
    (wildcards.length > 0 && isAny(wildcards, uri));
}

/** An empty component stands for any. */
function isAny(wildcards: readonly (readonly string[])[], uri: string): boolean {
  const components = uri.split('.');
  return wildcards.some(
    (wanted) =>
      wanted.length === components.length &&
      wanted.every((component, at) => (component === '' ? components[at] !== '' : component === components[at])),
  );
}
