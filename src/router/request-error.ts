/** The ERROR that answers a request in vain, and who else is told of it. */
import { ErrorUri, ProtocolViolation } from '../wamp/error.js';
import { ABORT, AUTHENTICATE, CALL, ERROR, GOODBYE, HELLO, NO_DETAILS } from '../wamp/message.js';
import { PUBLISH, REGISTER, SUBSCRIBE } from '../wamp/message.js';
import { payloadOf } from '../wamp/payload.js';
import { traceFacts } from '../wamp/trace.js';
import { ActionDenied } from './permission.js';
import type { RealmCounts } from '../metrics/realm-counts.js';
import type { WampError } from '../wamp/error.js';
import type * as m from '../wamp/message.js';
import type { ErrorMessage } from '../wamp/message.js';
import type { Action } from './permission.js';
import type { RouterSession } from './session.js';

/** The type and id of a request, as ERROR repeats them. */
export interface RequestOf {
  readonly type: ErrorMessage['requestType'];
  readonly requestId: number;
}

/** The requests that an ERROR can answer. */
export type Request =
  m.Publish | m.Subscribe | m.Unsubscribe | m.Call | m.Register | m.Unregister | m.Cancel | m.Yield | m.ErrorMessage;

/**
 * Messages from before a session, and of its end, are not for the realm.
 * @throws ProtocolViolation for what no client may send in a session.
 */
export function checkRouted(message: m.ClientMessage): asserts message is Request {
  const { type } = message;
  if (type === HELLO || type === AUTHENTICATE) {
    throw new ProtocolViolation(`message type ${type} is not allowed in an established session`);
  }
  if (type === ABORT || type === GOODBYE) throw new TypeError('the end of a session is not routed');
}

/**
 * A request was not served: that is counted, a denial is told to the session, and the client is answered. An unacknowledged publication is
 * never answered, not even when it fails (section "Publishing Events").
 */
export function refuse(session: RouterSession, message: Request, error: WampError, counts: RealmCounts): void {
  countRefused(counts, message, error);
  if (error instanceof ActionDenied) {
    session.denied?.(error.denial, 'options' in message ? traceFacts(message.options) : undefined);
  }
  if (message.type !== PUBLISH || message.options.acknowledge === true) sendError(session, message, error);
}

/** Counts what the rules, or an authorizer, did not allow, and calls that did not begin. */
function countRefused(counts: RealmCounts, { type }: Request, error: WampError): void {
  const action = ACTION_OF[type];
  if (action === undefined) return;
  if (error instanceof ActionDenied) counts.denied[action] += 1;
  else if (error.uri === ErrorUri.AUTHORIZATION_FAILED) counts.undecided[action] += 1;
  if (type === CALL) counts.calls[error.uri === ErrorUri.NO_SUCH_PROCEDURE ? 'no_callee' : 'error'] += 1;
}

const ACTION_OF: Readonly<Partial<Record<Request['type'], Action>>> = {
  [PUBLISH]: 'publish',
  [SUBSCRIBE]: 'subscribe',
  [CALL]: 'call',
  [REGISTER]: 'register',
};

/** Tells a session why its request was not served. */
export function sendError(session: RouterSession, { type, requestId }: RequestOf, error: WampError): void {
  session.send({
    type: ERROR,
    requestType: type,
    requestId,
    details: NO_DETAILS,
    error: error.uri,
    payload: payloadOf(error.args, error.kwargs),
  });
}
