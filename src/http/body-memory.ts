/**
 * The memory that request bodies take in the whole process. Each body has a limit of its own, but many connections together
 * would still fill the memory: here it is summed up, and a body that finds no room is refused.
 *
 * A body is charged for the memory that it holds, not for what it announces: a client that announces much and sends nothing
 * takes nothing from the others. It knows no requests and has no timer.
 */

const DEFAULT_LIMIT_BYTES = 64 * 1024 * 1024;

/** What a body holds at first, if it is not known to be shorter. */
const FIRST_BYTES = 8 * 1024;

/** An account of what bodies hold, with its limit. */
export class BodyMemory {
  limitBytes: number;
  #bytes = 0;

  /** @param limitBytes for all bodies together. */
  constructor(limitBytes = DEFAULT_LIMIT_BYTES) {
    this.limitBytes = limitBytes;
  }

  /** How many bytes are held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @returns false when there is no room: then nothing has been charged. */
  charge(bytes: number): boolean {
    if (this.#bytes + bytes > this.limitBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/**
 * The bytes of one body. They are copied together as they come: a chunk of one byte would keep all alive that was read with it.
 */
export class HeldBody {
  readonly #memory: BodyMemory;
  readonly #expectedBytes: number;
  #buffer: Buffer = Buffer.alloc(0);
  /** The size of the buffer, also when its memory has gone to another thread. */
  #charged = 0;
  #length = 0;

  /** @param expectedBytes how long the body will be, as far as the client told; default: it did not. */
  constructor(memory: BodyMemory, expectedBytes = Infinity) {
    this.#memory = memory;
    this.#expectedBytes = expectedBytes;
  }

  get length(): number {
    return this.#length;
  }

  /** What has come; it stays valid, and charged, until the release. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** @returns false when there is no room for the chunk; the body is as it was. */
  add(chunk: Buffer): boolean {
    const length = this.#length + chunk.length;
    if (length > this.#buffer.length && !this.#grow(length)) return false;
    chunk.copy(this.#buffer, this.#length);
    this.#length = length;
    return true;
  }

  /** Gives the memory back. Idempotent. */
  release(): void {
    this.#memory.release(this.#charged);
    this.#charged = 0;
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
  }

  #grow(atLeast: number): boolean {
    const size = Math.max(atLeast, Math.min(this.#expectedBytes, Math.max(FIRST_BYTES, this.#buffer.length * 2)));
    if (!this.#memory.charge(size)) return false;
    const grown = Buffer.allocUnsafe(size);
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#memory.release(this.#charged);
    this.#charged = size;
    this.#buffer = grown;
    return true;
  }
}

/** One for the process, because there is one memory. */
export const bodyMemory = new BodyMemory();
