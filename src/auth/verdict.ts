/**
 * Makes verdicts, with the URIs for refusals. Crossbar.io has URIs of its own; the option `auth_error_uris` of a transport chooses
 * between those and the URIs of the specification.
 */
import { ErrorUri } from '../wamp/error.js';
import type { Accept, AuthUris, Deny, Principal, Unavailable } from './method.js';

/** The reasons for refusals, by the words of `auth_error_uris`. */
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

/** @returns the verdict that lets a client in. */
export function accept(principal: Principal): Accept {
  return { type: 'accept', principal };
}

/** @returns the verdict that refuses a client. */
export function deny(reason: string, message: string): Deny {
  return { type: 'deny', reason, message };
}

/** @returns the refusal for an unknown `authid` as well as for a wrong proof: a client must not learn which it was. */
export function denied({ denied: reason }: AuthUris): Deny {
  return deny(reason, 'authentication failed: the authid is unknown, or what proves it is wrong');
}

/** @returns the refusal for a HELLO without `authid`, by methods that need one. */
export function withoutAuthid({ denied: reason }: AuthUris): Deny {
  return deny(reason, 'authentication failed: HELLO names no authid');
}

/**
 * For a connection that holds a replaced cookie id: it may belong to somebody else. A browser connects again, with the id that it
 * has by then.
 */
export const COOKIE_REPLACED: Unavailable = {
  type: 'unavailable',
  message: 'the cookie of this connection was replaced, please connect again',
};
