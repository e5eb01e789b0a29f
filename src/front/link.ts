/** One end of the stream between a front and its router, and what is written to it. It knows nothing of what the records mean. */
import type { Socket } from 'node:net';
import { StreamEnd } from '../system/stream/stream-end.js';
import { RecordWriter } from './records.js';
import type { Logger } from '../log/logger.js';
import type { StreamOwner } from '../system/stream/stream-end.js';
import type { Kind } from './records.js';

/** What both ends have in common. */
export interface LinkDeps {
  readonly log: Logger;
  /** How much may wait for the other end before it is given up, in bytes. */
  readonly maxUnsentBytes: number;
}

/** Whose link it is. */
export type LinkOwner = StreamOwner<Kind>;

/** The largest message is 16 MiB, and a client may be allowed more: what is beyond is no record. */
const MAX_RECORD_BYTES = 1024 * 1024 * 1024;

/** One end. */
export class Link {
  readonly #writer = new RecordWriter();
  readonly #stream: StreamEnd<Kind>;

  constructor(socket: Socket, owner: LinkOwner, { log, maxUnsentBytes }: LinkDeps) {
    const onFault = (err: unknown): void => log.error({ err }, 'a record could not be worked off');
    const bounds = { maxUnsentBytes, maxRecordBytes: MAX_RECORD_BYTES };
    this.#stream = new StreamEnd(socket, owner, { written: this.#writer, ...bounds, onFault });
  }

  /** How much waits for the other end, in bytes. */
  get unsentBytes(): number {
    return this.#stream.unsentBytes;
  }

  /** How much has left for the other end, in bytes. */
  get sentBytes(): number {
    return this.#stream.sentBytes;
  }

  /** See {@link StreamEnd.mustWait}: others still have to say that clients come and go. */
  mustWait(): boolean {
    return this.#stream.mustWait();
  }

  record(kind: Kind, number: number, content?: Buffer): void {
    if (this.#stream.isGone) return;
    this.#writer.record(kind, number, content);
    this.#stream.wrote();
  }

  facts(kind: Kind, number: number, value: object): void {
    if (this.#stream.isGone) return;
    this.#writer.facts(kind, number, value);
    this.#stream.wrote();
  }

  event(number: number, frame: Buffer): void {
    if (this.#stream.isGone) return;
    this.#writer.event(number, frame);
    this.#stream.wrote();
  }

  /** Nothing is read until {@link resume}. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** Cuts the link. Idempotent. */
  end(why?: string): void {
    this.#stream.end(why);
  }
}
