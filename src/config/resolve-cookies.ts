/**
 * Defaults of cookies that depend on other keys. A cookie that is a password is rotated, and the `authid` is derived from it.
 * Where cookies say who a browser is, ours or those of a web application, pages of other sites cannot connect.
 */
import type { Cursor } from './cursor.js';
import { authidOf, isPassword, passwordCookies } from './password-cookies.js';
import { cookiesOf, entrancesOf, knowsBrowsers } from './places.js';
import type { NodePlaces } from './places.js';

/** @param cbdir - the node directory, absolute */
export function resolveCookies(places: NodePlaces, cbdir: string): void {
  for (const entrance of entrancesOf(places)) {
    if (entrance.browsers) resolveOrigins(entrance.options, knowsBrowsers(entrance));
  }
  const passwords = passwordCookies(places, cbdir);
  for (const { cookie } of cookiesOf(places)) {
    if (cookie.get('rotate').missing) cookie.set('rotate', isPassword(cookie, passwords));
    cookie.set('authid', authidOf(cookie, passwords));
  }
}

function resolveOrigins(options: Cursor, isStrict: boolean): void {
  if (options.get('allowed_origins').missing) options.set('allowed_origins', [isStrict ? 'self' : '*']);
  if (options.get('allow_null_origin').missing) options.set('allow_null_origin', !isStrict);
}
