/** How the rules of a role are read, by the checks and by the last step alike. */
import { patternOf } from '../router/role.js';
import type { Pattern } from '../router/pattern-relations.js';
import type { Cursor } from './cursor.js';

/**
 * @returns the pattern of a rule; undefined when it has none, because the schema check failed. An asterisk at the end is short
 *   for `match: "prefix"`, and may stand beside it.
 */
export function patternAt(permission: Cursor): Pattern | undefined {
  const uri = permission.get('uri').text();
  const match = permission.get('match');
  const word = match.value;
  if (uri === undefined || !(match.missing || isMatch(word))) return undefined;
  if (word === 'prefix' && uri.endsWith('*')) return { uri: uri.slice(0, -1), match: 'prefix' };
  return patternOf(uri, isMatch(word) ? word : undefined);
}

/** @returns whether rules or an authorizer decide what a role may do: `allow-by-default` does not count then. */
export function isDecided(role: Cursor): boolean {
  return ['permissions', 'authorizer'].some((key) => !role.get(key).missing);
}

function isMatch(word: unknown): word is Pattern['match'] {
  return word === 'exact' || word === 'prefix' || word === 'wildcard';
}
