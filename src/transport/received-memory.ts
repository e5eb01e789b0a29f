/**
 * The memory of messages that are on their way in: a message may be large, and its sender may leave it unfinished. So what has come
 * of large messages is counted for all connections together. When it is too much, those that began first are given up: who means
 * it sends a message within seconds, and does not wait for its end while others do. It knows no sockets.
 */

/** Smaller messages are not counted: any connection may have that much under way. */
export const LARGE_MESSAGE_BYTES = 65_536;

const DEFAULT_LIMIT_BYTES = 256 * 1024 * 1024;

/** Somebody who receives a large message. */
export interface Receiving {
  /** Too much has come in for all together: nothing more is read from this one, and what has come is dropped. */
  giveUpReceiving(): void;
}

export class ReceivedMemory {
  limitBytes = DEFAULT_LIMIT_BYTES;
  #bytes = 0;
  /** who receives -> how many bytes are there; whoever began first is first */
  readonly #held = new Map<Receiving, number>();

  /** How many bytes are held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** So many bytes of a large message have come by now; 0 when it is complete, or nobody waits for the rest. */
  hold(receiving: Receiving, bytes: number): void {
    this.#bytes += bytes - (this.#held.get(receiving) ?? 0);
    if (bytes === 0) this.#held.delete(receiving);
    else this.#held.set(receiving, bytes);
    while (this.#bytes > this.limitBytes) this.#giveUpFirst();
  }

  #giveUpFirst(): void {
    const [first] = this.#held.keys();
    if (first === undefined) return;
    this.hold(first, 0);
    first.giveUpReceiving();
  }
}

/** One for the process, because there is one memory. */
export const receivedMemory = new ReceivedMemory();
