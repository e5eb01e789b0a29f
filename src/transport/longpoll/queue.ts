/**
 * What waits for one client of long-poll, in order. What an answer takes is kept until the answer has left: a client that hangs up
 * gets it with its next request. It knows no requests.
 */
import { LARGE_PAYLOAD_BYTES, ownBytes } from '../../serializer/large-frame.js';

const NOTHING: Buffer = Buffer.alloc(0);

/** One for each client. */
export class MessageQueue {
  #waiting: Buffer[] = [];
  /** Those before `#at` have left. */
  #at = 0;
  #bytes = 0;
  /** How many from `#at` on an answer has taken. */
  #taken = 0;

  /** All that waits, and what has been taken but not left, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many messages that are. */
  get count(): number {
    return this.#waiting.length - this.#at;
  }

  /** Whether an answer with some of them is under way. */
  get isTaken(): boolean {
    return this.#taken > 0;
  }

  /**
   * @param maySoonLeave whether somebody waits for it. If not, a short message gets memory of its own: it would keep the large piece
   *   that it is cut from.
   * @returns what is kept.
   */
  push(message: Buffer, maySoonLeave: boolean): Buffer {
    const kept = maySoonLeave || message.length >= LARGE_PAYLOAD_BYTES ? message : ownBytes(message);
    this.#waiting.push(kept);
    this.#bytes += kept.length;
    return kept;
  }

  /** Takes what goes into one answer: one message, and more as long as they fit. They have to be `sent` or `putBack`. */
  take(maxBytes: number): Buffer[] {
    const taken: Buffer[] = [];
    let bytes = 0;
    for (let at = this.#at; at < this.#waiting.length; at++) {
      const message = this.#waiting[at] as Buffer;
      bytes += message.length;
      if (taken.length > 0 && bytes > maxBytes) break;
      taken.push(message);
    }
    this.#taken = taken.length;
    return taken;
  }

  /** What was taken has left. */
  sent(): void {
    const end = this.#at + this.#taken;
    for (; this.#at < end; this.#at++) {
      this.#bytes -= (this.#waiting[this.#at] as Buffer).length;
      this.#waiting[this.#at] = NOTHING;
    }
    this.#taken = 0;
    if (this.#at * 2 < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#at);
    this.#at = 0;
  }

  /** What was taken did not arrive: it is the first again. */
  putBack(): void {
    this.#taken = 0;
  }

  /** Nobody wants them any more. */
  clear(): void {
    this.#waiting = [];
    this.#at = 0;
    this.#taken = 0;
    this.#bytes = 0;
  }
}
