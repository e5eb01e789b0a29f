/** The header of a frame, as RFC 6455 has it ("Base Framing Protocol"). Pure. */

/** The bit of the second octet that says that there is a mask. */
export const MASKED = 0x80;
/** How long a mask is. */
export const MASK_BYTES = 4;
/** The bits of the first octet that say what kind of frame it is. */
export const OPCODE = 0x0f;
/** This kind and those above are control frames. */
export const FIRST_CONTROL = 8;
/** The kind of a close frame. */
export const CLOSE = 8;

/** @returns how long the header is that begins at `at`; at least one byte of it is there. */
export function headerBytes(chunk: Buffer, at: number): number {
  if (at + 1 >= chunk.length) return 2;
  const second = chunk[at + 1] ?? 0;
  const kind = second & 0x7f;
  const extended = kind === 126 ? 2 : kind === 127 ? 8 : 0;
  return 2 + extended + ((second & MASKED) === 0 ? 0 : MASK_BYTES);
}

/** @returns how long the payload is, as a complete header says. */
export function payloadBytes(chunk: Buffer, at: number): number {
  const kind = (chunk[at + 1] ?? 0) & 0x7f;
  if (kind < 126) return kind;
  return kind === 126 ? chunk.readUInt16BE(at + 2) : chunk.readUInt32BE(at + 2) * 2 ** 32 + chunk.readUInt32BE(at + 6);
}
