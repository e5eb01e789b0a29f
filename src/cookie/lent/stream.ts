/** One end of the stream between the owner of cookie stores and a borrower: writes records, and long lists in parts, so that others get their turn. */
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { HEADER_BYTES, LENGTH_BYTES, writeNumber } from '../../system/stream/record-reader.js';
import { StreamEnd } from '../../system/stream/stream-end.js';
import { CookieStoreError } from '../error.js';
import { MAX_ANSWER_BYTES, MAX_UNSENT_BYTES, PART_BYTES } from './records.js';
import type { Logger } from '../../log/logger.js';
import type { OnRecord } from '../../system/stream/record-reader.js';
import type { Written } from '../../system/stream/stream-end.js';
import type { Kind } from './records.js';

/** What an end is made with. */
export interface LentStreamDeps {
  readonly log: Logger;
  /** What is longer is no record, in bytes. */
  readonly maxRecordBytes: number;
  readonly onRecord: OnRecord<Kind>;
  /** The other end is gone. Called once. @param why undefined where it just ended */
  readonly gone: (why: string | undefined) => void;
  /** How much may wait for the other end before it is given up, in bytes; default {@link MAX_UNSENT_BYTES}. */
  readonly maxUnsentBytes?: number;
}

/** Records that were written and have not left. */
class Outgoing implements Written {
  bytes = 0;
  #pieces: Buffer[] = [];

  put(kind: Kind, number: number, text: string): void {
    const record = Buffer.allocUnsafe(HEADER_BYTES + Buffer.byteLength(text));
    writeNumber(record, 0, record.length - LENGTH_BYTES);
    record[LENGTH_BYTES] = kind;
    writeNumber(record, LENGTH_BYTES + 1, number);
    record.write(text, HEADER_BYTES);
    this.#pieces.push(record);
    this.bytes += record.length;
  }

  take(): readonly Buffer[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.bytes = 0;
    return pieces;
  }
}

/** One end. */
export class LentStream {
  readonly #outgoing = new Outgoing();
  readonly #stream: StreamEnd<Kind>;
  // those who wait until less waits for the other end
  #waiting: (() => void)[] = [];

  constructor(
    socket: Socket,
    { log, onRecord, gone, maxRecordBytes, maxUnsentBytes = MAX_UNSENT_BYTES }: LentStreamDeps,
  ) {
    const owner = {
      onRecord,
      drained: () => this.#goOn(),
      gone: (why: string | undefined) => {
        gone(why);
        this.#goOn();
      },
    };
    const onFault = (err: unknown): void => log.error({ err }, 'a record could not be worked off');
    this.#stream = new StreamEnd(socket, owner, { written: this.#outgoing, maxUnsentBytes, maxRecordBytes, onFault });
  }

  get isGone(): boolean {
    return this.#stream.isGone;
  }

  put(kind: Kind, number: number, text = ''): void {
    if (this.#stream.isGone) return;
    this.#outgoing.put(kind, number, text);
    this.#stream.wrote();
  }

  /**
   * Writes a list in parts. Resolves when all was written, or the other end is gone.
   * @throws CookieStoreError (rejects) when one of them is too large.
   * @param part the kind of all parts but the last. @param last its kind. @param onLast called just before the last is written.
   */
  async putAll(
    { part, last }: { readonly part: Kind; readonly last: Kind },
    number: number,
    items: readonly unknown[],
    onLast: () => void,
  ): Promise<void> {
    let [texts, length]: [string[], number] = [[], 0];
    for (const item of items) {
      if (this.isGone) return;
      const text = fittingText(item);
      if (length + text.length > PART_BYTES && texts.length > 0) {
        this.put(part, number, `[${texts.join(',')}]`);
        await this.#room();
        [texts, length] = [[], 0];
      }
      texts.push(text);
      length += text.length;
    }
    onLast();
    this.put(last, number, `[${texts.join(',')}]`);
  }

  /** Cuts it. Idempotent. */
  end(why?: string): void {
    this.#stream.end(why);
  }

  /** To be called when something was written: only then there is a moment at which nothing waits any more. */
  async #room(): Promise<void> {
    if (this.isGone) return;
    if (this.#stream.mustWait()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else await turnOfTheLoop();
  }

  #goOn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** @returns something as JSON. @throws CookieStoreError when no record can have it: another program may have put it into the store. */
export function fittingText(value: unknown): string {
  const text = JSON.stringify(value);
  // No character takes more than three bytes.
  if (text.length <= MAX_ANSWER_BYTES / 3 || Buffer.byteLength(text) <= MAX_ANSWER_BYTES) return text;
  throw new CookieStoreError('a cookie is too large', {
    cause: new Error(`it has more than ${MAX_ANSWER_BYTES} bytes`),
  });
}
