/**
 * Errors of the protocol and the URIs that name them (section "Predefined URIs"). A `WampError` becomes an ERROR in
 * `router/realm.ts`; a `ProtocolViolation` ends the session in `session/session.ts`.
 */
import type { Dict, Payload } from './payload.js';

/** The error URIs that the router sends (section "Predefined URIs"). The comments are the text of docs/errors.md. */
export const ErrorUri = {
  /** ABORT, with `auth_error_uris: wamp`: the `authid` is unknown, or its proof is wrong. */
  AUTHENTICATION_DENIED: 'wamp.error.authentication_denied',
  /** ABORT: an authenticator gave no usable answer, the login could not be stored, or too many attempts have failed. */
  AUTHENTICATION_FAILED: 'wamp.error.authentication_failed',
  /** ABORT, with `auth_error_uris: wamp`: the client is anonymous, and anonymous clients are not allowed. */
  AUTHENTICATION_REQUIRED: 'wamp.error.authentication_required',
  /** ERROR: the authorizer of the role was not registered, failed, or gave no valid result. */
  AUTHORIZATION_FAILED: 'wamp.error.authorization_failed',
  /** ERROR of a call: the caller canceled it, its callee left, or the node stops. */
  CANCELED: 'wamp.error.canceled',
  /** ERROR of a call: one of the two peers did not announce a feature that the other uses. Of a publication: `retain` in a cluster. */
  FEATURE_NOT_SUPPORTED: 'wamp.error.feature_not_supported',
  /** ERROR: no event history is configured for the subscription. Defined by Crossbar.io. */
  HISTORY_UNAVAILABLE: 'wamp.error.history_unavailable',
  /** ERROR: an argument of a procedure of the router is missing or wrong, or a value cannot be translated for the other serializer. */
  INVALID_ARGUMENT: 'wamp.error.invalid_argument',
  /** ERROR or ABORT: the URI is invalid by the rule of the realm (`uri_check`), or reserved for the router. */
  INVALID_URI: 'wamp.error.invalid_uri',
  /** ERROR: the session has as many subscriptions, registrations or bytes as it may. Defined by crossbar-ts. */
  LIMIT_EXCEEDED: 'crossbar.error.limit_exceeded',
  /** ERROR of a call: all callees have as many invocations as they take, or too many calls wait. Defined by Crossbar.io. */
  MAX_CONCURRENCY_REACHED: 'crossbar.error.max_concurrency_reached',
  /** ABORT: the node has none of the methods that the client offers, or anonymous clients are not allowed. Defined by Crossbar.io. */
  NO_AUTH_METHOD: 'wamp.error.no_auth_method',
  /** ERROR of a call: no callee is available at the moment. */
  NO_AVAILABLE_CALLEE: 'wamp.error.no_available_callee',
  /** ABORT, with `auth_error_uris: wamp`: the node has none of the methods that the client offers. */
  NO_MATCHING_AUTH_METHOD: 'wamp.error.no_matching_auth_method',
  /** ERROR of `crossbar.cookie.*`: no cookie has this digest. Defined by crossbar-ts. */
  NO_SUCH_COOKIE: 'crossbar.error.no_such_cookie',
  /** ERROR of a call: the procedure is not registered. */
  NO_SUCH_PROCEDURE: 'wamp.error.no_such_procedure',
  /** ABORT: the router has no realm of this name. */
  NO_SUCH_REALM: 'wamp.error.no_such_realm',
  /** ERROR: the session has no such registration, or the router has none. */
  NO_SUCH_REGISTRATION: 'wamp.error.no_such_registration',
  /** ABORT: the realm has no role of this name. */
  NO_SUCH_ROLE: 'wamp.error.no_such_role',
  /** ERROR of `wamp.session.*`: the realm has no such session. */
  NO_SUCH_SESSION: 'wamp.error.no_such_session',
  /** ERROR: the session has no such subscription, or the router has none. */
  NO_SUCH_SUBSCRIPTION: 'wamp.error.no_such_subscription',
  /** ERROR: the role may not do this. ABORT, unless `auth_error_uris: wamp`: the `authid` is unknown, or its proof is wrong. */
  NOT_AUTHORIZED: 'wamp.error.not_authorized',
  /** ERROR: the client asks to be disclosed to others, which its role does not allow. */
  OPTION_DISALLOWED_DISCLOSE_ME: 'wamp.error.option_disallowed.disclose_me',
  /** ERROR: the payload is too large for the peer, for a procedure of the router, or to be translated. */
  PAYLOAD_SIZE_EXCEEDED: 'wamp.error.payload_size_exceeded',
  /** ERROR: another session has registered the procedure. */
  PROCEDURE_ALREADY_EXISTS: 'wamp.error.procedure_already_exists',
  /** ERROR: the procedure is registered with another `invoke`. Defined by Crossbar.io. */
  PROCEDURE_EXISTS_WITH_DIFFERENT_POLICY: 'wamp.error.procedure_exists_with_different_invocation_policy',
  /** ABORT: the peer violated the protocol. The connection is closed. */
  PROTOCOL_VIOLATION: 'wamp.error.protocol_violation',
  /** ERROR: an endpoint inside the node failed, or the change could not be stored. ABORT: a bug of the node. */
  RUNTIME_ERROR: 'wamp.error.runtime_error',
  /** ERROR: a testament is wrong, or the session has as many as it may. */
  TESTAMENT_ERROR: 'wamp.error.testament_error',
  /** ERROR of a call: no answer in time. ABORT: no answer to CHALLENGE in time. */
  TIMEOUT: 'wamp.error.timeout',
  /** ERROR of a call: the callee cannot take it at the moment. */
  UNAVAILABLE: 'wamp.error.unavailable',
  /** Reason of UNREGISTERED without a request: another callee has taken over the registration. Defined by Crossbar.io. */
  UNREGISTERED: 'wamp.error.unregistered',
} as const;

/** Reasons of GOODBYE. `logout` and `normal` are Crossbar.io's and autobahn's, the others the specification's. */
export const CloseUri = {
  /** The realm was removed while the router runs. */
  CLOSE_REALM: 'wamp.close.close_realm',
  /** The cookie of the session has expired. Defined by crossbar-ts, because the specification has no such reason. */
  COOKIE_EXPIRED: 'crossbar.close.cookie_expired',
  /** The answer to a GOODBYE. */
  GOODBYE_AND_OUT: 'wamp.close.goodbye_and_out',
  /** Another session ended the session with `wamp.session.kill*`. */
  KILLED: 'wamp.close.killed',
  /** The cookie of the session was logged out, with all its sessions. */
  LOGOUT: 'wamp.close.logout',
  /** The answer to a GOODBYE where `goodbye_with_normal` is set, as autobahn expects it. */
  NORMAL: 'wamp.close.normal',
  /** The login of the session at a web application is over: logged out, expired, or somebody else's. Defined by crossbar-ts. */
  SESSION_ENDED: 'crossbar.close.session_ended',
  /** The token by which the session was opened has expired. Defined by crossbar-ts. */
  TOKEN_EXPIRED: 'crossbar.close.token_expired',
  /** The node stops. Clients get it only if `shutdown_goodbye` is set, components always. */
  SYSTEM_SHUTDOWN: 'wamp.close.system_shutdown',
} as const;

/**
 * The peer violated the protocol: it gets ABORT `wamp.error.protocol_violation` and the transport is closed
 * (section "Protocol Violations"). The text goes to the peer.
 */
export class ProtocolViolation extends Error {
  readonly code = 'ERR_WAMP_PROTOCOL_VIOLATION';
  override readonly name = 'ProtocolViolation';
}

/** A request cannot be served: the requester gets ERROR with this URI, and the session goes on. */
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

/** A call by the router itself was answered with ERROR, or not in time; the text is for the log. */
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
