/**
 * Which pages may log a browser in and out: nothing else keeps a page of another site from doing it for its visitor. `SameSite` does
 * not: it takes another port of the same host for the same site. Pure.
 *
 *     Sec-Fetch-Site: same-origin             yes; the browser says so, and no page can
 *                     same-site, cross-site   no, unless `allowed_origins` has the Origin
 *                     none                    no: nobody types a POST
 *     without it, by Origin: absent           yes: no browser, so nobody's cookies
 *                            of this service  yes, scheme and port included
 *                            null, other      no, unless `allowed_origins` has it
 */
import type { IncomingHttpHeaders } from 'node:http';

/** Which pages are ours. */
export interface OriginRules {
  /** The origin of the config's `public_url`; undefined where there is none. */
  readonly publicOrigin: string | undefined;
  /** Origins of other pages, as browsers write them. */
  readonly allowed: ReadonlySet<string>;
}

/** `other` is a page of `allowed_origins`, which needs the headers of CORS to read the answer. */
export type OriginVerdict = 'own' | 'other' | 'refused';

/** @param isTls whether the browser is known to have come over TLS; a proxy may have had it before. */
export function judgeOrigin(headers: IncomingHttpHeaders, isTls: boolean, rules: OriginRules): OriginVerdict {
  const { origin, 'sec-fetch-site': site } = headers;
  if (origin !== undefined && rules.allowed.has(origin)) return 'other';
  if (site !== undefined) return site === 'same-origin' ? 'own' : 'refused';
  if (origin === undefined) return 'own';
  return origin === rules.publicOrigin || isOfHost(origin, headers.host, isTls) ? 'own' : 'refused';
}

/** @returns whether an origin is the host that was asked for, by the scheme that it names. */
function isOfHost(origin: string, host: string | undefined, isTls: boolean): boolean {
  const scheme = /^https?:/.exec(origin)?.[0];
  if (scheme === undefined || (isTls && scheme !== 'https:')) return false;
  const url = `${scheme}//${host ?? ''}`;
  return /^https?:\/\/[^/\\?#@\s]+$/.test(url) && URL.canParse(url) && new URL(url).origin === origin;
}
