/**
 * Where the frames of one direction of a WebSocket end, of which nothing else is looked at: only there another frame may be put in. Knows no
 * sockets.
 */
import { CLOSE, headerBytes, OPCODE, payloadBytes } from '../../transport/websocket/frame-header.js';

const NOTHING = Buffer.alloc(0);

/** Counts what goes through. */
export class FrameEnds {
  /** A header that is not complete. */
  #head: Buffer = NOTHING;
  /** How much of the open frame has not come yet. */
  #left = 0;
  #isClosing = false;

  /** No frame is open. */
  get isBetween(): boolean {
    return this.#left === 0 && this.#head.length === 0;
  }

  /** A close frame has come, or begun: none may follow. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Takes the next octets; where only the open frame is wanted, those of it. @returns how many were taken. */
  push(chunk: Buffer, onlyOpen = false): number {
    let at = 0;
    while (at < chunk.length) {
      if (onlyOpen && this.isBetween) return at;
      at += this.#left > 0 ? this.#passPayload(chunk.length - at) : this.#passHeader(chunk.subarray(at));
    }
    return at;
  }

  #passPayload(available: number): number {
    const taken = Math.min(this.#left, available);
    this.#left -= taken;
    return taken;
  }

  #passHeader(chunk: Buffer): number {
    const had = this.#head.length;
    const head = had === 0 ? chunk : Buffer.concat([this.#head, chunk.subarray(0, 14)]);
    const length = headerBytes(head, 0);
    if (length > head.length) {
      this.#head = Buffer.from(head);
      return head.length - had;
    }
    this.#head = NOTHING;
    this.#left = payloadBytes(head, 0);
    if (((head[0] ?? 0) & OPCODE) === CLOSE) this.#isClosing = true;
    return length - had;
  }
}
