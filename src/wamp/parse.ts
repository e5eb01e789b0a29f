/**
 * From a decoded array to a checked message of a client, and back from a message to the array that goes on the wire.
 * Serializers stand in front: they know bytes, this file knows what the positions mean. Every mistake throws a
 * ProtocolViolation with a sentence for the peer (sections "Message Definitions", "Protocol Violations").
 */
import { ProtocolViolation } from './error.js';
import { CLIENT_ROLES } from './features.js';
import {
  kindOf,
  expectLength,
  id,
  string,
  short,
  dict,
  optional,
  isBoolean,
  isString,
  isStringList,
  isShortList,
  isIdList,
  isCount,
  isMatch,
  isCancelMode,
  isInvocationPolicy,
} from './field-checks.js';
import * as m from './message.js';
import type { ClientMessage, Message } from './message.js';
import { isDict } from './payload.js';
import { traceIn } from './trace.js';
import type { Dict, Payload } from './payload.js';

/** Message code -> position of Arguments. Messages that are not listed end before it. */
const PAYLOAD_POSITION: Readonly<Record<number, number>> = {
  [m.ABORT]: 3,
  [m.ERROR]: 5,
  [m.PUBLISH]: 4,
  [m.EVENT]: 4,
  [m.CALL]: 4,
  [m.RESULT]: 3,
  [m.INVOCATION]: 4,
  [m.YIELD]: 3,
};

/** @returns where Arguments stand in a message of type `code`, or undefined when it carries no payload. */
export function payloadPosition(code: unknown): number | undefined {
  return typeof code === 'number' ? PAYLOAD_POSITION[code] : undefined;
}

/** Message code -> position of the options that may call the payload opaque. */
const OPAQUE_POSITION: Readonly<Record<number, number>> = { [m.ERROR]: 3, [m.PUBLISH]: 2, [m.CALL]: 2, [m.YIELD]: 2 };

/**
 * @returns whether the payload may be one string or byte string in place of Arguments: Crossbar.io's payload
 * transparency, announced by `enc_algo` in the options. Only the endpoints know what is inside.
 */
export function carriesOpaquePayload(fields: readonly unknown[]): boolean {
  const [code] = fields;
  const position = typeof code === 'number' ? OPAQUE_POSITION[code] : undefined;
  const options = position === undefined ? undefined : fields[position];
  return isDict(options) && typeof options.enc_algo === 'string';
}

/**
 * @param fields the decoded array; only the positions before the payload are read.
 * @param length the number of elements of the message, payload included.
 * @param payload what the serializer made of the rest.
 * @returns the message, every known option and detail checked for its type.
 * @throws ProtocolViolation for anything a client must not send.
 */
export function parseMessage(fields: readonly unknown[], length: number, payload: Payload): ClientMessage {
  switch (fields[0]) {
    case m.PUBLISH:
      return parsePublish(fields, length, payload);
    case m.CALL:
      return parseCall(fields, length, payload);
    case m.YIELD:
      return parseYield(fields, length, payload);
    case m.HELLO:
      return parseHello(fields, length);
    case m.ABORT:
      expectLength('ABORT', length, 3, 5);
      return {
        type: m.ABORT,
        details: dict('ABORT.Details', fields[1]),
        reason: string('ABORT.Reason', fields[2]),
        payload,
      };
    case m.AUTHENTICATE:
      expectLength('AUTHENTICATE', length, 3, 3);
      return {
        type: m.AUTHENTICATE,
        signature: string('AUTHENTICATE.Signature', fields[1]),
        extra: dict('AUTHENTICATE.Extra', fields[2]),
      };
    case m.GOODBYE:
      expectLength('GOODBYE', length, 3, 3);
      return {
        type: m.GOODBYE,
        details: dict('GOODBYE.Details', fields[1]),
        reason: string('GOODBYE.Reason', fields[2]),
      };
    case m.ERROR:
      return parseError(fields, length, payload);
    case m.SUBSCRIBE:
      return parseSubscribe(fields, length);
    case m.UNSUBSCRIBE:
      expectLength('UNSUBSCRIBE', length, 3, 3);
      return {
        type: m.UNSUBSCRIBE,
        requestId: id('UNSUBSCRIBE.Request', fields[1]),
        subscription: id('UNSUBSCRIBE.Subscription', fields[2]),
      };
    case m.CANCEL:
      return parseCancel(fields, length);
    case m.REGISTER:
      return parseRegister(fields, length);
    case m.UNREGISTER:
      expectLength('UNREGISTER', length, 3, 3);
      return {
        type: m.UNREGISTER,
        requestId: id('UNREGISTER.Request', fields[1]),
        registration: id('UNREGISTER.Registration', fields[2]),
      };
    default:
      throw new ProtocolViolation(`a client cannot send messages of type ${kindOf(fields[0])}`);
  }
}

/** Options that say how an opaque payload is read; `router/passthru.ts` hands them on. */
export const PASSTHRU_ATTRIBUTES = [
  'ppt_scheme',
  'ppt_serializer',
  'ppt_cipher',
  'ppt_keyid',
  'enc_algo',
  'enc_key',
  'enc_serializer',
] as const;

/** The options of requests that may be kept. Nothing else in them is passed on: a client must not fill memory with it. */
const PUBLISH_KEYS: ReadonlySet<string> = new Set([
  'acknowledge',
  'exclude_me',
  'disclose_me',
  'retain',
  'eligible',
  'exclude',
  'eligible_authid',
  'exclude_authid',
  'eligible_authrole',
  'exclude_authrole',
  ...PASSTHRU_ATTRIBUTES,
]);
const SUBSCRIBE_KEYS: ReadonlySet<string> = new Set(['match', 'get_retained']);
const CALL_KEYS: ReadonlySet<string> = new Set([
  'timeout',
  'receive_progress',
  'progress',
  'disclose_me',
  ...PASSTHRU_ATTRIBUTES,
]);
const REGISTER_KEYS: ReadonlySet<string> = new Set([
  'match',
  'invoke',
  'concurrency',
  'force_reregister',
  'disclose_caller',
  'forward_timeout',
]);

/** @returns `options` without what is not known: the same object when there is nothing else in it, as usual. */
function known(options: Dict, keys: ReadonlySet<string>): Dict {
  for (const key in options) if (!keys.has(key)) return onlyKnown(options, keys);
  return options;
}

/** As {@link known}, with the trace that they may be a part of. Few are, so it is not looked for where all is known. */
function knownAndTrace(options: Dict, keys: ReadonlySet<string>): Dict {
  const kept = known(options, keys);
  const trace = kept === options ? undefined : traceIn(options);
  return trace === undefined ? kept : { ...kept, ...trace };
}

function onlyKnown(options: Dict, keys: ReadonlySet<string>): Dict {
  const kept: Record<string, unknown> = {};
  for (const key of keys) if (options[key] !== undefined) kept[key] = options[key];
  return kept;
}

/** So much of a name is repeated in an error text. */
const MAX_NAMED = 100;

function parseHello(fields: readonly unknown[], length: number): m.Hello {
  expectLength('HELLO', length, 3, 3);
  const realm = fields[1] === null ? undefined : string('HELLO.Realm', fields[1]);
  const details = dict('HELLO.Details', fields[2]);
  checkRoles(details.roles);
  optional('HELLO.Details.authmethods', details.authmethods, isShortList, 'a list of at most 64 short strings');
  optional('HELLO.Details.authid', details.authid, isString, 'a string');
  if (typeof details.authid === 'string') short('HELLO.Details.authid', details.authid);
  optional('HELLO.Details.authextra', details.authextra, isDict, 'a dictionary');
  return { type: m.HELLO, realm, details: details as m.HelloDetails };
}

/** At least one of the four roles must be there; unknown role and feature names are ignored, wrong types are not. */
function checkRoles(roles: unknown): void {
  const known = dict('HELLO.Details.roles', roles);
  if (!CLIENT_ROLES.some((role) => known[role] !== undefined)) {
    throw new ProtocolViolation(`HELLO.Details.roles must name at least one of ${CLIENT_ROLES.join(', ')}`);
  }
  for (const role of CLIENT_ROLES) if (known[role] !== undefined) checkFeatures(role, known[role]);
}

function checkFeatures(role: string, announcement: unknown): void {
  const { features } = dict(`HELLO.Details.roles.${role}`, announcement);
  if (features === undefined) return;
  const named = dict(`HELLO.Details.roles.${role}.features`, features);
  for (const feature in named) {
    const announced = named[feature];
    if (typeof announced === 'boolean') continue;
    optional(`HELLO.Details.roles.${role}.features.${feature.slice(0, MAX_NAMED)}`, announced, isBoolean, 'a boolean');
  }
}

function parseError(fields: readonly unknown[], length: number, payload: Payload): m.ErrorMessage {
  expectLength('ERROR', length, 5, 7);
  if (fields[1] !== m.INVOCATION) {
    throw new ProtocolViolation(`ERROR.REQUEST.Type from a client must be ${m.INVOCATION}, got ${kindOf(fields[1])}`);
  }
  return {
    type: m.ERROR,
    requestType: m.INVOCATION,
    requestId: id('ERROR.REQUEST.Request', fields[2]),
    details: dict('ERROR.Details', fields[3]),
    error: string('ERROR.Error', fields[4]),
    payload,
  };
}

function parsePublish(fields: readonly unknown[], length: number, payload: Payload): m.Publish {
  expectLength('PUBLISH', length, 4, 6);
  const requestId = id('PUBLISH.Request', fields[1]);
  const options = knownAndTrace(dict('PUBLISH.Options', fields[2]), PUBLISH_KEYS);
  optional('PUBLISH.Options.acknowledge', options.acknowledge, isBoolean, 'a boolean');
  optional('PUBLISH.Options.exclude_me', options.exclude_me, isBoolean, 'a boolean');
  optional('PUBLISH.Options.disclose_me', options.disclose_me, isBoolean, 'a boolean');
  optional('PUBLISH.Options.retain', options.retain, isBoolean, 'a boolean');
  optional('PUBLISH.Options.eligible', options.eligible, isIdList, 'a list of session ids');
  optional('PUBLISH.Options.exclude', options.exclude, isIdList, 'a list of session ids');
  optional('PUBLISH.Options.eligible_authid', options.eligible_authid, isStringList, 'a list of strings');
  optional('PUBLISH.Options.exclude_authid', options.exclude_authid, isStringList, 'a list of strings');
  optional('PUBLISH.Options.eligible_authrole', options.eligible_authrole, isStringList, 'a list of strings');
  optional('PUBLISH.Options.exclude_authrole', options.exclude_authrole, isStringList, 'a list of strings');
  return {
    type: m.PUBLISH,
    requestId,
    options: options,
    topic: string('PUBLISH.Topic', fields[3]),
    payload,
  };
}

function parseSubscribe(fields: readonly unknown[], length: number): m.Subscribe {
  expectLength('SUBSCRIBE', length, 4, 4);
  const requestId = id('SUBSCRIBE.Request', fields[1]);
  const options = known(dict('SUBSCRIBE.Options', fields[2]), SUBSCRIBE_KEYS);
  optional('SUBSCRIBE.Options.match', options.match, isMatch, 'exact, prefix or wildcard');
  optional('SUBSCRIBE.Options.get_retained', options.get_retained, isBoolean, 'a boolean');
  return {
    type: m.SUBSCRIBE,
    requestId,
    options: options,
    topic: string('SUBSCRIBE.Topic', fields[3]),
  };
}

function parseCall(fields: readonly unknown[], length: number, payload: Payload): m.Call {
  expectLength('CALL', length, 4, 6);
  const requestId = id('CALL.Request', fields[1]);
  const options = knownAndTrace(dict('CALL.Options', fields[2]), CALL_KEYS);
  optional('CALL.Options.timeout', options.timeout, isCount, 'a non-negative integer (milliseconds)');
  optional('CALL.Options.receive_progress', options.receive_progress, isBoolean, 'a boolean');
  optional('CALL.Options.progress', options.progress, isBoolean, 'a boolean');
  optional('CALL.Options.disclose_me', options.disclose_me, isBoolean, 'a boolean');
  return {
    type: m.CALL,
    requestId,
    options: options,
    procedure: string('CALL.Procedure', fields[3]),
    payload,
  };
}

function parseCancel(fields: readonly unknown[], length: number): m.Cancel {
  expectLength('CANCEL', length, 3, 3);
  const requestId = id('CANCEL.CALL.Request', fields[1]);
  const options = dict('CANCEL.Options', fields[2]);
  optional('CANCEL.Options.mode', options.mode, isCancelMode, 'skip, kill or killnowait');
  return { type: m.CANCEL, requestId, options: options };
}

function parseRegister(fields: readonly unknown[], length: number): m.Register {
  expectLength('REGISTER', length, 4, 4);
  const requestId = id('REGISTER.Request', fields[1]);
  const options = known(dict('REGISTER.Options', fields[2]), REGISTER_KEYS);
  optional('REGISTER.Options.match', options.match, isMatch, 'exact, prefix or wildcard');
  optional('REGISTER.Options.invoke', options.invoke, isInvocationPolicy, 'single, first, last, roundrobin or random');
  optional('REGISTER.Options.concurrency', options.concurrency, isCount, 'a non-negative integer');
  optional('REGISTER.Options.force_reregister', options.force_reregister, isBoolean, 'a boolean');
  optional('REGISTER.Options.disclose_caller', options.disclose_caller, isBoolean, 'a boolean');
  optional('REGISTER.Options.forward_timeout', options.forward_timeout, isBoolean, 'a boolean');
  return {
    type: m.REGISTER,
    requestId,
    options: options,
    procedure: string('REGISTER.Procedure', fields[3]),
  };
}

function parseYield(fields: readonly unknown[], length: number, payload: Payload): m.Yield {
  expectLength('YIELD', length, 3, 5);
  const requestId = id('YIELD.INVOCATION.Request', fields[1]);
  const options = dict('YIELD.Options', fields[2]);
  optional('YIELD.Options.progress', options.progress, isBoolean, 'a boolean');
  return { type: m.YIELD, requestId, options: options, payload };
}

/**
 * @returns the message as the array that stands before the payload on the wire. Together with
 * {@link payloadOfMessage} it is what a serializer has to write.
 */
export function envelopeOf(message: Message): unknown[] {
  switch (message.type) {
    case m.HELLO:
      return [message.type, message.realm, message.details];
    case m.WELCOME:
      return [message.type, message.session, { roles: message.roles, ...message.details }];
    case m.ABORT:
      return [message.type, message.details, message.reason];
    case m.CHALLENGE:
      return [message.type, message.authmethod, message.extra];
    case m.AUTHENTICATE:
      return [message.type, message.signature, message.extra];
    case m.GOODBYE:
      return [message.type, message.details, message.reason];
    case m.ERROR:
      return [message.type, message.requestType, message.requestId, message.details, message.error];
    case m.PUBLISH:
      return [message.type, message.requestId, message.options, message.topic];
    case m.PUBLISHED:
      return [message.type, message.requestId, message.publication];
    case m.SUBSCRIBE:
      return [message.type, message.requestId, message.options, message.topic];
    case m.SUBSCRIBED:
      return [message.type, message.requestId, message.subscription];
    case m.UNSUBSCRIBE:
      return [message.type, message.requestId, message.subscription];
    case m.UNSUBSCRIBED:
    case m.UNREGISTERED:
      return message.details === undefined
        ? [message.type, message.requestId]
        : [message.type, message.requestId, message.details];
    case m.EVENT:
      return [message.type, message.subscription, message.publication, message.details];
    case m.CALL:
      return [message.type, message.requestId, message.options, message.procedure];
    case m.CANCEL:
    case m.INTERRUPT:
    case m.YIELD:
      return [message.type, message.requestId, message.options];
    case m.RESULT:
      return [message.type, message.requestId, message.details];
    case m.REGISTER:
      return [message.type, message.requestId, message.options, message.procedure];
    case m.REGISTERED:
      return [message.type, message.requestId, message.registration];
    case m.UNREGISTER:
      return [message.type, message.requestId, message.registration];
    case m.INVOCATION:
      return [message.type, message.requestId, message.registration, message.details];
  }
}
