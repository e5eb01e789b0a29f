/**
 * One end of the stream between a front and its router: what is written in a turn of the event loop leaves in one piece, and what is read
 * comes as records. It knows nothing of what they mean.
 */
import type { Socket } from 'node:net';
import { BadRecord, RecordReader, RecordWriter } from './records.js';
import type { Logger } from '../log/logger.js';
import type { Kind, OnRecord } from './records.js';

/** What both ends have in common. */
export interface LinkDeps {
  readonly log: Logger;
  /** How much may wait for the other end before it is given up, in bytes. */
  readonly maxUnsentBytes: number;
}

/** Whose link it is. */
export interface LinkOwner {
  readonly onRecord: OnRecord;
  /** The other end is gone, or was given up. Called once. @param why undefined where it just ended */
  gone(why: string | undefined): void;
  /** Nothing waits any more: see {@link Link.mustWait}. */
  drained?(): void;
}

/** The largest message is 16 MiB, and a client may be allowed more: what is beyond is no record. */
const MAX_RECORD_BYTES = 1024 * 1024 * 1024;

/** When one part of so many waits of what may wait, what can wait has to: others still have to say that clients come and go. */
const FULL_SHARE = 8;

/** A bug of ours: it costs the link, and not the process. */
const FAULT = 'a record could not be worked off';

/** One end. */
export class Link {
  readonly #socket: Socket;
  readonly #owner: LinkOwner;
  readonly #writer = new RecordWriter();
  readonly #reader: RecordReader;
  readonly #deps: LinkDeps;
  readonly #flush = (): void => this.flush();
  #isDue = false;
  /** Somebody waits until nothing waits. */
  #isAwaited = false;
  #isGone = false;

  constructor(socket: Socket, owner: LinkOwner, deps: LinkDeps) {
    this.#socket = socket;
    this.#owner = owner;
    this.#deps = deps;
    this.#reader = new RecordReader(owner.onRecord, MAX_RECORD_BYTES);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.#end(error.message));
    // Who says nothing more is gone: nobody waits for it to read.
    socket.on('end', () => this.end());
    socket.on('close', () => this.#end(undefined));
  }

  /** How much waits for the other end, in bytes. */
  get unsentBytes(): number {
    return this.#writer.bytes + this.#socket.writableLength;
  }

  /** @returns whether so much waits for the other end that what can wait has to. The owner is told when it need not any more. */
  mustWait(): boolean {
    if (this.unsentBytes <= this.#deps.maxUnsentBytes / FULL_SHARE) return false;
    this.#isAwaited = true;
    return true;
  }

  record(kind: Kind, number: number, content?: Buffer): void {
    if (this.#isGone) return;
    this.#writer.record(kind, number, content);
    this.#enlist();
  }

  facts(kind: Kind, number: number, value: object): void {
    if (this.#isGone) return;
    this.#writer.facts(kind, number, value);
    this.#enlist();
  }

  event(number: number, frame: Buffer): void {
    if (this.#isGone) return;
    this.#writer.event(number, frame);
    this.#enlist();
  }

  /** Sends what was written. */
  flush(): void {
    this.#isDue = false;
    if (this.#isGone) return;
    const pieces = this.#writer.take();
    const socket = this.#socket;
    if (pieces.length > 1) socket.cork();
    for (const piece of pieces) socket.write(piece);
    if (pieces.length > 1) socket.uncork();
    const { maxUnsentBytes } = this.#deps;
    if (socket.writableLength > maxUnsentBytes) this.end(`more than ${maxUnsentBytes} bytes wait for it`);
    else if (this.#isAwaited) this.#awaitDrain();
  }

  #awaitDrain(): void {
    this.#isAwaited = false;
    if (this.#socket.writableLength === 0) this.#owner.drained?.();
    else this.#socket.once('drain', () => this.#owner.drained?.());
  }

  /** Cuts the link. Idempotent. */
  end(why?: string): void {
    this.#socket.destroy();
    this.#end(why);
  }

  /** `setImmediate`, and not the end of the turn: all that was read together is answered together. */
  #enlist(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(this.#flush);
  }

  #read(chunk: Buffer): void {
    try {
      const problem = this.#reader.push(chunk);
      if (problem !== undefined) this.end(problem);
    } catch (err) {
      if (err instanceof BadRecord) return this.end(err.message);
      this.#deps.log.error({ err }, FAULT);
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
