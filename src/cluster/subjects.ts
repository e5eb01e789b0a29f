/**
 * The subjects of a cluster. WAMP allows more in a URI than an engine in a subject: {@link tokenOf} writes any text as one token, so that
 * a pattern of WAMP is a pattern of subjects.
 *
 *     w.<cluster>.hb                       heartbeats of all nodes
 *     w.<cluster>.n.<node>.<epoch>         messages for one node
 *     w.<cluster>.e.<realm>.<URI>          publications, a token for each part of the URI
 */
import type { WantedPattern } from '../router/uplink.js';

const PLAIN = /^[A-Za-z0-9_-]+$/;
const encoder = new TextEncoder();

/**
 * @returns a token that no other text has, of `A-Z a-z 0-9 _ - =`: letters, digits, `_` and `-` stay, every other octet of its UTF-8 is
 *   `=` and two hexadecimal digits, and the empty text is `=`. It can be a part of a key, too.
 */
export function tokenOf(text: string): string {
  if (PLAIN.test(text)) return text;
  if (text === '') return '=';
  let token = '';
  for (const octet of encoder.encode(text)) {
    const character = String.fromCharCode(octet);
    token += octet < 0x80 && PLAIN.test(character) ? character : `=${octet.toString(16).padStart(2, '0')}`;
  }
  return token;
}

/** @returns the tokens of a URI, one for each part. */
export function uriTokens(uri: string): string {
  // Most URIs need nothing done to them.
  return URI_AS_IT_IS.test(uri) ? uri : uri.split('.').map(tokenOf).join('.');
}

const URI_AS_IT_IS = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

/**
 * @returns the subject pattern that has all topics that a subscription matches. For `exact` and `wildcard` it has no others; for `prefix`
 *   it has when the prefix ends within a part, because subjects have no prefixes of tokens.
 */
export function patternTokens({ uri, match }: WantedPattern): string {
  if (match === 'exact') return uriTokens(uri);
  const parts = uri.split('.');
  if (match === 'wildcard') return parts.map((part) => (part === '' ? '*' : tokenOf(part))).join('.');
  // The last part of a prefix may be the beginning of a longer one.
  return [...parts.slice(0, -1).map(tokenOf), '>'].join('.');
}

/** The subjects of one cluster. */
export class Subjects {
  readonly #root: string;
  /** Heartbeats. */
  readonly heartbeat: string;

  /** @param cluster its name in the config. */
  constructor(cluster: string) {
    this.#root = `w.${tokenOf(cluster)}`;
    this.heartbeat = `${this.#root}.hb`;
  }

  /** What is for one node, in one life of it. */
  node(node: string, epoch: number): string {
    return `${this.#root}.n.${tokenOf(node)}.${epoch}`;
  }

  /** The beginning of the subjects of a realm's publications: the URI follows. */
  events(realm: string): string {
    return `${this.#root}.e.${tokenOf(realm)}.`;
  }
}
