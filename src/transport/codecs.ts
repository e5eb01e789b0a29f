/**
 * Every pair of serializer and framing in use. There is one object for each, whatever the transport: its `index` is the
 * place of the shared frame in `Event.frames`.
 */
import type { Codec, Framing, Serializer } from '../serializer/serializer.js';

// in order of their `index`
const codecs: Codec[] = [];

/** @returns the one codec for this serializer behind this framing. */
export function codecOf(serializer: Serializer, framing: Framing): Codec {
  const known = codecs.find((codec) => codec.serializer === serializer && codec.framing === framing);
  if (known !== undefined) return known;
  const codec = { index: codecs.length, serializer, framing };
  codecs.push(codec);
  return codec;
}
