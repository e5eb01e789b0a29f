/**
 * The audit log on standard output, beside the log, where that is a pipe or a terminal. A reader that does not read holds nobody up: what it has not taken yet is bounded, and
 * beyond that there is no room. Writing never waits.
 */
import type { Writable } from 'node:stream';
import type { AuditPlace } from './place.js';

/** How much of it may wait in the stream for the reader, in bytes. What others have written there waits before it. */
const MAX_UNREAD_BYTES = 1_048_576;

/** How long the end waits for the reader, in milliseconds. */
const CLOSE_MS = 1000;

/** Writes to one stream, which it does not own. */
export class StreamPlace implements AuditPlace {
  readonly name: string;
  readonly #stream: Writable;
  #failure: Error | undefined;
  #unreadBytes = 0;
  readonly #onError = (error: Error): void => void (this.#failure = error);

  /** @param name of the stream, for the log. */
  constructor(stream: Writable, name: string) {
    this.name = name;
    this.#stream = stream;
    // EPIPE: nobody reads any more. Without a listener the process would end.
    stream.on('error', this.#onError);
  }

  write(line: Buffer): number {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#unreadBytes + line.length > MAX_UNREAD_BYTES) throw new Error('nobody reads it');
    this.#unreadBytes += line.length;
    this.#stream.write(line, () => (this.#unreadBytes -= line.length));
    return line.length;
  }

  sync(done: (error: Error | null) => void): void {
    done(this.#failure ?? null);
  }

  /** There is no file. */
  reopen(): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    return false;
  }

  async close(): Promise<void> {
    await this.#written();
    // Else an error may still come.
    this.#stream.off('error', this.#onError);
  }

  async #written(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#stream.writableLength === 0) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('nobody reads it')), CLOSE_MS);
      this.#stream.write('', (error) => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      });
    });
  }
}
