/**
 * Finds the frames in the bytes of a RawSocket connection, however the network has cut them. A frame that lies in one
 * piece is handed on without a copy; one that comes in pieces is put together in a buffer that grows with what arrives,
 * so that a length alone makes us hold nothing. It knows no sockets.
 */
import { LARGE_MESSAGE_BYTES } from '../received-memory.js';
import { FrameType, frameLengthAt, frameTypeOf, PREFIX_BYTES } from './framing.js';

/** Who gets the frames. A payload is never written to again, so it may be kept. */
export interface FrameReceiver {
  onMessage(payload: Buffer): void;
  onPing(payload: Buffer): void;
  onPong(): void;
  /** A frame of more than {@link LARGE_MESSAGE_BYTES} begins. @returns false when nothing more is to be read. */
  mayBeLarge(): boolean;
  /** So much of a large frame has come; 0 when it is complete. */
  holds(bytes: number): void;
  /** The bytes are no frames, or too large ones: nothing more will be read. */
  onBadFrame(reason: string, fault?: 'bad_frame' | 'too_large'): void;
}

/** The least that is set aside for a frame in pieces. */
const MIN_HELD_BYTES = 4096;

/** Takes the bytes of one connection. */
export class RawSocketReader {
  readonly #maxFrameBytes: number;
  readonly #receiver: FrameReceiver;
  /** The beginning of a frame whose end is missing: the first `#heldBytes` of it. */
  #held: Buffer | undefined;
  #heldBytes = 0;
  /** How many bytes are worth looking at it again. */
  #wanted = 0;
  #isCounted = false;
  #stopped = false;

  /** @param maxFrameBytes the largest payload that is accepted. */
  constructor(maxFrameBytes: number, receiver: FrameReceiver) {
    this.#maxFrameBytes = maxFrameBytes;
    this.#receiver = receiver;
  }

  /** Takes the next bytes; the receiver gets every frame that is complete. */
  push(chunk: Buffer): void {
    if (this.#stopped) return;
    let rest = chunk;
    while (this.#held !== undefined) {
      const missing = this.#wanted - this.#heldBytes;
      this.#hold(rest.subarray(0, missing));
      if (rest.length < missing) return this.#count();
      rest = rest.subarray(missing);
      const held = this.#held.subarray(0, this.#heldBytes);
      this.#held = undefined;
      this.#heldBytes = 0;
      this.#release();
      // Either the whole frame, or its prefix alone: then it is held again, with its length known.
      if (this.#read(held)) return;
    }
    this.#read(rest);
  }

  /** Whatever comes from now on is dropped, also what was pushed already. */
  stop(): void {
    this.#stopped = true;
    this.#held = undefined;
    this.#release();
  }

  /** Reads frames up to the end of `bytes` and keeps what is incomplete. @returns whether reading has stopped. */
  #read(bytes: Buffer): boolean {
    let at = 0;
    while (at < bytes.length) {
      const left = bytes.length - at;
      if (left < PREFIX_BYTES) return this.#keep(bytes, at, PREFIX_BYTES);
      const type = frameTypeOf(bytes.readUInt8(at));
      if (type === undefined) return this.#fail('a frame uses a reserved type or bit');
      const length = frameLengthAt(bytes, at);
      if (length > this.#maxFrameBytes) {
        return this.#fail(
          `a frame of ${length} bytes is larger than ${this.#maxFrameBytes}, which "max_message_size" decides`,
          'too_large',
        );
      }
      if (length > LARGE_MESSAGE_BYTES && !this.#receiver.mayBeLarge()) {
        this.stop();
        return true;
      }
      if (left < PREFIX_BYTES + length) return this.#keep(bytes, at, PREFIX_BYTES + length);
      const end = at + PREFIX_BYTES + length;
      this.#deliver(type, bytes.subarray(at + PREFIX_BYTES, end));
      if (this.#stopped) return true;
      at = end;
    }
    return false;
  }

  #deliver(type: number, payload: Buffer): void {
    if (type === FrameType.MESSAGE) this.#receiver.onMessage(payload);
    else if (type === FrameType.PING) this.#receiver.onPing(payload);
    else this.#receiver.onPong();
  }

  #fail(reason: string, fault: 'bad_frame' | 'too_large' = 'bad_frame'): boolean {
    this.stop();
    this.#receiver.onBadFrame(reason, fault);
    return true;
  }

  #count(): void {
    if (this.#wanted <= LARGE_MESSAGE_BYTES) return;
    this.#isCounted = true;
    this.#receiver.holds(this.#heldBytes);
  }

  #release(): void {
    if (!this.#isCounted) return;
    this.#isCounted = false;
    this.#receiver.holds(0);
  }

  #keep(bytes: Buffer, from: number, wanted: number): boolean {
    this.#wanted = wanted;
    this.#held = Buffer.allocUnsafe(Math.min(wanted, Math.max(MIN_HELD_BYTES, bytes.length - from)));
    this.#heldBytes = bytes.copy(this.#held, 0, from);
    return false;
  }

  /** Adds to what is held; the room doubles when it is full. */
  #hold(bytes: Buffer): void {
    if (this.#held === undefined) return;
    const needed = this.#heldBytes + bytes.length;
    if (needed > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.#wanted, Math.max(needed, 2 * this.#held.length)));
      this.#held.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    bytes.copy(this.#held, this.#heldBytes);
    this.#heldBytes = needed;
  }
}
