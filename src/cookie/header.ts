/**
 * The two HTTP headers of a cookie: reading `Cookie`, writing `Set-Cookie`. Pure text; who is known is the business of
 * `tracker.ts`.
 */
import { parseCookie, stringifySetCookie } from 'cookie';

import type { CookieConfig } from './schema.js';

/** Each candidate costs a look-up. No browser sends that many of one name; somebody who does is not owed more. */
const MAX_CANDIDATES = 16;

const BASE64_CHARACTERS = /^[A-Za-z0-9+/]+$/;

/**
 * The values that may be a cookie id of ours, in order of appearance. A browser that has several cookies of one name
 * (for other paths or domains) sends them all, and only one of them is ours.
 *
 * A malformed neighbour cannot hide the cookie: each piece between two semicolons is read by itself. Nothing is
 * percent-decoded, because an id never needs it.
 *
 * @param headerLines the `Cookie` lines of the request.
 * @param name matched exactly; cookie names are case-sensitive.
 * @param length in characters.
 */
export function cookieValues(headerLines: readonly string[], name: string, length: number): string[] {
  const found = new Set<string>();
  for (const piece of headerLines.flatMap((line) => line.split(';'))) {
    if (!piece.includes(name)) continue; // spares the parser what is not for us
    const value = unquoted(parseCookie(piece, { decode: asIs })[name] ?? '');
    if (value.length === length && BASE64_CHARACTERS.test(value)) found.add(value);
    if (found.size === MAX_CANDIDATES) break;
  }
  return [...found];
}

/**
 * @param secureConnection whether the request came over TLS: decides on `Secure` where the config does not.
 * @returns the value of a `Set-Cookie` header.
 */
export function setCookie(cbtid: string, config: CookieConfig, secureConnection: boolean): string {
  const { name, max_age: maxAge, path, domain } = config;
  const pair = stringifySetCookie({ name, value: cbtid, maxAge, path, ...(domain && { domain }) }, { encode: asIs });
  const isSecure = config.secure ?? secureConnection;
  const isHttpOnly = config.http_only ?? config.http_strict ?? true;
  return `${pair}${isSecure ? '; Secure' : ''}${isHttpOnly ? '; HttpOnly' : ''}; SameSite=${config.same_site}`;
}

function asIs(value: string): string {
  return value;
}

function unquoted(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}
