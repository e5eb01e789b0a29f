/**
 * Messages that the serializer of a peer cannot write, because the payload came in another format and is nested too deep. A
 * caller still gets its one final answer. An event, and a progressive result, is dropped.
 */
import { WampError } from '../wamp/error.js';
import { CALL, ERROR, EVENT, INVOCATION, NO_DETAILS, RESULT } from '../wamp/message.js';
import { payloadOf } from '../wamp/payload.js';
import type { RealmCounts } from '../metrics/realm-counts.js';
import type { ClientMessage, ErrorMessage, Invocation, RouterMessage } from '../wamp/message.js';

/** The session of the peer. */
export interface PeerSession {
  tell(message: RouterMessage): void;
  receive(message: ClientMessage): void;
  fail(error: unknown): void;
}

/**
 * A message could not be sent. The sender goes on undisturbed; the end of this session, if it has to be, waits for the end of the turn.
 * @param counts of its realm.
 */
export function undelivered(
  session: PeerSession,
  message: RouterMessage,
  error: unknown,
  counts: RealmCounts | undefined,
): void {
  if (!(error instanceof WampError)) return queueMicrotask(() => session.fail(error));
  const substitute = substituteFor(message, error);
  if (substitute !== undefined) session.tell(substitute);
  if (message.type === EVENT && counts !== undefined) counts.dropped.too_large += 1;
  if (message.type === INVOCATION) queueMicrotask(() => session.receive(refusalOf(message, error)));
}

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
