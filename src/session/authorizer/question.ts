/**
 * The question that an authorizer is asked about a message: which action on which URI. Pure.
 */
import { WampError } from '../../wamp/error.js';
import { CALL, PUBLISH, REGISTER, SUBSCRIBE } from '../../wamp/message.js';
import { isDict } from '../../wamp/payload.js';
import { isReservedUri, isValidUri } from '../../wamp/uri.js';
import { isTooLarge } from '../../router/meta/procedure.js';
import type { Action, Permission } from '../../router/permission.js';
import type { Call, ClientMessage, Register, Subscribe } from '../../wamp/message.js';
import type { Dict } from '../../wamp/payload.js';
import type { Match } from '../../wamp/uri.js';

const ADD_TESTAMENT = 'wamp.session.add_testament';

export interface Question {
  readonly action: Action;
  readonly uri: string;
  readonly match: Match;
  /** What the client asked for, as the authorizer sees it: a pattern always says how it matches. */
  readonly options: Dict;
}

/** @returns what must be permitted for a message to be routed, undefined for those that need no permission. */
export function questionOf(message: ClientMessage): Question | undefined {
  switch (message.type) {
    case PUBLISH:
      return { action: 'publish', uri: message.topic, match: 'exact', options: message.options };
    case SUBSCRIBE:
      return ofPattern(message, 'subscribe', message.topic);
    case CALL:
      return { action: 'call', uri: message.procedure, match: 'exact', options: message.options };
    case REGISTER:
      return ofPattern(message, 'register', message.procedure);
    default:
      return undefined;
  }
}

/**
 * A testament is a publication that waits: who may add one must also be permitted to publish to its topic.
 * @param granted what was said about the message itself.
 * @returns the second question, undefined for all other messages and for testaments that are refused anyway.
 */
export function furtherQuestionOf(message: ClientMessage, granted: Permission): Question | undefined {
  if (message.type !== CALL || message.procedure !== ADD_TESTAMENT || !granted.call) return undefined;
  if (isTooLarge(message)) return undefined;
  const [topic, options] = testamentOf(message);
  if (typeof topic !== 'string' || !isValidUri(topic, 'loose') || isReservedUri(topic)) return undefined;
  return { action: 'publish', uri: topic, match: 'exact', options: isDict(options) ? options : {} };
}

/** @returns both answers as one. */
export function withFurther(granted: Permission, further: Permission): Permission {
  const { publish, disclosePublisher, failure } = further;
  return { ...granted, publish, disclosePublisher, ...(failure && { failure }) };
}

export function keyOf({ action, match, uri }: Question): string {
  return `${action} ${match} ${uri}`;
}

function ofPattern({ options }: Subscribe | Register, action: Action, uri: string): Question {
  const { match = 'exact' } = options;
  return { action, uri, match, options: { ...options, match } };
}

/** @returns topic and publish options as they stand there: the procedure says what is wrong with them. */
function testamentOf({ payload }: Call): readonly [unknown, unknown] {
  try {
    const { args, kwargs } = payload;
    return [args[0] ?? kwargs?.topic, args[3] ?? kwargs?.publish_options];
  } catch (error) {
    // A payload that cannot be read is refused where it is used.
    if (error instanceof WampError) return [undefined, undefined];
    throw error;
  }
}
