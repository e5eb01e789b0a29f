/**
 * JSON (`wamp.2.json`). The native parser checks the whole text, so that nothing invalid reaches another client; what
 * travels on is a slice of the original text. That is cheaper than writing the values again, and the only way to hand
 * on 64-bit integers, `1.0` and the order of keys unchanged.
 */
import { isUtf8 } from 'node:buffer';
import { ProtocolViolation } from '../wamp/error.js';
import * as m from '../wamp/message.js';
import { carriesOpaquePayload, envelopeOf, parseMessage, payloadPosition } from '../wamp/parse.js';
import { isDict } from '../wamp/payload.js';
import { NO_PAYLOAD } from '../wamp/payload.js';
import { RECORD_SEPARATOR, separated } from './batch.js';
import { MAX_ENVELOPE_BYTES, envelopeTooLarge } from './envelope.js';
import { allocateFrame } from './frame-memory.js';
import { JsonBytes, JsonPayload, jsonPayloadOf } from './json/payload.js';
import { LargeFrame } from './large-frame.js';
import { elementStarts } from './json-check.js';
import { endOf, OPEN_DICT, OPEN_LIST, QUOTE, skipElements, skipValue } from './json/positions.js';
import { jsonMessageValues, jsonText } from './json-values.js';
import { JsonWriter } from './json-writer.js';
import { WirePayload, elementsOf } from './wire-payload.js';
import type { ClientMessage, Message } from '../wamp/message.js';
import type { Dict, Payload } from '../wamp/payload.js';
import type { Frame, Framing, MessageParts, Serializer, SerializerType } from './serializer.js';
import type { PayloadForm } from './wire-payload.js';

/** From so many characters on, a text is checked and not built: that costs less, and no more for one text than for another. */
const LARGE_TEXT = 16_384;

/** A message code has two digits. */
const MAX_CODE_LENGTH = 20;

const writer = new JsonWriter();

/** How payloads stand in JSON: as text, Arguments and maybe ArgumentsKw with a comma between them. */
export const jsonForm: PayloadForm<JsonPayload | JsonBytes> = {
  type: 'json',
  write: (elements) => new JsonPayload(jsonText(elements).slice(1, -1), false),
  translate(payload, steps) {
    writer.reset();
    payload.passOn(writer, steps);
    return new JsonPayload(writer.toText(), writer.isAscii);
  },
  adopt: jsonPayloadOf,
};

export const jsonSerializer: Serializer = {
  type: 'json',
  form: jsonForm,
  binary: false,
  decode,
  values: jsonMessageValues,
  takeApart,
  putTogether,
  encode(message, framing) {
    return encode(message, '', framing);
  },
  encodeShared(event, framing) {
    return encodeShared(event, '', framing);
  },
};

export const batchedJsonSerializer: Serializer = {
  type: 'json.batched',
  form: jsonForm,
  binary: false,
  split: separated,
  decode,
  values: jsonMessageValues,
  takeApart,
  putTogether,
  encode(message, framing) {
    return encode(message, RECORD_SEPARATOR, framing);
  },
  encodeShared(event, framing) {
    return encodeShared(event, RECORD_SEPARATOR, framing);
  },
};

/** The config word `json`. */
export const jsonType: SerializerType = { single: jsonSerializer, batched: batchedJsonSerializer, rawSocketId: 1 };

function decode(bytes: Buffer): ClientMessage {
  const text = bytes.toString('utf8');
  if (text.length > LARGE_TEXT) return decodeLarge(text, bytes);
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch (cause) {
    throw invalid(cause);
  }
  if (!Array.isArray(fields) || fields.length === 0) throw new ProtocolViolation('a message must be a non-empty list');
  const position = payloadPosition(fields[0]);
  const payload =
    position === undefined || fields.length <= position ? NO_PAYLOAD : payloadFrom(text, bytes, fields, position);
  return parseMessage(fields, fields.length, payload);
}

function invalid(cause: unknown): ProtocolViolation {
  return new ProtocolViolation('the message is not valid JSON', { cause });
}

function startsOf(text: string): readonly number[] {
  try {
    return elementStarts(text);
  } catch (cause) {
    throw invalid(cause);
  }
}

/** Of a large message only what stands before the payload is built. */
function decodeLarge(text: string, bytes: Buffer): ClientMessage {
  const { fields, length, place } = partsOf(text);
  const payload =
    place === undefined ? NO_PAYLOAD : new JsonPayload(text.slice(place.start, place.end), isAscii(text, bytes));
  return parseMessage(fields, length, payload);
}

function takeApart(bytes: Buffer): MessageParts {
  const text = bytes.toString('utf8');
  const { fields, length, place } = partsOf(text);
  // What is no UTF-8 travels on as what was made of it, where nobody has checked it before.
  const own = isUtf8(bytes) ? {} : { bytes: Buffer.from(text) };
  if (place === undefined) return { fields, length, ...own };
  const start = Buffer.byteLength(text.slice(0, place.start));
  const end = start + Buffer.byteLength(text.slice(place.start, place.end));
  return { fields, length, payload: { start, end, count: 1 }, ...own };
}

/** The second half of decoding for what was taken apart in another thread. */
export function putTogether(bytes: Buffer, { fields, length, payload }: MessageParts): ClientMessage {
  const place = payload && new JsonBytes(bytes.subarray(payload.start, payload.end));
  return parseMessage(fields, length, place ?? NO_PAYLOAD);
}

interface TextParts {
  readonly fields: readonly unknown[];
  readonly length: number;
  /** In characters. */
  readonly place: Place | undefined;
}

interface Place {
  readonly start: number;
  readonly end: number;
}

function partsOf(text: string): TextParts {
  const starts = startsOf(text);
  const length = starts.length - 1;
  if (length === 0) throw new ProtocolViolation('a message must be a non-empty list');
  const code = elementText(text, starts, 0);
  const position = (code.length > MAX_CODE_LENGTH ? undefined : payloadPosition(JSON.parse(code))) ?? length;
  const envelopeEnd = endOfElement(text, starts, Math.min(position, length) - 1);
  if (envelopeEnd > MAX_ENVELOPE_BYTES) throw envelopeTooLarge();
  const fields = JSON.parse(`${text.slice(0, envelopeEnd)}]`) as readonly unknown[];
  return { fields, length, place: length > position ? placeOf(text, fields, starts) : undefined };
}

function placeOf(text: string, fields: readonly unknown[], starts: readonly number[]): Place | undefined {
  const [at, next] = [fields.length, fields.length + 1];
  const start = starts[at] ?? 0;
  const kind = text.charCodeAt(start);
  const isLast = starts.length === next + 1;
  const isOpaque = kind === QUOTE && carriesOpaquePayload(fields);
  if (isOpaque && !isLast) throw new ProtocolViolation('nothing may follow an opaque payload');
  if (!isOpaque && kind !== OPEN_LIST) throw new ProtocolViolation('Arguments must be a list');
  if (!isLast && text.charCodeAt(starts[next] ?? 0) !== OPEN_DICT) {
    throw new ProtocolViolation('ArgumentsKw must be a dictionary');
  }
  const noKwargs = isLast || /^\{\s*\}$/.test(elementText(text, starts, next));
  if (noKwargs && /^\[\s*\]$/.test(elementText(text, starts, at))) return undefined;
  return { start, end: endOfElement(text, starts, noKwargs ? at : next) };
}

function elementText(text: string, starts: readonly number[], index: number): string {
  return text.slice(starts[index], endOfElement(text, starts, index));
}

/** @returns where the space, comma or bracket behind an element stands. */
function endOfElement(text: string, starts: readonly number[], index: number): number {
  const behind = starts[index + 1] ?? text.length;
  let at = index + 2 === starts.length ? behind : text.lastIndexOf(',', behind - 1);
  while (text.charCodeAt(at - 1) <= 32) at--;
  return at;
}

function payloadFrom(text: string, bytes: Buffer, fields: readonly unknown[], position: number): Payload {
  const args = fields[position];
  const kwargs = fields[position + 1];
  if (typeof args === 'string' && carriesOpaquePayload(fields)) return opaquePayload(text, bytes, fields, position);
  if (!Array.isArray(args)) throw new ProtocolViolation('Arguments must be a list');
  if (fields.length > position + 1 && !isDict(kwargs)) throw new ProtocolViolation('ArgumentsKw must be a dictionary');
  const noKwargs = kwargs === undefined || isEmpty(kwargs as Dict);
  if (args.length === 0 && noKwargs) return NO_PAYLOAD;
  const start = skipElements(text, position);
  // An empty ArgumentsKw should not be sent (section "Message Structure"): leave it out.
  const end = kwargs !== undefined && noKwargs ? skipValue(text, start) : endOf(text);
  return new JsonPayload(text.slice(start, end), isAscii(text, bytes));
}

/** One string in place of Arguments, which nobody but the endpoints understands. */
function opaquePayload(text: string, bytes: Buffer, fields: readonly unknown[], position: number): Payload {
  if (fields.length > position + 1) throw new ProtocolViolation('nothing may follow an opaque payload');
  const start = skipElements(text, position);
  return new JsonPayload(text.slice(start, endOf(text)), isAscii(text, bytes));
}

/** What is no UTF-8 at all becomes a character by the byte, too, where nobody has checked it before. */
function isAscii(text: string, bytes: Buffer): boolean {
  return text.length === bytes.length && !text.includes('\uFFFD');
}

function isEmpty(kwargs: Dict): boolean {
  for (const _key in kwargs) return false;
  return true;
}

// --- Writing. The messages of the hot path are spelled out; the others take the general way.

/** @param end stands behind the message. */
function encode(message: Message, end: string, framing: Framing): Buffer {
  switch (message.type) {
    case m.EVENT:
      return framedWith(startOf(message), message.details, message.payload, end, framing);
    case m.INVOCATION: {
      const start = `[68,${message.requestId},${message.registration},`;
      return framedWith(start, message.details, message.payload, end, framing);
    }
    case m.RESULT:
      return framedWith(`[50,${message.requestId},`, message.details, message.payload, end, framing);
    case m.WELCOME:
      return framedWelcome(message, end, framing);
    case m.PUBLISHED:
      return framed(`[17,${message.requestId},${idText(message.publication)}]${end}`, framing);
    default: {
      const envelope = jsonText(envelopeOf(message));
      const { payload = NO_PAYLOAD } = 'payload' in message ? message : {};
      if (payload === NO_PAYLOAD) return framed(`${envelope}${end}`, framing);
      const json = inJson(payload);
      const start = envelope.slice(0, -1);
      if (json instanceof JsonBytes) return framedBytes(start, json, end, framing);
      return framed(`${start},${json.text}]${end}`, framing);
    }
  }
}

function startOf({ subscription, publication }: m.Event): string {
  return `[36,${subscription},${idText(publication)},`;
}

/** What stands behind the payload: the same bytes for all. */
const TAILS: ReadonlyMap<string, Buffer> = new Map(['', RECORD_SEPARATOR].map((end) => [end, Buffer.from(`]${end}`)]));

function encodeShared(event: m.Event, end: string, framing: Framing): Frame {
  const { details, payload } = event;
  const start = startOf(event);
  const json = payload === NO_PAYLOAD ? undefined : inJson(payload);
  const tail = TAILS.get(end);
  if (json === undefined || !json.isLarge || tail === undefined) {
    return framedWith(start, details, json ?? NO_PAYLOAD, end, framing);
  }
  const text = `${start}${dictText(details)},`;
  const body = json.shared();
  const textBytes = Buffer.byteLength(text);
  const messageBytes = textBytes + body.length + tail.length;
  const head = Buffer.allocUnsafeSlow(framing.headerBytes(messageBytes) + textBytes);
  framing.writeHeader(head, messageBytes);
  head.write(text, head.length - textBytes, 'utf8');
  return new LargeFrame(head, body, tail);
}

/** Large numbers are written by way of floating point: twice as slow as their two halves. */
function idText(id: number): string {
  if (id < 1e9) return `${id}`;
  const high = Math.floor(id / 1e8);
  const low = id - high * 1e8;
  return low < 1e7 ? `${high}${String(low).padStart(8, '0')}` : `${high}${low}`;
}

/** WELCOME.Details.roles of a realm -> what the details begin with: by far the largest part of the message, and always the same. */
const announcements = new WeakMap<object, Buffer>();

function announcementOf(roles: m.RoleFeatures): Buffer {
  let bytes = announcements.get(roles);
  if (bytes === undefined) announcements.set(roles, (bytes = Buffer.from(`{"roles":${jsonText(roles)}`)));
  return bytes;
}

function framedWelcome({ session, details, roles }: m.Welcome, end: string, framing: Framing): Buffer {
  const announcement = announcementOf(roles);
  const head = `[2,${idText(session)},`;
  const rest = dictText(details);
  const tail = rest === '{}' ? `}]${end}` : `,${rest.slice(1)}]${end}`;
  const tailBytes = Buffer.byteLength(tail);
  const bytes = head.length + announcement.length + tailBytes;
  const frame = newFrame(bytes, framing);
  const at = frame.length - bytes;
  frame.write(head, at, 'latin1');
  frame.set(announcement, at + head.length);
  frame.write(tail, frame.length - tailBytes, tailBytes === tail.length ? 'latin1' : 'utf8');
  return frame;
}

function dictText(details: Dict): string {
  if (details === m.NO_DETAILS) return '{}';
  return isFlat(details) ? JSON.stringify(details) : jsonText(details);
}

/** Almost all details hold simple values only, which the native writer needs no help with. */
function isFlat(details: Dict): boolean {
  for (const key in details) {
    const kind = typeof details[key];
    if (kind === 'object' || kind === 'bigint') return false;
  }
  return true;
}

/** @returns a payload in JSON. @throws WampError for one that has no place there. */
export function inJson(payload: Payload): JsonPayload | JsonBytes {
  if (payload instanceof JsonPayload || payload instanceof JsonBytes) return payload;
  return payload instanceof WirePayload ? payload.in(jsonForm) : jsonForm.write(elementsOf(payload));
}

/** From so many characters on, it costs less to write two texts than to put them together. */
const LONG_TEXT = 128;

/** @param start of the message, as far as the details: numbers. */
function framedWith(start: string, details: Dict, payload: Payload, end: string, framing: Framing): Buffer {
  const head = `${start}${dictText(details)}`;
  if (payload === NO_PAYLOAD) return framed(`${head}]${end}`, framing);
  const json = inJson(payload);
  if (json instanceof JsonBytes) return framedBytes(head, json, end, framing);
  const { text, isAscii } = json;
  if (!isAscii || (details !== m.NO_DETAILS && Buffer.byteLength(head) !== head.length)) {
    return framed(`${head},${text}]${end}`, framing);
  }
  const bytes = head.length + text.length + end.length + 2;
  const frame = newFrame(bytes, framing);
  const at = frame.length - bytes;
  if (text.length < LONG_TEXT) {
    frame.write(`${head},${text}]${end}`, at, 'latin1');
    return frame;
  }
  const textAt = at + head.length + 1;
  frame.write(`${head},`, at, 'latin1');
  frame.write(text, textAt, 'latin1');
  frame.write(`]${end}`, textAt + text.length, 'latin1');
  return frame;
}

function framedBytes(head: string, { bytes }: JsonBytes, end: string, framing: Framing): Buffer {
  const start = Buffer.from(`${head},`);
  const tail = `]${end}`;
  const frame = newFrame(start.length + bytes.length + tail.length, framing);
  const at = frame.length - bytes.length - tail.length;
  start.copy(frame, at - start.length);
  bytes.copy(frame, at);
  frame.write(tail, at + bytes.length, 'latin1');
  return frame;
}

function framed(text: string, framing: Framing): Buffer {
  const bytes = Buffer.byteLength(text);
  const frame = newFrame(bytes, framing);
  // A text without characters beyond ASCII is copied, not encoded.
  frame.write(text, frame.length - bytes, bytes === text.length ? 'latin1' : 'utf8');
  return frame;
}

/** @returns a frame that lacks what it carries: so many bytes at its end. */
function newFrame(bytes: number, framing: Framing): Buffer {
  const frame = allocateFrame(framing.headerBytes(bytes) + bytes);
  framing.writeHeader(frame, bytes);
  return frame;
}
