/** Memory that is written to from its start to its end, and grows while it is. */

const FIRST_BYTES = 16_384;
/** What grew beyond this for one large message is given back. */
const MAX_KEPT_BYTES = 1_048_576;

export class GrowingBuffer {
  protected buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  /** Where the next byte goes. */
  protected at = 0;

  /** Starts over. */
  reset(): void {
    this.at = 0;
    if (this.buffer.length > MAX_KEPT_BYTES) this.buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }

  get length(): number {
    return this.at;
  }

  /** Copies what was written since {@link reset}. */
  copyTo(target: Buffer, targetStart: number): void {
    this.buffer.copy(target, targetStart, 0, this.at);
  }

  /** Makes room for `bytes` more bytes. */
  protected reserve(bytes: number): void {
    const needed = this.at + bytes;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.at);
    this.buffer = grown;
  }

  protected byte(byte: number): void {
    this.reserve(1);
    this.buffer[this.at++] = byte;
  }

  protected raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** Copies a part of `bytes`; a short one by hand, which is cheaper than a call into native code. */
  protected rawSlice(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.reserve(length);
    const { buffer } = this;
    let { at } = this;
    if (length <= SHORT) for (let from = start; from < end; from++) buffer[at++] = bytes[from] as number;
    else buffer.set(bytes.subarray(start, end), at);
    this.at += length;
  }

  /** Copies characters that are ASCII. */
  protected ascii(text: string, start = 0, end = text.length): void {
    const length = end - start;
    this.reserve(length);
    const { buffer } = this;
    let { at } = this;
    if (length <= SHORT) for (let from = start; from < end; from++) buffer[at++] = text.charCodeAt(from);
    else buffer.write(text.slice(start, end), at, 'latin1');
    this.at += length;
  }
}

const SHORT = 48;
