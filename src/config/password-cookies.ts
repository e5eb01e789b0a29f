/**
 * Which cookies are passwords: those of a store whose cookies let somebody in anywhere. The rules ask, because nobody else may
 * read such a cookie; so do the defaults.
 */
import { resolve } from 'node:path';

import type { Cursor } from './cursor.js';
import { cookiesOf, entrancesOf } from './places.js';
import type { CookieSection, NodePlaces } from './places.js';

/** The `cookie` sections, by their paths, whose cookies let somebody in. */
export type PasswordCookies = ReadonlySet<string>;

/** @param cbdir - the node directory, absolute */
export function passwordCookies(places: NodePlaces, cbdir: string): PasswordCookies {
  const sections = cookiesOf(places);
  const stores = new Map(sections.map((section) => [section.cookie.path.join('/'), storeKey(section, cbdir)]));
  const storeOf = (cookie: Cursor): string | undefined => stores.get(cookie.path.join('/'));
  const withLogin = entrancesOf(places).filter(
    ({ browsers, cookie, open }) =>
      browsers && !cookie.missing && open.some(({ schema }) => schema.letsIn === 'cookies'),
  );
  const passwords = new Set(withLogin.map(({ cookie }) => storeOf(cookie)));
  return new Set([...stores].filter(([, store]) => passwords.has(store)).map(([path]) => path));
}

/** @returns the `authid` of a `cookie` section, which names its anonymous sessions: what it says, or the default. */
export function authidOf(cookie: Cursor, passwords: PasswordCookies): string {
  return cookie.get('authid').text() ?? (isPassword(cookie, passwords) ? 'derived' : 'cookie');
}

/** @returns whether a cookie of this section lets somebody in. */
export function isPassword(cookie: Cursor, passwords: PasswordCookies): boolean {
  return passwords.has(cookie.path.join('/'));
}

/** Sections that name one file or database share its cookies; others share none. */
function storeKey({ cookie, place }: CookieSection, cbdir: string): string {
  const name = place?.text();
  return name === undefined ? cookie.path.join('/') : resolve(cbdir, name);
}
