/**
 * Which cookies are passwords: the cookies of a store, if they let a client in on any transport. The rules warn where other
 * sessions can read such a cookie, and some defaults are stricter for it.
 */
import type { Cursor } from './cursor.js';
import { cookiesOf, entrancesOf, storePlaceOf } from './places.js';
import type { CookieSection, NodePlaces } from './places.js';

/** The paths of the `cookie` sections whose cookies are passwords. */
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

/** @returns whether the cookies of this section are passwords. */
export function isPassword(cookie: Cursor, passwords: PasswordCookies): boolean {
  return passwords.has(cookie.path.join('/'));
}

/** Sections that name one file or database share its cookies; others share none. */
function storeKey(section: CookieSection, cbdir: string): string {
  return storePlaceOf(section, cbdir) ?? section.cookie.path.join('/');
}
