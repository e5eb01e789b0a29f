/**
 * The defaults around cookies that depend on each other: where a cookie logs somebody in, it is treated as a password,
 * and where a cookie is tracked at all, pages of other sites stay out.
 */
import type { Cursor } from './cursor.js';
import { findSecret } from './secrets.js';
import type { SecretContext } from './secrets.js';
import { cookiesOf, transportsOf, wampPlacesOf } from './walk.js';

/** Files are absolute already. */
export function finishCookies(node: Cursor, context: SecretContext): void {
  const webSockets = transportsOf(node)
    .flatMap((transport) => wampPlacesOf(transport))
    .filter(({ kind }) => kind === 'websocket');
  for (const { place, cookie } of webSockets) finishOrigins(place.get('options'), !cookie.missing);
  const withLogin = webSockets.filter(({ place, cookie }) => !cookie.missing && !place.at('auth', 'cookie').missing);
  const passwords = new Set(withLogin.map(({ cookie }) => storeKey(cookie)));
  for (const cookie of cookiesOf(node)) {
    const secrets = cookie.get('secrets');
    if (!secrets.missing) {
      cookie.set(
        'secrets',
        secrets.items().map((secret) => findSecret(secret, context)?.secret),
      );
    }
    const isPassword = passwords.has(storeKey(cookie));
    if (cookie.get('rotate').missing) cookie.set('rotate', isPassword);
    if (cookie.get('authid').missing) cookie.set('authid', isPassword ? 'derived' : 'cookie');
  }
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
