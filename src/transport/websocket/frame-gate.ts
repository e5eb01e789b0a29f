/**
 * Stands between a socket and `ws`, and looks at the headers of frames. `ws` itself has one limit for a connection and its whole
 * life, and takes a frame apart when all of it is there. So this is done here:
 *
 * - A message that is too large for a stranger is refused for its first header.
 * - A large frame is handed on in pieces, as if the client had sent fragments: each is unmasked when it comes. To unmask 16 MiB
 *   in one go holds the loop for a tenth of a second.
 * - A fragment of some bytes does not keep the 64 KiB alive that it was read with, which a client can fill up with pings.
 * - What is held of large messages is counted (`received-memory.ts`).
 *
 * Small frames pass as they are, in the chunks in which they were read. What is wrong with a frame `ws` finds out. Knows no
 * sockets and no WAMP.
 */
import { LARGE_MESSAGE_BYTES } from '../received-memory.js';
import { CLOSE, FIRST_CONTROL, headerBytes, MASK_BYTES, MASKED, OPCODE, payloadBytes } from './frame-header.js';

/** Whose frames they are. */
export interface GateOwner {
  /** Gets what is passed on. */
  feed(chunk: Buffer): void;
  /** A message of more than {@link LARGE_MESSAGE_BYTES} begins. @returns false when nothing more is to be passed on. */
  mayBeLarge(): boolean;
  /** So much of a large message has come; 0 when it is complete. */
  holds(bytes: number): void;
  /** A message begins; for those who want to know. */
  readonly begins?: (() => void) | undefined;
}

/** Pieces of a large frame: a multiple of the length of a mask, unmasked within a millisecond. */
const PIECE_BYTES = 262_144;
const PIECE_HEADER_BYTES = 14;
/** Deflate makes no more of a byte. */
const MAX_INFLATION = 1032;
/** Of what is read at once, less than this part is worth a copy. */
const SMALL_SHARE = 4;

const FINAL = 0x80;
const COMPRESSED = 0x40;

/** The frame that is being cut in pieces. */
interface Cut {
  /** How much of it has not been passed on. */
  left: number;
  /** How much of the piece. */
  piece: number;
  /** The first octet of the next piece, but for the mark of the last one. */
  first: number;
  readonly mask: Buffer;
}

export class FrameGate {
  readonly #owner: GateOwner;
  readonly #maxMessageBytes: number;
  readonly #maxFrameBytes: number;
  readonly #cutBytes: number;
  readonly #pieceBytes: number;
  /** A header that is not complete. */
  #head: Buffer | undefined;
  /** What is before it in the chunk has been passed on. */
  #from = 0;
  /** How much of the frame that is passed on as it is has not come yet. */
  #left = 0;
  #cut: Cut | undefined;
  /** The payloads of the message, as far as their headers have come. */
  #messageBytes = 0;
  #isFinal = true;
  #isCompressed = false;
  #isHolding = false;
  /** The close frame has begun: nothing comes behind it. */
  #isClosing = false;
  #isOver = false;

  /**
   * @param maxMessageBytes a larger one is not cut: `ws` refuses it for its header.
   * @param maxFrameBytes the same of a frame; 0 is no limit.
   * @param pieceBytes frames of messages with more are cut in pieces of this size; by default only those of large messages, in pieces
   *   that cost little.
   */
  constructor(maxMessageBytes: number, maxFrameBytes: number, owner: GateOwner, pieceBytes?: number) {
    this.#cutBytes = pieceBytes ?? LARGE_MESSAGE_BYTES;
    this.#pieceBytes = pieceBytes ?? PIECE_BYTES;
    this.#maxMessageBytes = maxMessageBytes;
    this.#maxFrameBytes = maxFrameBytes;
    this.#owner = owner;
  }

  /** Takes the next bytes of the connection. */
  push(chunk: Buffer): void {
    if (this.#isOver) return;
    const head = this.#head;
    this.#head = undefined;
    this.#passOn(head === undefined ? chunk : Buffer.concat([head, chunk]));
    if (this.#messageBytes > LARGE_MESSAGE_BYTES || this.#isHolding) this.#count();
  }

  /** Whatever comes from now on is dropped. */
  stop(): void {
    this.#isOver = true;
    this.#head = undefined;
    this.#release();
  }

  #passOn(chunk: Buffer): void {
    this.#from = 0;
    let at = this.#goOn(chunk, 0);
    while (at < chunk.length && !this.#isOver) {
      const length = headerBytes(chunk, at);
      if (at + length > chunk.length) {
        this.#head = Buffer.from(chunk.subarray(at));
        break;
      }
      this.#open(chunk, at, length);
      at = this.#goOn(chunk, at + length);
    }
    this.#passTo(chunk, at);
  }

  /** Goes on with the frame that is open. @returns up to where the chunk belongs to it. */
  #goOn(chunk: Buffer, from: number): number {
    if (this.#cut !== undefined) return this.#passPieces(this.#cut, chunk, from);
    const bytes = Math.min(this.#left, chunk.length - from);
    this.#left -= bytes;
    if (this.#isClosing && this.#left === 0) {
      this.#passTo(chunk, from + bytes);
      this.stop();
    }
    return from + bytes;
  }

  #open(chunk: Buffer, at: number, length: number): void {
    const first = chunk[at] ?? 0;
    const opcode = first & OPCODE;
    const bytes = payloadBytes(chunk, at);
    this.#left = bytes;
    if (opcode >= FIRST_CONTROL) {
      this.#isClosing = opcode === CLOSE;
      return;
    }
    if (opcode !== 0) {
      this.#messageBytes = 0;
      this.#isCompressed = (first & COMPRESSED) !== 0;
      this.#owner.begins?.();
    }
    this.#messageBytes += bytes;
    this.#isFinal = (first & FINAL) !== 0;
    if (this.#messageBytes > this.#cutBytes) this.#openLarge(chunk, at, length);
    if (!this.#isFinal) this.#passAlone(chunk, at, length + bytes);
  }

  #openLarge(chunk: Buffer, at: number, length: number): void {
    if (this.#isRefused) return;
    // What came before decides whether it may be large.
    this.#passTo(chunk, at);
    if (!this.#isOver && !this.#owner.mayBeLarge()) this.stop();
    if (this.#left <= this.#pieceBytes || ((chunk[at + 1] ?? 0) & MASKED) === 0) return;
    const behind = at + length;
    const mask = Buffer.from(chunk.subarray(behind - MASK_BYTES, behind));
    this.#cut = { left: this.#left, piece: 0, first: (chunk[at] ?? 0) & ~FINAL, mask };
    this.#left = 0;
    this.#from = behind;
  }

  /** `ws` refuses the frame for its header. */
  get #isRefused(): boolean {
    if (this.#messageBytes > this.#maxMessageBytes) return true;
    return this.#maxFrameBytes !== 0 && this.#left > this.#maxFrameBytes;
  }

  /** Passes a fragment on by itself, where it is a small part of what was read. */
  #passAlone(chunk: Buffer, at: number, bytes: number): void {
    if (bytes * SMALL_SHARE > chunk.length || at + bytes > chunk.length) return;
    this.#passTo(chunk, at);
    if (this.#isOver) return;
    const copy = Buffer.allocUnsafeSlow(bytes);
    chunk.copy(copy, 0, at, at + bytes);
    this.#owner.feed(copy);
    this.#from = at + bytes;
  }

  #passPieces(cut: Cut, chunk: Buffer, from: number): number {
    let at = from;
    while (cut.left > 0 && at < chunk.length && !this.#isOver) {
      if (cut.piece === 0) this.#openPiece(cut);
      const bytes = Math.min(cut.piece, chunk.length - at);
      cut.piece -= bytes;
      cut.left -= bytes;
      at += bytes;
      this.#passTo(chunk, at);
    }
    if (cut.left === 0) this.#cut = undefined;
    return at;
  }

  #openPiece(cut: Cut): void {
    cut.piece = Math.min(cut.left, this.#pieceBytes);
    const isLast = cut.piece === cut.left && this.#isFinal;
    const header = Buffer.allocUnsafeSlow(PIECE_HEADER_BYTES);
    header.writeUInt8(isLast ? cut.first | FINAL : cut.first);
    header.writeUInt8(MASKED | 127, 1);
    header.writeUInt32BE(0, 2);
    header.writeUInt32BE(cut.piece, 6);
    cut.mask.copy(header, 10);
    cut.first = 0;
    this.#owner.feed(header);
  }

  #passTo(chunk: Buffer, to: number): void {
    const from = this.#from;
    if (this.#isOver || from >= to) return;
    this.#from = to;
    this.#owner.feed(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to));
  }

  /** Of a compressed message it is not known what `ws` has made of it. */
  #count(): void {
    const missing = this.#cut?.left ?? this.#left;
    if (missing === 0 && this.#isFinal) this.#messageBytes = 0;
    if (this.#isOver || this.#messageBytes <= LARGE_MESSAGE_BYTES) return this.#release();
    const held = this.#messageBytes - missing;
    this.#isHolding = true;
    this.#owner.holds(this.#isCompressed ? Math.min(held * MAX_INFLATION, this.#maxMessageBytes) : held);
  }

  #release(): void {
    if (!this.#isHolding) return;
    this.#isHolding = false;
    this.#owner.holds(0);
  }
}
