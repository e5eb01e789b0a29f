/** The error of cookie stores. It is part of the public types: nothing else may be imported here. */

/**
 * A cookie store could not do what was asked; `cause` says why. `stop` of a node rejects with it when a store cannot be
 * closed; when one cannot be opened, it is the `cause` of the NodeError.
 */
export class CookieStoreError extends Error {
  /** A file or database failed, is in use, or refuses what was asked. */
  readonly code = 'ERR_COOKIE_STORE';
  override readonly name = 'CookieStoreError';
}
