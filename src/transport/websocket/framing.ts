/**
 * The header of a WebSocket message from a server (RFC 6455, section 5.2): one unmasked frame, so that header and
 * message form one buffer that can be sent to any number of sockets.
 */
import { codecOf } from '../codecs.js';
import type { Codec, Framing, Serializer } from '../../serializer/serializer.js';

const TEXT_FRAME = 0x81;
const BINARY_FRAME = 0x82;
/** The first octet of a ping. */
export const PING_FRAME = 0x89;
/** The first octet of a pong. */
export const PONG_FRAME = 0x8a;

function websocketFraming(firstByte: number): Framing {
  return {
    headerBytes(payloadBytes) {
      if (payloadBytes < 126) return 2;
      return payloadBytes < 65_536 ? 4 : 10;
    },
    writeHeader(frame, payloadBytes) {
      frame[0] = firstByte;
      if (payloadBytes < 126) {
        frame[1] = payloadBytes;
      } else if (payloadBytes < 65_536) {
        frame[1] = 126;
        frame.writeUInt16BE(payloadBytes, 2);
      } else {
        frame[1] = 127;
        frame.writeBigUInt64BE(BigInt(payloadBytes), 2);
      }
    },
  };
}

const TEXT = websocketFraming(TEXT_FRAME);
/** Of binary messages. */
export const BINARY = websocketFraming(BINARY_FRAME);

/** @returns a whole ping or pong; `payload` has at most 125 bytes. */
export function controlFrame(firstByte: number, payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(2 + payload.length);
  frame[0] = firstByte;
  frame[1] = payload.length;
  payload.copy(frame, 2);
  return frame;
}

/** For connections with compression: the message goes to `ws` as it is, which makes the frames. */
export const UNFRAMED: Framing = {
  headerBytes: () => 0,
  writeHeader: () => undefined,
};

/** @returns the one codec for this serializer over WebSocket. */
export function websocketCodec(serializer: Serializer, framed: boolean): Codec {
  return codecOf(serializer, framed ? (serializer.binary ? BINARY : TEXT) : UNFRAMED);
}
