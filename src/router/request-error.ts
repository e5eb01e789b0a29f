/** The ERROR that answers a request in vain. */
import { ERROR, NO_DETAILS } from '../wamp/message.js';
import { payloadOf } from '../wamp/payload.js';
import type { WampError } from '../wamp/error.js';
import type { ErrorMessage } from '../wamp/message.js';
import type { RouterSession } from './session.js';

/** The type and id of a request, as ERROR repeats them. */
export interface RequestOf {
  readonly type: ErrorMessage['requestType'];
  readonly requestId: number;
}

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
