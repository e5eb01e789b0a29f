/**
 * One end of a stream between two processes of the node: what is written in a turn of the event loop leaves in one piece, and what is read
 * comes as records. It knows nothing of what they mean.
 */
import { BadRecord, RecordReader } from './record-reader.js';
import type { Socket } from 'node:net';
import type { OnRecord } from './record-reader.js';

/** What was written and has not left. */
export interface Written {
  /** How much there is. */
  readonly bytes: number;
  /** @returns it, in order, and has it no more. */
  take(): readonly Buffer[];
}

/** Whose end it is. */
export interface StreamOwner<Kind extends number> {
  readonly onRecord: OnRecord<Kind>;
  /** The other end is gone, or was given up. Called once. @param why undefined where it just ended */
  gone(why: string | undefined): void;
  /** So much waits that what can wait has to. The owner is told when nothing does any more. */
  congested?(): void;
  /** Nothing waits any more: see {@link StreamEnd.mustWait}. */
  drained?(): void;
}

/** What an end is made with. */
export interface StreamEndDeps {
  readonly written: Written;
  /** How much may wait for the other end before it is given up, in bytes. */
  readonly maxUnsentBytes: number;
  /** What is longer is no record, in bytes. */
  readonly maxRecordBytes: number;
  /** A record could not be worked off: a bug of ours. It costs the stream, and not the process. */
  readonly onFault: (error: unknown) => void;
}

/** When one part of so many waits of what may wait, what can wait has to. */
const FULL_SHARE = 8;

const FAULT = 'one of its records could not be worked off';

/** One end. */
export class StreamEnd<Kind extends number> {
  readonly #socket: Socket;
  readonly #owner: StreamOwner<Kind>;
  readonly #reader: RecordReader<Kind>;
  readonly #deps: StreamEndDeps;
  readonly #flush = (): void => this.flush();
  #isDue = false;
  /** Somebody waits until nothing waits. */
  #isAwaited = false;
  #isCongested = false;
  #isGone = false;

  constructor(socket: Socket, owner: StreamOwner<Kind>, deps: StreamEndDeps) {
    this.#socket = socket;
    this.#owner = owner;
    this.#deps = deps;
    this.#reader = new RecordReader(owner.onRecord, deps.maxRecordBytes);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.#end(error.message));
    // Who says nothing more is gone: nobody waits for it to read.
    socket.on('end', () => this.end());
    socket.on('close', () => this.#end(undefined));
  }

  /** Whether nothing is sent any more: nothing needs to be written. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** How much waits for the other end, in bytes. */
  get unsentBytes(): number {
    return this.#deps.written.bytes + this.#socket.writableLength;
  }

  /** How much has left for the other end, in bytes. */
  get sentBytes(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  /** @returns whether so much waits for the other end that what can wait has to. The owner is told when it need not any more. */
  mustWait(): boolean {
    if (this.unsentBytes <= this.#deps.maxUnsentBytes / FULL_SHARE) return false;
    this.#isAwaited = true;
    return true;
  }

  /** Something was written. `setImmediate`, and not the end of the turn: all that was read together is answered together. */
  wrote(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(this.#flush);
  }

  /** Sends what was written. */
  flush(): void {
    this.#isDue = false;
    if (this.#isGone) return;
    const pieces = this.#deps.written.take();
    const socket = this.#socket;
    if (pieces.length > 1) socket.cork();
    for (const piece of pieces) socket.write(piece);
    if (pieces.length > 1) socket.uncork();
    const { maxUnsentBytes } = this.#deps;
    if (socket.writableLength > maxUnsentBytes) this.end(`more than ${maxUnsentBytes} bytes wait for it`);
    else if (this.#isAwaited) this.#awaitDrain();
    else if (!this.#isCongested && this.#owner.congested !== undefined && this.mustWait()) {
      this.#isCongested = true;
      this.#owner.congested();
      this.#awaitDrain();
    }
  }

  /** Nothing is read until {@link resume}. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #drained(): void {
    this.#isCongested = false;
    this.#owner.drained?.();
  }

  #awaitDrain(): void {
    this.#isAwaited = false;
    if (this.#socket.writableLength === 0) this.#drained();
    else this.#socket.once('drain', () => this.#drained());
  }

  /** Cuts the stream. Idempotent. */
  end(why?: string): void {
    this.#socket.destroy();
    this.#end(why);
  }

  #read(chunk: Buffer): void {
    try {
      const problem = this.#reader.push(chunk);
      if (problem !== undefined) this.end(problem);
    } catch (error) {
      if (error instanceof BadRecord) return this.end(error.message);
      this.#deps.onFault(error);
      this.end(FAULT);
    }
  }

  #end(why: string | undefined): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#reader.stop();
    this.#owner.gone(why);
  }
}
