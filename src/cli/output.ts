/**
 * Standard output as the CLI uses it. A reader that goes away or does not read must neither end the node nor fill its
 * memory: the log suffers before the router does. Lines are gathered, because a write for each costs more than the
 * line itself: urgent ones until the end of this turn of the event loop, the rest for a moment that nobody notices.
 */
import type { Writable } from 'node:stream';

/** How much text may wait for a slow reader: minutes of a busy log. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;
/** How long a line may wait for others. */
const HOLD_MS = 20;
/** More than this does not wait. */
const MAX_HELD_CHARACTERS = 65_536;
/** How long the end of the process waits for that reader. */
const FLUSH_TIMEOUT_MS = 1000;

/** Takes text and passes it on as long as somebody reads. */
export class Output {
  readonly #stream: Writable & { readonly isTTY?: boolean };
  readonly #maxUnreadBytes: number;
  /** Gathered and not written yet. */
  #text = '';
  #lines = 0;
  #timer: NodeJS.Timeout | undefined;
  #isUrgent = false;
  #lostLines = 0;
  #gone = false;

  constructor(stream: Writable & { readonly isTTY?: boolean }, maxUnreadBytes = MAX_UNREAD_BYTES) {
    this.#stream = stream;
    this.#maxUnreadBytes = maxUnreadBytes;
    // EPIPE (`crossbar-ts start | head`), EIO (the terminal closed), ENOSPC: there is nobody left to tell.
    stream.on('error', () => (this.#gone = true));
  }

  /** Somebody sits in front of it. */
  get terminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Calls back with the number of lines that were dropped, once the reader has caught up again. */
  onCaughtUp(report: (lostLines: number) => void): void {
    this.#stream.on('drain', () => {
      const lost = this.#lostLines;
      this.#lostLines = 0;
      if (lost > 0) report(lost);
    });
  }

  /**
   * Writes a line soon, or drops it when the reader is gone or too far behind. Never throws.
   * @param isUrgent whether it has to leave in this turn, with all that waits before it: a crash may be near.
   */
  write(text: string, isUrgent = false): void {
    if (this.#gone) return;
    this.#text += text;
    this.#lines += 1;
    if (this.#text.length >= MAX_HELD_CHARACTERS) this.writeOut();
    else if (isUrgent) this.#hurry();
    else this.#timer ??= setTimeout(() => this.writeOut(), HOLD_MS);
  }

  /** Writes what waits: for when there may be no later. */
  writeOut(): void {
    const text = this.#text;
    const lines = this.#lines;
    this.#text = '';
    this.#lines = 0;
    this.#isUrgent = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (lines === 0 || this.#gone) return;
    if (this.#stream.writableLength > this.#maxUnreadBytes) this.#lostLines += lines;
    else this.#stream.write(text);
  }

  #hurry(): void {
    if (this.#isUrgent) return;
    this.#isUrgent = true;
    setImmediate(() => this.writeOut());
  }

  /** Resolves when everything is written, or when nobody has read it for `timeoutMs`. */
  async flush(timeoutMs = FLUSH_TIMEOUT_MS): Promise<void> {
    this.writeOut();
    if (this.#gone || this.#stream.writableLength === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#stream.write('', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
