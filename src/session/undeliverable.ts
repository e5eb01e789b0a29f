/**
 * Messages that the serializer of a peer cannot write, because the payload came in another format and is nested too deep. A
 * caller still gets its one final answer. An event, and a progressive result, is dropped.
 */
import { CALL, ERROR, INVOCATION, NO_DETAILS, RESULT } from '../wamp/message.js';
import { payloadOf } from '../wamp/payload.js';
import type { WampError } from '../wamp/error.js';
import type { ErrorMessage, Invocation, RouterMessage } from '../wamp/message.js';

/** @returns what to send instead, if anything. */
export function substituteFor(message: RouterMessage, { uri, args }: WampError): ErrorMessage | undefined {
  const payload = payloadOf(args);
  if (message.type === ERROR) return { ...message, payload };
  if (message.type !== RESULT || message.details.progress === true) return undefined;
  const { requestId } = message;
  return { type: ERROR, requestType: CALL, requestId, details: NO_DETAILS, error: uri, payload };
}

/** @returns the answer that a callee would give if it had got the invocation. */
export function refusalOf({ requestId }: Invocation, { uri, args }: WampError): ErrorMessage {
  const payload = payloadOf(args);
  return { type: ERROR, requestType: INVOCATION, requestId, details: NO_DETAILS, error: uri, payload };
}
