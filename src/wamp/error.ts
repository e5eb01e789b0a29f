/**
 * Errors of the protocol and the URIs that name them (section "Predefined URIs"). The first two classes are thrown by the
 * code that finds the fault and caught in one place: `session/session.ts`.
 */
import type { Dict, Payload } from './payload.js';

/** The error URIs of the specification and of Crossbar.io that the router sends (section "Predefined URIs"). */
export const ErrorUri = {
  AUTHENTICATION_DENIED: 'wamp.error.authentication_denied',
  AUTHENTICATION_FAILED: 'wamp.error.authentication_failed',
  AUTHENTICATION_REQUIRED: 'wamp.error.authentication_required',
  AUTHORIZATION_FAILED: 'wamp.error.authorization_failed',
  CANCELED: 'wamp.error.canceled',
  FEATURE_NOT_SUPPORTED: 'wamp.error.feature_not_supported',
  /** Crossbar.io's: nothing is configured to be remembered. */
  HISTORY_UNAVAILABLE: 'wamp.error.history_unavailable',
  INVALID_ARGUMENT: 'wamp.error.invalid_argument',
  INVALID_URI: 'wamp.error.invalid_uri',
  /** Ours: a session holds as much as it may. */
  LIMIT_EXCEEDED: 'crossbar.error.limit_exceeded',
  /** Crossbar.io's. */
  MAX_CONCURRENCY_REACHED: 'crossbar.error.max_concurrency_reached',
  /** Crossbar.io's. */
  NO_AUTH_METHOD: 'wamp.error.no_auth_method',
  NO_AVAILABLE_CALLEE: 'wamp.error.no_available_callee',
  NO_MATCHING_AUTH_METHOD: 'wamp.error.no_matching_auth_method',
  /** Ours. */
  NO_SUCH_COOKIE: 'crossbar.error.no_such_cookie',
  NO_SUCH_PROCEDURE: 'wamp.error.no_such_procedure',
  NO_SUCH_REALM: 'wamp.error.no_such_realm',
  NO_SUCH_REGISTRATION: 'wamp.error.no_such_registration',
  NO_SUCH_ROLE: 'wamp.error.no_such_role',
  NO_SUCH_SESSION: 'wamp.error.no_such_session',
  NO_SUCH_SUBSCRIPTION: 'wamp.error.no_such_subscription',
  NOT_AUTHORIZED: 'wamp.error.not_authorized',
  OPTION_DISALLOWED_DISCLOSE_ME: 'wamp.error.option_disallowed.disclose_me',
  OPTION_NOT_ALLOWED: 'wamp.error.option_not_allowed',
  PAYLOAD_SIZE_EXCEEDED: 'wamp.error.payload_size_exceeded',
  PROCEDURE_ALREADY_EXISTS: 'wamp.error.procedure_already_exists',
  /** Crossbar.io's. */
  PROCEDURE_EXISTS_WITH_DIFFERENT_POLICY: 'wamp.error.procedure_exists_with_different_invocation_policy',
  PROTOCOL_VIOLATION: 'wamp.error.protocol_violation',
  RUNTIME_ERROR: 'wamp.error.runtime_error',
  TESTAMENT_ERROR: 'wamp.error.testament_error',
  TIMEOUT: 'wamp.error.timeout',
  UNAVAILABLE: 'wamp.error.unavailable',
  /** Crossbar.io's reason for a registration that another callee took over. */
  UNREGISTERED: 'wamp.error.unregistered',
} as const;

/** Reasons of GOODBYE. `logout` and `normal` are Crossbar.io's and autobahn's, the others the specification's. */
export const CloseUri = {
  /** Ours, because the specification has none for it, and `wamp.` is not ours. */
  COOKIE_EXPIRED: 'crossbar.close.cookie_expired',
  GOODBYE_AND_OUT: 'wamp.close.goodbye_and_out',
  KILLED: 'wamp.close.killed',
  /** The browser is to be forgotten: see `cookie/live-cookies.ts`. */
  LOGOUT: 'wamp.close.logout',
  NORMAL: 'wamp.close.normal',
  SYSTEM_SHUTDOWN: 'wamp.close.system_shutdown',
} as const;

/**
 * The peer broke the protocol: it gets ABORT `wamp.error.protocol_violation` and the transport is closed
 * (section "Protocol Violations"). The text goes to the peer.
 */
export class ProtocolViolation extends Error {
  readonly code = 'ERR_WAMP_PROTOCOL_VIOLATION';
  override readonly name = 'ProtocolViolation';
}

/** A request that cannot be served: the requester gets ERROR with this URI and the session goes on. */
export class WampError extends Error {
  readonly code = 'ERR_WAMP';
  override readonly name = 'WampError';
  readonly uri: string;
  readonly args: readonly unknown[];
  readonly kwargs: Dict | undefined;

  /** @param text one sentence for the requester; it becomes `args[0]`. */
  constructor(uri: string, text?: string, kwargs?: Dict) {
    super(text ?? uri);
    this.uri = uri;
    this.args = text === undefined ? [] : [text];
    this.kwargs = kwargs;
  }
}

/** A call that the router itself made was answered with ERROR, or not in time; the text is for the log. */
export class CallFault extends Error {
  readonly code = 'ERR_WAMP_CALL';
  override readonly name = 'CallFault';
  /** What the ERROR said, or would have said; undefined when there was none. */
  readonly uri: string | undefined;
  readonly payload: Payload | undefined;

  constructor(text: string, answer?: { readonly uri: string; readonly payload?: Payload }) {
    super(text);
    this.uri = answer?.uri;
    this.payload = answer?.payload;
  }
}
