/**
 * The serializers of this router, in the order in which they are named to a client that offers none of them.
 * To add one: write its file, add it here, run the contract suite on it.
 */
import { batchedCborSerializer, cborSerializer } from './cbor.js';
import { batchedJsonSerializer, jsonSerializer } from './json.js';
import { batchedMsgpackSerializer, msgpackSerializer } from './msgpack.js';
import type { Serializer } from './serializer.js';

/** config word -> serializer of single messages */
export const serializers: ReadonlyMap<string, Serializer> = mapOf([jsonSerializer, msgpackSerializer, cborSerializer]);

/** config word -> the same format in batches */
export const batchedSerializers: ReadonlyMap<string, Serializer> = new Map([
  [jsonSerializer.type, batchedJsonSerializer],
  [msgpackSerializer.type, batchedMsgpackSerializer],
  [cborSerializer.type, batchedCborSerializer],
]);

/** @returns the WebSocket subprotocol of a serializer, such as `wamp.2.json` and `wamp.2.json.batched`. */
export function subprotocolOf(serializer: Serializer): string {
  return `wamp.2.${serializer.type}`;
}

function mapOf(all: readonly Serializer[]): ReadonlyMap<string, Serializer> {
  return new Map(all.map((serializer) => [serializer.type, serializer]));
}
