/**
 * The defaults around cookies that depend on each other: where a cookie logs somebody in, it is treated as a password,
 * and where a cookie is tracked at all, pages of other sites stay out.
 */
import { resolve } from 'node:path';

import type { Cursor } from './cursor.js';
import { cookiesOf, entrancesOf } from './places.js';
import type { CookieSection, NodePlaces } from './places.js';

/** @param cbdir - the node directory, absolute */
export function resolveCookies(places: NodePlaces, cbdir: string): void {
  for (const { browsers, place, cookie } of entrancesOf(places)) {
    if (browsers) resolveOrigins(place.get('options'), !cookie.missing);
  }
  const passwords = passwordCookies(places, cbdir);
  for (const { cookie } of cookiesOf(places)) {
    if (cookie.get('rotate').missing) cookie.set('rotate', isPassword(cookie, passwords));
    cookie.set('authid', authidOf(cookie, passwords));
  }
}

/** The `cookie` sections, by their pointers, of stores whose cookies let somebody in. */
export type PasswordCookies = ReadonlySet<string>;

export function passwordCookies(places: NodePlaces, cbdir: string): PasswordCookies {
  const sections = cookiesOf(places);
  const stores = new Map(sections.map((section) => [section.cookie.path.join('/'), storeKey(section, cbdir)]));
  const storeOf = (cookie: Cursor): string | undefined => stores.get(cookie.path.join('/'));
  const withLogin = entrancesOf(places).filter(
    ({ browsers, cookie, open }) =>
      browsers && !cookie.missing && open.some(({ schema }) => schema.letsIn === 'cookies'),
  );
  const passwords = new Set(withLogin.map(({ cookie }) => storeOf(cookie)));
  return new Set([...stores].filter(([, store]) => passwords.has(store)).map(([pointer]) => pointer));
}

/** What the anonymous sessions of a `cookie` section are called: what it says, or the default. */
export function authidOf(cookie: Cursor, passwords: PasswordCookies): string {
  return cookie.get('authid').text() ?? (isPassword(cookie, passwords) ? 'derived' : 'cookie');
}

function isPassword(cookie: Cursor, passwords: PasswordCookies): boolean {
  return passwords.has(cookie.path.join('/'));
}

function resolveOrigins(options: Cursor, isTracked: boolean): void {
  if (options.get('allowed_origins').missing) options.set('allowed_origins', [isTracked ? 'self' : '*']);
  if (options.get('allow_null_origin').missing) options.set('allow_null_origin', !isTracked);
}

/** Sections that name one file or database share its cookies; others share none. */
function storeKey({ cookie, place }: CookieSection, cbdir: string): string {
  const name = place?.text();
  return name === undefined ? cookie.path.join('/') : resolve(cbdir, name);
}
