/** The serializers that we ship, by their words. */
import { SERIALIZERS } from '../../src/serializer/registry.js';
import type { Serializer, SerializerType } from '../../src/serializer/serializer.js';

/** config word -> serializer of single messages */
export const serializers: ReadonlyMap<string, Serializer> = mapOf(({ single }) => single);

/** config word -> the same format in batches */
export const batchedSerializers: ReadonlyMap<string, Serializer> = mapOf(({ batched }) => batched);

function mapOf(of: (format: SerializerType) => Serializer): ReadonlyMap<string, Serializer> {
  return new Map(Object.entries(SERIALIZERS).map(([word, format]) => [word, of(format)]));
}
