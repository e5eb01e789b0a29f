/**
 * Verdicts, and the URIs that refusals are told by. Crossbar.io has URIs of its own for them; which of the two
 * vocabularies a transport speaks is its option `auth_error_uris`.
 */
import { ErrorUri } from '../wamp/error.js';
import type { Accept, AuthUris, Deny, Principal, Unavailable } from './method.js';

/** The reasons of refusals, as Crossbar.io and as the specification name them (`auth_error_uris`). */
export const AUTH_URIS = {
  crossbar: {
    denied: ErrorUri.NOT_AUTHORIZED,
    noMethod: ErrorUri.NO_AUTH_METHOD,
    required: ErrorUri.NO_AUTH_METHOD,
  },
  wamp: {
    denied: ErrorUri.AUTHENTICATION_DENIED,
    noMethod: ErrorUri.NO_MATCHING_AUTH_METHOD,
    required: ErrorUri.AUTHENTICATION_REQUIRED,
  },
} as const satisfies Record<string, AuthUris>;

export function accept(principal: Principal): Accept {
  return { type: 'accept', principal };
}

/** @returns the verdict that refuses a client. */
export function deny(reason: string, message: string): Deny {
  return { type: 'deny', reason, message };
}

/** The one answer to everything that does not fit, whatever it was. */
export function denied({ denied: reason }: AuthUris): Deny {
  return deny(reason, 'authentication failed: the authid is unknown, or what proves it is wrong');
}

/** For methods that are of no use without the name of a principal. */
export function withoutAuthid({ denied: reason }: AuthUris): Deny {
  return deny(reason, 'authentication failed: HELLO names no authid');
}

/**
 * For a connection that holds a cookie id in whose place there is another one: it may be of somebody else. A browser connects
 * again with what it has now.
 */
export const COOKIE_REPLACED: Unavailable = {
  type: 'unavailable',
  message: 'the cookie of this connection was replaced, please connect again',
};
