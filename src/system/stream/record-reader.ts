/**
 * Records on a stream between two processes of the node. What kinds there are, and what their contents mean, both ends agree on:
 *
 *     u32 length of what follows | u8 kind | u32 number | content
 */

/** Length, kind and number. */
export const HEADER_BYTES = 9;
/** Of the length, which does not count itself. */
export const LENGTH_BYTES = 4;

/** The other end says what makes no sense. */
export class BadRecord extends Error {
  override readonly name = 'BadRecord';
}

/**
 * Takes a record. @param content lies in what was read: it is valid as long as it is held. A large one has memory of its own, which may go
 * to another thread.
 */
export type OnRecord<Kind extends number> = (kind: Kind, number: number, content: Buffer) => void;

/** Finds the records in what is read. */
export class RecordReader<Kind extends number> {
  readonly #onRecord: OnRecord<Kind>;
  readonly #maxBytes: number;
  /** The beginning of a record, and how long it has to be before it is looked at again. */
  #begun: Buffer[] = [];
  #begunBytes = 0;
  #needed = HEADER_BYTES;
  #isOver = false;

  /** @param maxBytes of a record. */
  constructor(onRecord: OnRecord<Kind>, maxBytes: number) {
    this.#onRecord = onRecord;
    this.#maxBytes = maxBytes;
  }

  /** Nothing more is read, also of what has come already. */
  stop(): void {
    this.#isOver = true;
    this.#begun = [];
    this.#begunBytes = 0;
  }

  /** @returns what is wrong with the other end: nothing that comes behind it can be read. */
  push(chunk: Buffer): string | undefined {
    if (this.#isOver) return undefined;
    if (this.#begunBytes === 0) return this.#read(chunk);
    this.#begun.push(chunk);
    this.#begunBytes += chunk.length;
    if (this.#begunBytes < this.#needed) return undefined;
    const spare = this.#begunBytes - this.#needed;
    // What comes behind it stays where it is: the memory of a large message changes hands.
    const record = Buffer.concat(this.#begun, this.#needed);
    this.#begun = [];
    this.#begunBytes = 0;
    return this.#read(record) ?? (spare === 0 ? undefined : this.push(chunk.subarray(chunk.length - spare)));
  }

  #read(bytes: Buffer): string | undefined {
    let at = 0;
    // It has none any more when its memory has changed hands.
    const end = bytes.length;
    this.#needed = HEADER_BYTES;
    while (!this.#isOver && end - at >= HEADER_BYTES) {
      const length = LENGTH_BYTES + bytes.readUInt32LE(at);
      if (length > this.#maxBytes || length < HEADER_BYTES) {
        this.stop();
        return `a record of ${length} bytes`;
      }
      if (end - at < length) {
        this.#needed = length;
        break;
      }
      const kind = (bytes[at + LENGTH_BYTES] ?? 0) as Kind;
      const number = bytes.readUInt32LE(at + LENGTH_BYTES + 1);
      this.#onRecord(kind, number, bytes.subarray(at + HEADER_BYTES, at + length));
      at += length;
    }
    if (this.#isOver || at === end) return undefined;
    this.#begun = [at === 0 ? bytes : bytes.subarray(at)];
    this.#begunBytes = end - at;
    return undefined;
  }
}

/** As `Buffer.writeUInt32LE`, without its checks. */
export function writeNumber(block: Buffer, at: number, number: number): void {
  block[at] = number;
  block[at + 1] = number >>> 8;
  block[at + 2] = number >>> 16;
  block[at + 3] = number >>> 24;
}
