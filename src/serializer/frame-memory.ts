/**
 * Memory for frames. Node.js cuts short buffers from pieces of 8 KiB, and for frames of a KiB makes a piece for every few
 * of them, or for each one: that costs more than to fill it. Here they come from larger pieces.
 *
 * A piece stays as long as one frame of it: who keeps frames for long must copy them (`transport/outbox/outbox.ts`).
 */
const PIECE_BYTES = 65_536;
/** Shorter ones are cut from the piece of Node.js, longer ones have memory of their own. */
const MIN_BYTES = 512;
const MAX_BYTES = 8192;

let piece = Buffer.alloc(0);
let used = 0;

/** @returns the frames in one buffer of so many bytes: those that were made one after the other lie in one already. */
export function joinFrames(first: Buffer, rest: readonly Buffer[], bytes: number): Buffer {
  if (first.length >= MIN_BYTES && areNeighbours(first, rest))
    return Buffer.from(first.buffer, first.byteOffset, bytes);
  const joined = allocateFrame(bytes);
  joined.set(first);
  let at = first.length;
  for (const frame of rest) {
    joined.set(frame, at);
    at += frame.length;
  }
  return joined;
}

function areNeighbours(first: Buffer, rest: readonly Buffer[]): boolean {
  let end = first.byteOffset + first.length;
  for (const { buffer, byteOffset, length } of rest) {
    if (byteOffset !== end || buffer !== first.buffer) return false;
    end += length;
  }
  return true;
}

/** @returns a buffer with anything in it, for a frame that leaves soon. */
export function allocateFrame(bytes: number): Buffer {
  if (bytes < MIN_BYTES || bytes > MAX_BYTES) return Buffer.allocUnsafe(bytes);
  if (used + bytes > piece.length) {
    piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    used = 0;
  }
  used += bytes;
  return piece.subarray(used - bytes, used);
}
