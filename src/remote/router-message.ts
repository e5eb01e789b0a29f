/**
 * Messages of a router, from their values (section "Message Definitions"): what `wamp/parse.ts` is for those of clients. Whatever
 * the router sends that is wrong ends the session, and no more. Pure.
 */
import { ProtocolViolation } from '../wamp/error.js';
import { dict, id, string } from '../wamp/field-checks.js';
import * as m from '../wamp/message.js';
import { isDict, payloadOf } from '../wamp/payload.js';
import type { RouterMessage } from '../wamp/message.js';
import type { Payload } from '../wamp/payload.js';

/** @throws ProtocolViolation */
export function parseRouterMessage(fields: readonly unknown[]): RouterMessage {
  const [type, first, second, third] = fields;
  switch (type) {
    case m.WELCOME:
      return welcome(first, second);
    case m.ABORT:
      return {
        type,
        details: dict('ABORT.Details', first),
        reason: string('ABORT.Reason', second),
        payload: payloadAt(fields, 3),
      };
    case m.CHALLENGE:
      return { type, authmethod: string('CHALLENGE.AuthMethod', first), extra: dict('CHALLENGE.Extra', second) };
    case m.GOODBYE:
      return { type, details: dict('GOODBYE.Details', first), reason: string('GOODBYE.Reason', second) };
    case m.EVENT:
      return {
        ...{ type, subscription: id('EVENT.Subscription', first), publication: id('EVENT.Publication', second) },
        ...{ details: dict('EVENT.Details', third), payload: payloadAt(fields, 4), frames: [] },
      };
    case m.INVOCATION:
      return {
        ...{ type, requestId: id('INVOCATION.Request', first), registration: id('INVOCATION.Registration', second) },
        ...{ details: dict('INVOCATION.Details', third), payload: payloadAt(fields, 4) },
      };
    case m.INTERRUPT:
      return { type, requestId: id('INTERRUPT.Request', first), options: dict('INTERRUPT.Options', second) };
    default:
      return parseReply(fields);
  }
}

/** The answers to requests. */
function parseReply(fields: readonly unknown[]): RouterMessage {
  const [type, first, second, third, fourth] = fields;
  switch (type) {
    case m.RESULT:
      return {
        ...{ type, requestId: id('RESULT.Request', first), details: dict('RESULT.Details', second) },
        payload: payloadAt(fields, 3),
      };
    case m.ERROR:
      return {
        ...{ type, requestType: id('ERROR.RequestType', first), requestId: id('ERROR.Request', second) },
        ...{ details: dict('ERROR.Details', third), error: string('ERROR.Error', fourth) },
        payload: payloadAt(fields, 5),
      };
    case m.PUBLISHED:
      return { type, requestId: id('PUBLISHED.Request', first), publication: id('PUBLISHED.Publication', second) };
    case m.SUBSCRIBED:
      return { type, requestId: id('SUBSCRIBED.Request', first), subscription: id('SUBSCRIBED.Subscription', second) };
    case m.REGISTERED:
      return { type, requestId: id('REGISTERED.Request', first), registration: id('REGISTERED.Registration', second) };
    case m.UNSUBSCRIBED:
    case m.UNREGISTERED:
      // With request id 0 it is no answer: something was taken away.
      return {
        ...{ type, requestId: first === 0 ? 0 : id('Request', first) },
        ...(second !== undefined && { details: dict('Details', second) }),
      };
    default:
      throw new ProtocolViolation('the router sent a message of a type that no client gets');
  }
}

function welcome(session: unknown, given: unknown): m.Welcome {
  const { roles, ...details } = dict('WELCOME.Details', given);
  return {
    type: m.WELCOME,
    session: id('WELCOME.Session', session),
    roles: (isDict(roles) ? roles : {}) as m.RoleFeatures,
    details,
  };
}

function payloadAt(fields: readonly unknown[], position: number): Payload {
  const [args = [], kwargs] = fields.slice(position);
  // An opaque payload is one string, or bytes: only the endpoints know what is inside.
  const list = Array.isArray(args) ? (args as readonly unknown[]) : [args];
  return payloadOf(list, kwargs === undefined ? undefined : dict('ArgumentsKw', kwargs));
}
