/**
 * The serializers of this router, in the order in which they are named to a client that offers none of them.
 * To add one: write its file, add it here, run the contract suite on it.
 */
import { cborType } from './cbor.js';
import { jsonType } from './json.js';
import { msgpackType } from './msgpack.js';
import { ubjsonType } from './ubjson/ubjson.js';
import type { Serializer, SerializerType } from './serializer.js';

/** config word -> format */
export type SerializerTypes = Readonly<Record<string, SerializerType>>;

/** The formats that we ship. */
export const SERIALIZERS = {
  json: jsonType,
  msgpack: msgpackType,
  cbor: cborType,
  ubjson: ubjsonType,
} as const satisfies SerializerTypes;

/** @returns the WebSocket subprotocol of a serializer, such as `wamp.2.json` and `wamp.2.json.batched`. */
export function subprotocolOf(serializer: Serializer): string {
  return `wamp.2.${serializer.type}`;
}
