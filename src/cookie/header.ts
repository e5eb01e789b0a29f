/**
 * The two HTTP headers of a cookie: reads `Cookie`, writes `Set-Cookie`. Pure; `tracker.ts` knows which ids are known.
 */
import { parseCookie, stringifySetCookie } from 'cookie';

import { sign, signedValue, verify } from './signature.js';
import type { CookieConfig } from './schema.js';
import type { Verified } from './signature.js';

/**
 * How many ids of one request are looked up. Another site on the same domain can plant cookies of our name that come first,
 * but hardly so many without being noticed. Where it matters, a name with `__Host-` or `secrets` keep them out: what is not
 * signed is no candidate.
 */
const MAX_CANDIDATES = 64;

const BASE64_CHARACTERS = /^[A-Za-z0-9+/]+$/;

/** A cookie id as a request presents it. */
export interface PresentedId {
  readonly cbtid: string;
  /** Signed with another secret than the first: the browser needs a new signature. */
  readonly isOutdated: boolean;
}

/** The keys of a `cookie` section that tell what its ids look like. */
export type CookieShape = Pick<CookieConfig, 'name' | 'length' | 'secrets'>;

/**
 * Reads the `Cookie` header. A browser that has several cookies of one name (for other paths or domains) sends them all, and
 * only one of them is ours.
 *
 * A malformed neighbour cannot hide the cookie: each piece between two semicolons is read by itself. Only signed values are
 * percent-decoded, because an id never needs it.
 *
 * @param headerLines the `Cookie` lines of the request.
 * @param shape `name` is matched exactly (cookie names are case-sensitive); `length` in characters; with `secrets` only
 *   signed values count.
 * @returns the values that may be a cookie id of ours, in the order of the header.
 */
export function presentedIds(headerLines: readonly string[], { name, length, secrets }: CookieShape): PresentedId[] {
  const found = new Map<string, PresentedId>();
  for (const piece of headerLines.flatMap((line) => line.split(';'))) {
    if (!piece.includes(name)) continue; // cheaper than the parser
    const text = unquoted(parseCookie(piece, { decode: asIs })[name] ?? '');
    const { value, isOutdated } = secrets === undefined ? { value: text, isOutdated: false } : verified(text, secrets);
    if (value.length === length && BASE64_CHARACTERS.test(value)) found.set(value, { cbtid: value, isOutdated });
    if (found.size === MAX_CANDIDATES) break;
  }
  return [...found.values()];
}

/**
 * Reads the `Cookie` header where no config tells what an id looks like, for a look whether a certain one is among them.
 *
 * @returns what may be a cookie id, signed or not, of whatever name. Signatures are not checked.
 */
export function anyIds(header: string): string[] {
  const values = header.split(';', MAX_CANDIDATES).map((piece) => unquoted(piece.slice(piece.indexOf('=') + 1).trim()));
  return values.map((value) => signedValue(value) ?? value);
}

/** What the config does not say. */
export interface SetCookieOptions {
  /** Whether the request came over TLS: decides about `Secure` where the config does not. */
  readonly secureConnection: boolean;
  /** How long the browser keeps the cookie, in seconds. */
  readonly maxAge: number;
}

/** @returns the value of a `Set-Cookie` header. */
export function setCookie(cbtid: string, config: CookieConfig, options: SetCookieOptions): string {
  const [secret] = config.secrets ?? [];
  return headerOf(secret === undefined ? cbtid : sign(cbtid, secret), config, options);
}

/** @returns the value of a `Set-Cookie` header that takes the cookie away: browsers compare all attributes. */
export function clearedCookie(config: CookieConfig, secureConnection: boolean): string {
  return headerOf('', config, { secureConnection, maxAge: 0 });
}

function headerOf(value: string, config: CookieConfig, { secureConnection, maxAge }: SetCookieOptions): string {
  const { name, path, domain } = config;
  const pair = stringifySetCookie({ name, value, maxAge, path, ...(domain && { domain }) }, { encode: asIs });
  const isSecure = config.secure ?? secureConnection;
  const isHttpOnly = config.http_only ?? config.http_strict ?? true;
  return `${pair}${isSecure ? '; Secure' : ''}${isHttpOnly ? '; HttpOnly' : ''}; SameSite=${config.same_site}`;
}

const NOT_SIGNED: Verified = { value: '', isOutdated: false };

function verified(text: string, secrets: readonly string[]): Verified {
  return verify(text, secrets) ?? NOT_SIGNED;
}

function asIs(value: string): string {
  return value;
}

function unquoted(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}
