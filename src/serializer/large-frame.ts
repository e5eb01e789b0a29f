/**
 * A frame with a large payload, in parts: what belongs to one subscription, and the payload that it shares with the frames
 * of other subscriptions. So a publication that matches a thousand of them lies in memory once, and not one byte of it is
 * copied.
 */

/** From so many bytes on a payload is shared; smaller ones are copied into each frame, which costs less. */
export const LARGE_PAYLOAD_BYTES = 16_384;

/** What is at least one part of so many of the memory that it lies in may keep all of it. */
const LARGE_SHARE = 4;

/** One message in several pieces of memory, so that a large payload is not copied to go out. */
export class LargeFrame {
  readonly head: Buffer;
  /** The same object in all frames with this payload. */
  readonly body: Buffer;
  readonly tail: Buffer | undefined;
  /** In bytes, of all parts. */
  readonly length: number;
  /** Whether it must not be dropped when the peer is slow. */
  readonly isVital: boolean;
  #joined: Buffer | undefined;

  constructor(head: Buffer, body: Buffer, tail?: Buffer, isVital = false) {
    this.head = head;
    this.body = body;
    this.tail = tail;
    this.isVital = isVital;
    this.length = head.length + body.length + (tail?.length ?? 0);
  }

  /** @returns the frame in one piece, made when it is first asked for. */
  joined(): Buffer {
    return (this.#joined ??= Buffer.concat(
      this.tail === undefined ? [this.head, this.body] : [this.head, this.body, this.tail],
    ));
  }
}

/** The bytes of one payload, as long as a frame with them waits for somebody, or until the turn is over. */
export class SharedBytes {
  #bytes: WeakRef<Buffer> | undefined;

  /** @param make makes them when there are none. */
  get(make: () => Buffer): Buffer {
    const known = this.#bytes?.deref();
    if (known !== undefined) return known;
    const bytes = make();
    this.#bytes = new WeakRef(bytes);
    return bytes;
  }
}

/** What is left over of the memory that bytes lie in, where that may change hands with them. */
const MAX_SPARE_BYTES = 256;

/** @returns bytes whose memory may go to another thread: nobody else has something in it. */
export function movable(bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength - bytes.length <= MAX_SPARE_BYTES) return bytes;
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

/** @returns `bytes`, or a copy where they would keep much more memory than their own. */
export function ownBytes(bytes: Buffer): Buffer {
  if (bytes.length * LARGE_SHARE >= bytes.buffer.byteLength) return bytes;
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
