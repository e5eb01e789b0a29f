/** The id that a subscription or a registration has on all nodes: a hash of its pattern, so that they agree without a question. */
import { createHash } from 'node:crypto';
import { ErrorUri, WampError } from '../wamp/error.js';
import { quoted } from '../wamp/uri.js';
import type { WantedPattern } from '../router/uplink.js';

/** @returns the id of a pattern in a realm: from 1 to 2^53 - 1 (section "IDs"). */
export type PatternIdOf = (realm: string, pattern: WantedPattern) => number;

const ID_BITS = 53n;

/**
 * See {@link PatternIdOf}. Of a million patterns two have the same id with 1 : 18,000. The one that came first keeps it, and the other
 * is refused.
 */
export const patternId: PatternIdOf = (realm, { uri, match }) => {
  const digest = createHash('sha256').update(`${realm}\0${match}\0${uri}`).digest();
  return Number(digest.readBigUInt64BE(0) >> (64n - ID_BITS)) || 1;
};

/** @returns whether two are one. */
export function isSamePattern(a: WantedPattern, b: WantedPattern): boolean {
  return a.uri === b.uri && a.match === b.match;
}

/** What is logged when it happens. */
export const ID_TAKEN = 'a pattern has by chance the id of another one, and is refused';

/** @returns what the client is told whose pattern has the id of another one. */
export function idTaken(uri: string): WampError {
  const text = `${quoted(uri)} has by chance the id of another pattern of the realm: a URI that differs in one letter will do`;
  return new WampError(ErrorUri.INVALID_URI, text);
}
