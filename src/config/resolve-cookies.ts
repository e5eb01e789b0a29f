/**
 * The defaults around cookies that depend on each other: where a cookie logs somebody in, it is treated as a password,
 * and where a cookie is tracked at all, pages of other sites stay out.
 */
import type { Cursor } from './cursor.js';
import { findSecret } from './secrets.js';
import type { SecretContext } from './secrets.js';
import { cookiesOf, transportsOf, wampPlacesOf } from './places.js';
import type { WampPlace } from './places.js';

/** Files are absolute already. */
export function finishCookies(node: Cursor, context: SecretContext): void {
  const webSockets = webSocketsOf(node);
  for (const { place, cookie } of webSockets) finishOrigins(place.get('options'), !cookie.missing);
  const passwords = passwordStores(node);
  for (const cookie of cookiesOf(node)) {
    const secrets = cookie.get('secrets');
    if (!secrets.missing) {
      cookie.set(
        'secrets',
        secrets.items().map((secret) => findSecret(secret, context)?.secret),
      );
    }
    if (cookie.get('rotate').missing) cookie.set('rotate', passwords.has(storeKey(cookie)));
    cookie.set('authid', authidOf(cookie, passwords));
  }
}

/** The stores, by {@link storeKey}, whose cookies let somebody in. */
export function passwordStores(node: Cursor): ReadonlySet<string> {
  const withLogin = webSocketsOf(node).filter(
    ({ place, cookie }) => !cookie.missing && !place.at('auth', 'cookie').missing,
  );
  return new Set(withLogin.map(({ cookie }) => storeKey(cookie)));
}

/** What the anonymous sessions of a `cookie` section are called: what it says, or the default. */
export function authidOf(cookie: Cursor, passwords: ReadonlySet<string>): string {
  return cookie.get('authid').text() ?? (passwords.has(storeKey(cookie)) ? 'derived' : 'cookie');
}

function webSocketsOf(node: Cursor): WampPlace[] {
  return transportsOf(node)
    .flatMap((transport) => wampPlacesOf(transport))
    .filter(({ kind }) => kind === 'websocket');
}

function finishOrigins(options: Cursor, isTracked: boolean): void {
  if (options.get('allowed_origins').missing) options.set('allowed_origins', [isTracked ? 'self' : '*']);
  if (options.get('allow_null_origin').missing) options.set('allow_null_origin', !isTracked);
}

/** Sections that name one file or database share its cookies; others share none. */
function storeKey(cookie: Cursor): string {
  const store = cookie.get('store');
  return store.get('filename').text() ?? store.get('path').text() ?? cookie.path.join('/');
}
