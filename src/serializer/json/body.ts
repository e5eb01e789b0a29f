/**
 * A PUBLISH or a CALL as the body of an HTTP request: a JSON object with a topic or a procedure, `args` and `kwargs`. It is read as a
 * message of `wamp.2.json` is: the whole text is checked, only what stands beside the payload is built, and the payload travels on as
 * the text that came in. So 64-bit integers, byte strings and the order of keys are what they are from any other JSON client.
 *
 * It knows nothing of HTTP. Keys that it does not know are passed over.
 */
import { isUtf8 } from 'node:buffer';
import { ProtocolViolation } from '../../wamp/error.js';
import { kindOf } from '../../wamp/field-checks.js';
import * as m from '../../wamp/message.js';
import { parseMessage } from '../../wamp/parse.js';
import { NO_PAYLOAD, isDict } from '../../wamp/payload.js';
import { MAX_ENVELOPE_BYTES } from '../envelope.js';
import { elementStarts } from '../json-check.js';
import { skipString } from '../json-values.js';
import { jsonForm, putTogether } from '../json.js';
import { movable } from '../large-frame.js';
import { JsonPayload } from './payload.js';
import { OPEN_DICT, OPEN_LIST, skipSpace, skipValue } from './positions.js';
import type { Dict } from '../../wamp/payload.js';
import type { Decoder, MessageParts } from '../serializer.js';

/** `{"topic", "args"?, "kwargs"?, "options"?}`: a PUBLISH that asks to be acknowledged. */
export const publishBody = bodyFormat({
  type: 'body.publish',
  code: m.PUBLISH,
  name: 'topic',
  optionsOf: publishOptions,
});

/** `{"procedure", "args"?, "kwargs"?}`: a CALL without options. */
export const callBody = bodyFormat({ type: 'body.call', code: m.CALL, name: 'procedure' });

/** A kind of body. */
interface BodyKind {
  readonly type: string;
  readonly code: typeof m.PUBLISH | typeof m.CALL;
  /** The key of the URI. */
  readonly name: 'topic' | 'procedure';
  /** Absent where there are no options. @throws ProtocolViolation */
  readonly optionsOf?: (written: Dict) => Dict;
}

/** What is made of a body. */
export interface BodyParts {
  /** The message as far as its payload. */
  readonly fields: readonly unknown[];
  /** Arguments and maybe ArgumentsKw, as in a message; undefined for none. */
  readonly payload: string | undefined;
  /** Whether the payload is known to be ASCII. Default: false. */
  readonly isAscii?: boolean;
}

/** No request id counts here: whoever sends the message gives it one. */
export const SOME_REQUEST = 1;

function bodyFormat(kind: BodyKind): Decoder {
  return formatOf(kind.type, (bytes) => {
    const text = textOf(bytes);
    return { ...partsOf(text, kind), isAscii: text.length === bytes.length };
  });
}

/** @param partsOf makes a message of the bytes; it throws ProtocolViolation for those that are none. */
export function formatOf(type: string, partsOf: (bytes: Buffer) => BodyParts): Decoder {
  return {
    type,
    form: jsonForm,
    decode(bytes) {
      const { fields, payload, isAscii = false } = partsOf(bytes);
      const placed = payload === undefined ? NO_PAYLOAD : new JsonPayload(payload, isAscii);
      return parseMessage(fields, fields.length, placed);
    },
    takeApart(bytes): MessageParts {
      const { fields, payload } = partsOf(bytes);
      const { length } = fields;
      if (payload === undefined) return { fields, length };
      const own = movable(Buffer.from(payload));
      return { fields, length: length + 1, payload: { start: 0, end: own.length, count: 1 }, bytes: own };
    },
    putTogether,
  };
}

function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new ProtocolViolation('the body is not UTF-8');
  return bytes.toString('utf8');
}

function partsOf(text: string, { code, name, optionsOf }: BodyKind): BodyParts {
  const found = membersOf(text, [name, 'args', 'kwargs', 'options']);
  const uri = found[name];
  if (uri === undefined) throw new ProtocolViolation(`the body has no "${name}"`);
  const { args, kwargs, options } = found;
  if (uri.length + (optionsOf === undefined ? 0 : (options?.length ?? 0)) > MAX_ENVELOPE_BYTES) {
    throw new ProtocolViolation(`"${name}" and "options" may have at most ${MAX_ENVELOPE_BYTES} characters`);
  }
  const written: unknown = JSON.parse(uri);
  if (typeof written !== 'string') throw new ProtocolViolation(`"${name}" must be a string, got ${kindOf(written)}`);
  const fields = [code, SOME_REQUEST, optionsOf?.(dictOf(options)) ?? {}, written];
  return { fields, payload: payloadOf(valueOf(args, 'args', OPEN_LIST), valueOf(kwargs, 'kwargs', OPEN_DICT)) };
}

/** @returns the texts of members of the one object that a text must be; of several with the same key the last one. */
function membersOf(text: string, keys: readonly string[]): Readonly<Record<string, string | undefined>> {
  const list = `[${text}]`;
  const [start = 0, ...more] = startsOf(list);
  // Nothing, or several values.
  if (more.length !== 1) throw new ProtocolViolation(NO_JSON);
  if (list.charCodeAt(start) !== OPEN_DICT) throw new ProtocolViolation('the body must be a JSON object');
  const found: Record<string, string> = {};
  for (let at = skipSpace(list, start + 1); list.charCodeAt(at) === QUOTE;) {
    const key = keyOf(list, at);
    const from = skipSpace(list, skipSpace(list, skipString(list, at)) + COLON.length);
    const end = skipValue(list, from);
    if (keys.includes(key)) found[key] = list.slice(from, end);
    const behind = skipSpace(list, end);
    // A comma and the next key, or the end.
    at = list[behind] === ',' ? skipSpace(list, behind + 1) : behind;
  }
  return found;
}

const NO_JSON = 'the body is not valid JSON';
const QUOTE = 34;
const COLON = ':';
/** Longer than any that we look for, with all of its letters escaped. */
const MAX_KEY = 64;

function startsOf(list: string): readonly number[] {
  try {
    return elementStarts(list);
  } catch (cause) {
    throw new ProtocolViolation(NO_JSON, { cause });
  }
}

function keyOf(list: string, at: number): string {
  const end = skipString(list, at);
  return end - at > MAX_KEY ? '' : (JSON.parse(list.slice(at, end)) as string);
}

/** As Crossbar.io, where everything that Python takes for false is nothing; some languages write an empty dictionary as `[]`. */
const NOTHING = /^(?:null|false|""|\[\s*\]|\{\s*\}|-?0(?:\.0+)?(?:[eE][+-]?\d+)?)$/;

/** @returns undefined for nothing. @throws ProtocolViolation for something that does not begin with the bracket. */
function valueOf(text: string | undefined, key: string, bracket: number): string | undefined {
  if (text === undefined || NOTHING.test(text)) return undefined;
  if (text.charCodeAt(0) === bracket) return text;
  throw new ProtocolViolation(`"${key}" must be ${bracket === OPEN_LIST ? 'a list' : 'an object'}`);
}

function payloadOf(args: string | undefined, kwargs: string | undefined): string | undefined {
  if (kwargs !== undefined) return `${args ?? '[]'},${kwargs}`;
  return args;
}

function dictOf(text: string | undefined): Dict {
  const written = valueOf(text, 'options', OPEN_DICT);
  return written === undefined ? {} : (JSON.parse(written) as Dict);
}

const FLAGS = ['retain', 'exclude_me'];
const LISTS = ['exclude', 'exclude_authid', 'exclude_authrole', 'eligible', 'eligible_authid', 'eligible_authrole'];

/** The options that Crossbar.io takes; others are passed over, and so is null. */
function publishOptions(written: Dict): Dict {
  const options: Record<string, unknown> = { acknowledge: true };
  for (const name of FLAGS) if (isThere(written[name])) options[name] = written[name];
  for (const name of LISTS) if (isThere(written[name])) options[name] = listOf(written[name]);
  // The trace of nodes that a publication went through. There are no others here.
  const { forward_for: trace } = written;
  if (isThere(trace) && !(Array.isArray(trace) && trace.every(isDict))) {
    throw new ProtocolViolation(`PUBLISH.Options.forward_for must be a list of dictionaries, got ${kindOf(trace)}`);
  }
  return options;
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** One session, user or role may stand alone. */
function listOf(value: unknown): unknown {
  return typeof value === 'string' || typeof value === 'number' ? [value] : value;
}
