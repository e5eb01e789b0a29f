/** The URIs of version 1: a `*` says how a rule is compared. Since version 2 the key `match` does. */

export interface UpgradedUri {
  readonly uri: string;
  readonly match: 'exact' | 'prefix' | 'wildcard';
}

/**
 * As `crossbar upgrade` reads it: without a `*` exact, with a single one at the end a prefix, else a wildcard. What every `*`
 * leaves behind is an empty component (`com.*.b` = `com..b`); where it was a part of a component it is simply cut.
 */
export function upgradeUri(uri: string): UpgradedUri {
  const first = uri.indexOf('*');
  if (first === -1) return { uri, match: 'exact' };
  return { uri: uri.replaceAll('*', ''), match: first === uri.length - 1 ? 'prefix' : 'wildcard' };
}
