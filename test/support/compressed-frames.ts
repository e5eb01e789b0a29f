/** Frames of a WebSocket client with compression, by hand: right ones, and those that no library would write. */
import { constants, deflateRawSync } from 'node:zlib';

const MASK = Buffer.of(1, 2, 3, 4);

/** @param first the first octet: FIN, reserved bits, opcode. @param payload 125 octets at most. */
export function frame(first: number, payload: Buffer): Buffer {
  const masked = payload.map((byte, at) => byte ^ (MASK[at % 4] ?? 0));
  return Buffer.concat([Buffer.of(first, 0x80 | payload.length), MASK, masked]);
}

/** A piece of a compressed message. */
export function deflated(text: string): Buffer {
  return deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH });
}

/** What ends a connection, for tests that go by it. */
export const WRONG_FRAMES: readonly (readonly [what: string, octets: Buffer])[] = [
  ['a frame that is none', Buffer.of(0xff, 0xff)],
  // There is no code 999.
  ['a close frame that is none', frame(0x88, Buffer.of(3, 231))],
];
