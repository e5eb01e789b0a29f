/**
 * The serializers of a front. It neither takes messages apart nor puts any together: what a client sends goes to the router as it is, and
 * what the router sends is a frame already. So its connections have serializers that hand on what they are given.
 */
import { EVENT } from '../wamp/message.js';
import type { SerializerTypes } from '../serializer/registry.js';
import type { Frame, Serializer, SerializerType } from '../serializer/serializer.js';
import type { ClientMessage, RouterMessage } from '../wamp/message.js';

/** A message of a client as it came. */
export class Undecoded {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

/** No code of WAMP: all that is to be known of what is no event. */
const NO_EVENT = 0;

/** A frame of the router, where a connection expects a message. An event has the place where connections share its frame. */
export class ReadyFrame {
  readonly type: number;
  readonly frame: Buffer;
  readonly frames: Frame[] = [];

  private constructor(frame: Buffer, isEvent: boolean) {
    this.frame = frame;
    this.type = isEvent ? EVENT : NO_EVENT;
  }

  /** @param isEvent whether it may be dropped when the client reads slowly. */
  static of(frame: Buffer, isEvent: boolean): RouterMessage {
    return new ReadyFrame(frame, isEvent) as unknown as RouterMessage;
  }
}

/** @returns what stands in the place of the serializers of a router, under the same words. */
export function passedOn<T extends SerializerTypes>(serializers: T): T {
  const entries = Object.entries(serializers).map(
    ([word, { single, batched, rawSocketId }]): [string, SerializerType] => [
      word,
      {
        single: handingOn(single),
        batched: handingOn(batched),
        ...(rawSocketId !== undefined && { rawSocketId }),
      },
    ],
  );
  return Object.fromEntries(entries) as T;
}

/** A batch is taken apart by the router. */
function handingOn({ type, binary }: Serializer): Serializer {
  const frameOf = (message: unknown): Buffer => (message as ReadyFrame).frame;
  return {
    type,
    binary,
    decode: (bytes) => new Undecoded(bytes) as unknown as ClientMessage,
    values: () => {
      throw new TypeError('a front reads no values');
    },
    encode: frameOf,
    encodeShared: frameOf,
  };
}
