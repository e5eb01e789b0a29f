/**
 * A message between two nodes as bytes: a head of JSON, and behind it a payload as the client sent it.
 *
 *     octets 0-3   how long the head is, big-endian
 *     then         the head, and in it as `p` the form of the payload and how many elements it has
 *     then         the payload
 *
 * Nodes trust each other, and nobody else reaches their subjects. A frame that is none is dropped all the same.
 */
import { elementsOf, WirePayload } from '../serializer/wire-payload.js';
import { SERIALIZERS } from '../serializer/registry.js';
import { isDict, NO_PAYLOAD } from '../wamp/payload.js';
import type { Dict, Payload } from '../wamp/payload.js';
import type { PayloadForm } from '../serializer/wire-payload.js';

const HEAD_BYTES = 4;

/** What the router makes itself is sent in a form that has all values. */
const { form: OWN_FORM } = SERIALIZERS.msgpack.single;

/** config word -> form */
const FORMS: ReadonlyMap<string, PayloadForm<WirePayload>> = new Map(
  Object.values(SERIALIZERS).flatMap(({ single: { type, form } }) => (form === undefined ? [] : [[type, form]])),
);

export interface Frame {
  readonly head: Dict;
  /** `NO_PAYLOAD` where there is none. */
  readonly payload: Payload;
}

/** @throws WampError for a payload that has no place in any form. */
export function encodeFrame(head: Dict, payload: Payload = NO_PAYLOAD): Buffer {
  if (payload === NO_PAYLOAD) return framed(JSON.stringify(head), undefined);
  if (OWN_FORM === undefined) throw new TypeError('there is no form for what the router says');
  const wire = payload instanceof WirePayload ? known(payload, OWN_FORM) : OWN_FORM.write(elementsOf(payload));
  return framed(JSON.stringify({ ...head, p: [wire.formType, wire.count] }), wire.shared());
}

/** A client may have a form that is no serializer's, as those of MQTT have. */
function known(payload: WirePayload, ownForm: PayloadForm<WirePayload>): WirePayload {
  return FORMS.has(payload.formType) ? payload : payload.in(ownForm);
}

/** @returns undefined for what is no frame. */
export function decodeFrame(data: Uint8Array): Frame | undefined {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (bytes.length < HEAD_BYTES) return undefined;
  const start = HEAD_BYTES + bytes.readUInt32BE(0);
  if (start > bytes.length) return undefined;
  const head = parsed(bytes.toString('utf8', HEAD_BYTES, start));
  if (!isDict(head)) return undefined;
  const payload = payloadIn(head['p'], bytes.subarray(start));
  return payload && { head, payload };
}

function framed(head: string, payload: Buffer | undefined): Buffer {
  const headBytes = Buffer.byteLength(head);
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + headBytes + (payload?.length ?? 0));
  bytes.writeUInt32BE(headBytes, 0);
  bytes.write(head, HEAD_BYTES);
  payload?.copy(bytes, HEAD_BYTES + headBytes);
  return bytes;
}

function payloadIn(about: unknown, bytes: Buffer): Payload | undefined {
  if (about === undefined) return NO_PAYLOAD;
  if (!Array.isArray(about)) return undefined;
  const [type, count] = about as readonly unknown[];
  if (typeof type !== 'string' || typeof count !== 'number') return undefined;
  return FORMS.get(type)?.adopt(bytes, count);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
