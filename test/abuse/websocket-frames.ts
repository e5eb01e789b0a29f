/** Frames of a WebSocket client, by hand: good ones, and those that no library would write. */
import { deflateRawSync } from 'node:zlib';
import type { Random } from './random.js';

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

interface FrameOptions {
  readonly fin?: boolean;
  /** The three reserved bits; 4 is RSV1, "compressed". */
  readonly reserved?: number;
  readonly masked?: boolean;
  /** What the head says; it may lie. */
  readonly length?: bigint;
}

export function frame(opcode: number, payload: Buffer, random: Random, options: FrameOptions = {}): Buffer {
  const { fin = true, reserved = 0, masked = true, length = BigInt(payload.length) } = options;
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const head = Buffer.concat([Buffer.of(first), lengthField(length, masked, random)]);
  if (!masked) return Buffer.concat([head, payload]);
  const mask = random.bytes(4);
  return Buffer.concat([head, mask, payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0))]);
}

function lengthField(length: bigint, masked: boolean, random: Random): Buffer {
  const flag = masked ? 0x80 : 0;
  // A length may be written wider than it needs to be; the letter of the RFC forbids it.
  const wider = random.chance(0.01);
  if (length < 126n && !wider) return Buffer.of(flag | Number(length));
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, length));
  return length < 65_536n && !(wider && length > 125n)
    ? Buffer.concat([Buffer.of(flag | 126), bytes.subarray(6)])
    : Buffer.concat([Buffer.of(flag | 127), bytes]);
}

/** A message in one frame or in many, compressed where that was agreed upon. */
export function messageFrames(message: Buffer, isBinary: boolean, random: Random, compressed = false): Buffer {
  const reserved = compressed ? 4 : 0;
  const payload = compressed ? deflateRawSync(message, { finishFlush: 2 /* Z_SYNC_FLUSH */ }).subarray(0, -4) : message;
  const opcode = isBinary ? BINARY : TEXT;
  if (random.chance(0.9)) return frame(opcode, payload, random, { reserved });
  const frames: Buffer[] = [];
  const pieces = random.size(random.chance(0.05) ? 1500 : 8);
  for (let piece = 0; piece < pieces; piece++) {
    const [from, to] = [piece, piece + 1].map((n) => Math.floor((payload.length * n) / pieces));
    const first = piece === 0;
    const options = { fin: piece === pieces - 1, reserved: first ? reserved : 0 };
    frames.push(frame(first ? opcode : 0, payload.subarray(from, to), random, options));
    if (random.chance(0.02)) frames.push(frame(PING, Buffer.from('between'), random));
  }
  return Buffer.concat(frames);
}

/** A frame that is wrong, or one that is right and rare. */
export function oddFrame(random: Random): Buffer {
  return random.pick(ODD_FRAMES)(random);
}

const ODD_FRAMES: readonly ((random: Random) => Buffer)[] = [
  (random) => frame(random.between(3, 7), random.bytes(8), random),
  (random) => frame(random.between(11, 15), random.bytes(8), random),
  (random) => frame(0, random.bytes(8), random),
  (random) => frame(TEXT, Buffer.from('not in utf-8: \xff', 'latin1'), random),
  (random) => frame(TEXT, Buffer.from('[48,1,{},"fuzz.a"]'), random, { masked: false }),
  (random) => frame(TEXT, Buffer.from('[48,'), random, { fin: false }),
  (random) => frame(BINARY, random.bytes(random.size(300)), random),
  (random) => frame(TEXT, random.bytes(20), random, { reserved: random.between(1, 7) }),
  (random) => frame(BINARY, random.bytes(20), random, { length: random.pick(LENGTHS) }),
  (random) => frame(PING, random.bytes(random.pick([0, 1, 125, 126, 1000])), random),
  (random) => frame(PING, random.bytes(4), random, { fin: false }),
  (random) => frame(PONG, random.bytes(random.pick([0, 4, 125])), random),
  (random) => frame(CLOSE, random.bytes(random.pick([0, 1, 2, 50, 125])), random),
  (random) => frame(CLOSE, Buffer.concat([Buffer.of(3, 232), Buffer.from('bye')]), random),
  (random) => messageFrames(Buffer.alloc(random.size(8_000_000), 0x20), false, random, true),
  (random) => frame(TEXT, random.bytes(40), random, { reserved: 4 }),
];

const LENGTHS = [
  0n,
  125n,
  65_535n,
  65_536n,
  2n ** 20n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 64n - 1n,
];

/** The payloads of the frames that the node has sent whole, and what is left. Its frames have no mask. */
export function framesOf(bytes: Buffer): { readonly messages: readonly Buffer[]; readonly rest: Buffer } {
  const messages: Buffer[] = [];
  let rest = bytes;
  for (;;) {
    const found = firstFrame(rest);
    if (found === undefined) return { messages, rest };
    if (found.opcode === TEXT || found.opcode === BINARY) messages.push(found.payload);
    rest = found.rest;
  }
}

function firstFrame(bytes: Buffer): { opcode: number; payload: Buffer; rest: Buffer } | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  const short = second & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return undefined;
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return undefined;
  const end = start + length;
  // Compressed ones are passed over: they are nothing to learn from.
  const opcode = (first & 0x40) === 0 ? first & 0x0f : 0;
  return { opcode, payload: bytes.subarray(start, end), rest: bytes.subarray(end) };
}
