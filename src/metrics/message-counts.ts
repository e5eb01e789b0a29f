/**
 * How many messages of each type came and went. The type of a message is the index, so that counting costs one addition.
 */
import * as m from '../wamp/message.js';

/** One more than the largest message type. */
const TYPES = m.YIELD + 1;

/** Counts messages by type. */
export class MessageCounts {
  /** message type -> how many came from clients */
  readonly received = new Float64Array(TYPES);
  /** message type -> how many were given to connections */
  readonly sent = new Float64Array(TYPES);
}

/** For sessions that nobody counts: those without a transport, until they have joined a realm. */
export const NOT_COUNTED = new MessageCounts();

/** The messages that clients send: name and type. */
export const CLIENT_MESSAGES: readonly (readonly [string, number])[] = [
  ['HELLO', m.HELLO],
  ['ABORT', m.ABORT],
  ['AUTHENTICATE', m.AUTHENTICATE],
  ['GOODBYE', m.GOODBYE],
  ['ERROR', m.ERROR],
  ['PUBLISH', m.PUBLISH],
  ['SUBSCRIBE', m.SUBSCRIBE],
  ['UNSUBSCRIBE', m.UNSUBSCRIBE],
  ['CALL', m.CALL],
  ['CANCEL', m.CANCEL],
  ['REGISTER', m.REGISTER],
  ['UNREGISTER', m.UNREGISTER],
  ['YIELD', m.YIELD],
];

/** The messages that the router sends: name and type. */
export const ROUTER_MESSAGES: readonly (readonly [string, number])[] = [
  ['WELCOME', m.WELCOME],
  ['ABORT', m.ABORT],
  ['CHALLENGE', m.CHALLENGE],
  ['GOODBYE', m.GOODBYE],
  ['ERROR', m.ERROR],
  ['PUBLISHED', m.PUBLISHED],
  ['SUBSCRIBED', m.SUBSCRIBED],
  ['UNSUBSCRIBED', m.UNSUBSCRIBED],
  ['EVENT', m.EVENT],
  ['RESULT', m.RESULT],
  ['REGISTERED', m.REGISTERED],
  ['UNREGISTERED', m.UNREGISTERED],
  ['INVOCATION', m.INVOCATION],
  ['INTERRUPT', m.INTERRUPT],
];
