/**
 * The hash of a pattern. It is the id that a subscription has on all nodes, and it names the group in which claims of a registration meet:
 * so the nodes agree without a question. Registrations have an id of their own each time they begin (`directory/ids.ts`).
 *
 * Subscriptions have not, because no order of changes decides when one begins. The questions of `meta/standings.ts` find out who tells
 * it, and may find nobody or the wrong one when a node is lost meanwhile: that costs an event of the meta API. An id would have to be
 * right, though: of three nodes that begin at the same time, the one that wins may lose its subscriber before the others have heard its
 * id, and a node of which nothing is heard is not waited for. So a subscription that begins again has its old id, which means the same
 * pattern, and which no client that was subscribed before takes for anything else.
 */
import { createHash } from 'node:crypto';
import { ErrorUri, WampError } from '../wamp/error.js';
import { quoted } from '../wamp/uri.js';
import type { WantedPattern } from '../router/uplink.js';

/** @returns the hash of a pattern in a realm: from 1 to 2^53 - 1 (section "IDs"). */
export type PatternIdOf = (realm: string, pattern: WantedPattern) => number;

const ID_BITS = 53n;

/**
 * See {@link PatternIdOf}. Of a million patterns two have the same hash with 1 : 18,000. The one that came first keeps it, and the other
 * is refused, except where two nodes subscribe to one each: no node confuses them, because events come by pattern (see
 * `RealmLink.wanted`). The meta API then shows the two as one, and of their beginnings and ends tells one.
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
