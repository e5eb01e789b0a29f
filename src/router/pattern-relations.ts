/**
 * How patterns relate: whether two of them share URIs, and whether one matches all URIs of the other. Pure functions, used
 * when a session subscribes or registers with a pattern; PUBLISH and CALL never come here.
 */
import type { Match } from '../wamp/uri.js';

/** A URI pattern and how it is compared. */
export interface Pattern {
  readonly uri: string;
  readonly match: Match;
}

/** @returns whether every URI that `inner` matches is also matched by `outer`. */
export function covers(outer: Pattern, inner: Pattern): boolean {
  if (outer.match === 'prefix') return commonHead(inner).startsWith(outer.uri);
  // Only a prefix matches URIs of any length.
  if (inner.match === 'prefix') return false;
  const components = inner.uri.split('.');
  const own = outer.uri.split('.');
  return own.length === components.length && own.every((component, i) => stands(outer, component, components[i]));
}

/** @returns whether both patterns can match the same URI. */
export function intersects(a: Pattern, b: Pattern): boolean {
  if (a.match === 'prefix' && b.match === 'prefix') return a.uri.startsWith(b.uri) || b.uri.startsWith(a.uri);
  if (a.match === 'prefix') return reaches(b, a.uri);
  if (b.match === 'prefix') return reaches(a, b.uri);
  const left = a.uri.split('.');
  const right = b.uri.split('.');
  return (
    left.length === right.length && left.every((component, i) => stands(a, component, right[i]) || isAny(b, right[i]))
  );
}

/** Orders patterns by specificity, as a look-up does: exact, then wildcards with the best first, then prefixes with the longest first. */
export function bySpecificity(a: Pattern, b: Pattern): number {
  if (a.match !== b.match) return RANK[a.match] - RANK[b.match];
  if (a.match === 'prefix') return b.uri.length - a.uri.length;
  return a.match === 'wildcard' ? compareWildcards(a.uri.split('.'), b.uri.split('.')) : 0;
}

const RANK: Record<Match, number> = { exact: 0, wildcard: 1, prefix: 2 };

/** A literal component beats a wildcard at the first place where two patterns of the same length differ. */
function compareWildcards(a: readonly string[], b: readonly string[]): number {
  // They share no URI, but an order that contradicts itself would not sort the others.
  if (a.length !== b.length) return a.length - b.length;
  const at = a.findIndex((component, i) => (component === '') !== (b[i] === ''));
  if (at === -1) return 0;
  return a[at] === '' ? 1 : -1;
}

/** @returns whether a component of `pattern` matches `other`, which may be a wildcard itself. */
function stands(pattern: Pattern, component: string, other: string | undefined): boolean {
  return isAny(pattern, component) || component === other;
}

function isAny(pattern: Pattern, component: string | undefined): boolean {
  return pattern.match === 'wildcard' && component === '';
}

/** @returns the text that every URI of a pattern begins with. */
function commonHead({ uri, match }: Pattern): string {
  if (match !== 'wildcard') return uri;
  const components = uri.split('.');
  const literal = components.indexOf('');
  return literal === -1
    ? uri
    : components
        .slice(0, literal)
        .map((component) => `${component}.`)
        .join('');
}

/** @returns whether a URI of an exact or wildcard pattern can begin with `prefix`. */
function reaches(pattern: Pattern, prefix: string): boolean {
  const components = pattern.uri.split('.');
  const wanted = prefix.split('.');
  const last = wanted.length - 1;
  return (
    components.length >= wanted.length &&
    wanted.every((part, i) => {
      const component = components[i] ?? '';
      return isAny(pattern, component) || (i === last ? component.startsWith(part) : component === part);
    })
  );
}
