/**
 * The way out of one socket. Everything written in one turn of the event loop leaves in one system call: the first write
 * corks the socket and puts the outbox on a list, and the end of the turn uncorks all that are on it. With eight
 * publications on their way to the same hundred subscribers that is a quarter of the work.
 *
 * It also holds the bound on what may wait for a peer that does not read.
 */
import type { Socket } from 'node:net';

/** The outboxes that were written to in this turn: one list for the process, because there is one event loop. */
let corked: Outbox[] = [];

function uncorkAll(): void {
  const due = corked;
  corked = [];
  for (const outbox of due) outbox.flush();
}

export class Outbox {
  readonly #socket: Socket;
  readonly #maxUnsentBytes: number;
  readonly #onOverflow: () => void;
  #corked = false;

  /**
   * @param maxUnsentBytes how much may wait for this socket before another frame is refused: a single frame may be larger.
   * @param onOverflow called instead of writing when more waits; it should give the peer up.
   */
  constructor(socket: Socket, maxUnsentBytes: number, onOverflow: () => void) {
    this.#socket = socket;
    this.#maxUnsentBytes = maxUnsentBytes;
    this.#onOverflow = onOverflow;
  }

  /** Writes one whole frame. Never throws; what is written to a socket that is gone is dropped. */
  write(frame: Buffer): void {
    const socket = this.#socket;
    if (!socket.writable) return;
    if (socket.writableLength > this.#maxUnsentBytes && this.#isStuck()) return this.#onOverflow();
    if (!this.#corked) {
      this.#corked = true;
      socket.cork();
      if (corked.push(this) === 1) process.nextTick(uncorkAll);
    }
    socket.write(frame);
  }

  /** What is only held back until the end of the turn does not count: the peer had no chance to read it yet. */
  #isStuck(): boolean {
    this.flush();
    return this.#socket.writableLength > this.#maxUnsentBytes;
  }

  /** Hands what was written in this turn to the system: before anything else goes out on the same socket. */
  flush(): void {
    if (!this.#corked) return;
    this.#corked = false;
    this.#socket.uncork();
  }
}
