/**
 * Every pair of serializer and framing in use. There is one object for each, whatever the transport: its `index` is the
 * place of the shared frame in `Event.frames`.
 */
import { ErrorUri, WampError } from '../wamp/error.js';
import { EVENT } from '../wamp/message.js';
import type { Codec, Frame, Framing, Serializer } from '../serializer/serializer.js';
import type { Event, RouterMessage } from '../wamp/message.js';

const codecs: Codec[] = [];
/** How many places in `Event.frames` are taken. */
let places = 0;

/** @returns a place in `Event.frames` for what is not made by a codec. It is never given back. */
export function takeFramePlace(): number {
  return places++;
}

/** @returns the one codec for this serializer behind this framing. */
export function codecOf(serializer: Serializer, framing: Framing): Codec {
  const known = codecs.find((codec) => codec.serializer === serializer && codec.framing === framing);
  if (known !== undefined) return known;
  const codec = { index: takeFramePlace(), serializer, framing };
  codecs.push(codec);
  return codec;
}

/** @returns the error for a frame that is larger than its receiver takes. @param maxFrameBytes with its header */
export function tooLarge({ length }: Frame, { framing }: Codec, maxFrameBytes: number): WampError {
  const headerBytes = framing.headerBytes(length);
  const [bytes, allowed] = [length - headerBytes, maxFrameBytes - headerBytes];
  const text = `the message has ${bytes} bytes, but its receiver takes no more than ${allowed}`;
  return new WampError(ErrorUri.PAYLOAD_SIZE_EXCEEDED, text);
}

/** @returns the frame of a message. @throws WampError of the serializer */
export function frameOf(message: RouterMessage, codec: Codec): Frame {
  return message.type === EVENT ? sharedFrame(message, codec) : codec.serializer.encode(message, codec.framing);
}

/** @returns the frame of an event: the first receiver with this codec makes it, the others send the same. */
function sharedFrame(event: Event, { index, serializer, framing }: Codec): Frame {
  // What lies there was made by the same codec.
  const known = event.frames[index] as Frame | undefined;
  if (known !== undefined) return known;
  const frame = serializer.encodeShared(event, framing);
  event.frames[index] = frame;
  return frame;
}
