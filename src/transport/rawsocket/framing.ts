/**
 * The prefix of a RawSocket frame (section "RawSocket Transport"): four octets in front of every message.
 *
 *     RRRR XTTT LLLLLLLL LLLLLLLL LLLLLLLL      R: 0, X: the 25th bit of the length, T: frame type, L: length
 */
import type { Framing } from '../../serializer/serializer.js';

export const PREFIX_BYTES = 4;

/** The most that a frame can carry: 16 MiB, with the 25th bit of the length. */
export const MAX_FRAME_BYTES = 2 ** 24;

/** What a frame is. */
export const FrameType = { MESSAGE: 0, PING: 1, PONG: 2 } as const;

const TYPE_BITS = 0b0111;
const LENGTH_BIT_25 = 0b1000;
const RESERVED_BITS = 0b1111_0000;

/** Of messages; what is larger than {@link MAX_FRAME_BYTES} has no prefix and must not be sent. */
export const RAWSOCKET_FRAMING: Framing = {
  headerBytes: () => PREFIX_BYTES,
  writeHeader: (frame, payloadBytes) => writePrefix(frame, FrameType.MESSAGE, payloadBytes),
};

/** @returns a whole frame that is no message. */
export function controlFrame(type: number, payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + payload.length);
  writePrefix(frame, type, payload.length);
  payload.copy(frame, PREFIX_BYTES);
  return frame;
}

function writePrefix(frame: Buffer, type: number, payloadBytes: number): void {
  frame[0] = payloadBytes === MAX_FRAME_BYTES ? type | LENGTH_BIT_25 : type;
  frame[1] = payloadBytes >>> 16;
  frame[2] = payloadBytes >>> 8;
  frame[3] = payloadBytes;
}

/** @param first the first octet of a prefix. @returns its frame type; undefined when it uses what is reserved. */
export function frameTypeOf(first: number): number | undefined {
  const type = first & TYPE_BITS;
  return (first & RESERVED_BITS) === 0 && type <= FrameType.PONG ? type : undefined;
}

/** @returns the length in the prefix at `offset`; with the 25th bit set no other may be, which the limit finds out. */
export function frameLengthAt(bytes: Buffer, offset: number): number {
  const low = bytes.readUIntBE(offset + 1, 3);
  return (bytes.readUInt8(offset) & LENGTH_BIT_25) === 0 ? low : MAX_FRAME_BYTES + low;
}
