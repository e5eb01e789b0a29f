/** Payloads in JSON: the text of small ones, the bytes of large ones. */
import { LARGE_PAYLOAD_BYTES, ownBytes, SharedBytes } from '../large-frame.js';
import { JsonReader } from '../json-reader.js';
import { jsonValues } from '../json-values.js';
import { WirePayload } from '../wire-payload.js';
import type { Steps, ValueSink } from '../value-sink.js';

/** Arguments and ArgumentsKw as JSON text, `[1,2],{"k":3}`, exactly as they came in. */
export class JsonPayload extends WirePayload {
  readonly text: string;
  readonly formType = 'json';
  readonly count = 1;
  /** Known to be ASCII: as long in bytes as it is in characters. */
  readonly isAscii: boolean;
  /** Only where it is large. */
  #shared: SharedBytes | undefined;

  constructor(text: string, isAscii: boolean) {
    super();
    this.text = text;
    this.isAscii = isAscii;
  }

  get byteLength(): number {
    // A text with characters beyond Latin-1 takes two bytes for each.
    return this.isAscii ? this.text.length : this.text.length * 2;
  }

  /** Whether frames share it. */
  get isLarge(): boolean {
    return this.text.length >= LARGE_PAYLOAD_BYTES;
  }

  /** A slice keeps the whole text of the message alive. */
  detach(): JsonPayload {
    return new JsonPayload(Buffer.from(this.text).toString(), this.isAscii);
  }

  passOn(to: ValueSink, steps?: Steps): number {
    return new JsonReader(this.text, steps).passAll(to);
  }

  elements(): readonly unknown[] {
    return jsonValues(`[${this.text}]`) as unknown[];
  }

  /** The text as bytes, for several frames. */
  shared(): Buffer {
    this.#shared ??= new SharedBytes();
    return this.#shared.get(() => Buffer.from(this.text, this.isAscii ? 'latin1' : 'utf8'));
  }
}

/** The same as bytes, of a message that was taken apart in another thread: no text of it is made where nobody reads it. */
export class JsonBytes extends WirePayload {
  readonly bytes: Buffer;
  readonly formType = 'json';
  readonly count = 1;
  /** Bytes are copied as they are: nothing hangs on it. */
  readonly isAscii = false;
  readonly isLarge = true;

  constructor(bytes: Buffer) {
    super();
    this.bytes = bytes;
  }

  get text(): string {
    return this.bytes.toString();
  }

  get byteLength(): number {
    return this.bytes.length;
  }

  detach(): JsonBytes {
    const copy = Buffer.allocUnsafeSlow(this.bytes.length);
    this.bytes.copy(copy);
    return new JsonBytes(copy);
  }

  passOn(to: ValueSink, steps?: Steps): number {
    return new JsonReader(this.text, steps).passAll(to);
  }

  elements(): readonly unknown[] {
    return jsonValues(`[${this.text}]`) as unknown[];
  }

  shared(): Buffer {
    return ownBytes(this.bytes);
  }
}

/** @returns the payload that some bytes are: those of small ones are made text, as if they had come in a message. */
export function jsonPayloadOf(bytes: Buffer): JsonPayload | JsonBytes {
  if (bytes.length >= LARGE_PAYLOAD_BYTES) return new JsonBytes(bytes);
  const text = bytes.toString();
  return new JsonPayload(text, text.length === bytes.length);
}
