/**
 * The entries of `allowed_origins`. An entry that no origin can equal, as Crossbar.io accepts it, keeps out the pages that it is
 * meant for: nobody else would tell.
 */
import { isIP } from 'node:net';

import type { Cursor } from '../cursor.js';
import { quote } from '../schema-words.js';
import { entrancesOf, knowsBrowsers } from '../places.js';
import type { Entrance, NodePlaces } from '../places.js';
import type { CheckRulesContext } from './context.js';

export function checkOriginLists(places: NodePlaces, context: CheckRulesContext): void {
  for (const entrance of entrancesOf(places)) {
    const { browsers, options, transport } = entrance;
    if (!browsers) continue;
    const origins = options.get('allowed_origins');
    for (const origin of origins.items()) checkOrigin(origin, context);
    if (!knowsBrowsers(entrance) && isOnLoopback(transport.get('endpoint'))) warnOfEveryPage(entrance, context);
  }
}

/** One origin as browsers write it, with wildcards: scheme, host, port. */
const ORIGIN = /^[a-z*][a-z0-9+.*-]*:\/\/[^\s,/\\?#@]+$/i;
/** A wildcard at the start may stand for a scheme. */
const WILD = /^\*[^\s,/\\?#@]*$/;

function checkOrigin(origin: Cursor, { warn }: CheckRulesContext): void {
  const entry = origin.text();
  // An address copied from a browser ends in a slash, which is dropped.
  const meant = entry?.replace(/(?<=[^/])\/$/, '');
  if (entry === undefined || meant === undefined || entry === '' || entry === 'self') return;
  const hint = hintFor(meant);
  if (hint !== undefined)
    warn(
      origin.path,
      `found ${quote(entry)}, which no page has as its origin, so it lets nobody in (what does: ${hint})`,
    );
}

/** @returns what to write instead; undefined for an entry that can match. */
function hintFor(entry: string): string | undefined {
  if (/^self$/i.test(entry)) return '"self"';
  if (/^(?:null|(?:file|content):.*)$/i.test(entry)) return '"allow_null_origin": true beside "allowed_origins"';
  const parts = entry.split(/[\s,]+/).filter((part) => part !== '');
  if (parts.length > 1) return `one origin in each text: ${parts.map((part) => quote(part)).join(', ')}`;
  const written = asBrowsersWrite(entry);
  if (written !== undefined) return quote(written);
  if (ORIGIN.test(entry) || WILD.test(entry)) return undefined;
  return suggestionFor(entry);
}

/** @returns the origin in the form that browsers send, if the entry is not ASCII: its host in Punycode. */
function asBrowsersWrite(entry: string): string | undefined {
  if (/^[\x21-\x7e]*$/.test(entry) || entry.includes('*')) return undefined;
  try {
    const { protocol, host } = new URL(entry.includes('://') ? entry : `https://${entry}`);
    return `${protocol}//${host}`;
  } catch {
    // It is no URL: the general hint applies.
    return undefined;
  }
}

function suggestionFor(entry: string): string {
  const [scheme = 'https://'] = /^[a-z][a-z0-9+.-]*:\/\//i.exec(entry) ?? [];
  const behind = entry.startsWith(scheme) ? entry.slice(scheme.length) : entry;
  const [, host] = /^(?:[^/@]*@)?([^\s/\\?#@]+)/.exec(behind) ?? [];
  if (host === undefined) return 'a scheme, a host and perhaps a port, such as "https://example.com:8443"';
  return quote(`${scheme}${host}`);
}

/** A node for programs of this machine is also open to pages in its browser, which is easily overlooked. */
function warnOfEveryPage({ place, options }: Entrance, { warn }: CheckRulesContext): void {
  const origins = options.get('allowed_origins');
  const every = origins.missing ? place : origins.items().find((origin) => origin.text() === '*');
  if (every === undefined) return;
  warn(
    every.path,
    'every page that a browser on this machine shows may connect, from whatever site, though the port is on loopback (name the sites in "allowed_origins", or "self" for pages of this node; [] lets in programs only)',
  );
}

/** @returns whether only programs of this machine can connect. */
function isOnLoopback(endpoint: Cursor): boolean {
  const address = endpoint.get('interface').text();
  if (address === undefined) return false;
  // Browsers need a certificate of the operator.
  if (!endpoint.at('tls', 'ca_certificates').missing) return false;
  if (isIP(address) === 4) return address.startsWith('127.');
  return address === '::1' || address === 'localhost';
}
