/**
 * What stands for the socket of a connection over long-poll. Its requests come on many sockets, one after the other and at the same
 * time, so it has an address and an end of its own. It takes a place among the connections of the process, as a socket does: who
 * could have sessions without sockets would have them without limit. What is sent does not go through here (`queue.ts`).
 */
import type { Carrier } from '../wire.js';

/** Who wants to know of the end. */
export interface ChannelOwner {
  /** It has to make room, or is cut. */
  terminate(): void;
}

export class Channel implements Carrier {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly bytesWritten = 0;
  readonly writableLength = 0;
  readonly writable = false;
  destroyed = false;
  /** There is one as soon as the handshake is done. */
  owner: ChannelOwner | undefined;
  #onDrain: (() => void)[] = [];

  /** @param client where the client was when it came. */
  constructor({ remoteAddress, remotePort }: Pick<Channel, 'remoteAddress' | 'remotePort'>) {
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }

  /** As `destroyed`; others may change that while something is awaited. */
  get isOver(): boolean {
    return this.destroyed;
  }

  destroy(): void {
    if (this.owner === undefined) this.destroyed = true;
    else this.owner.terminate();
  }

  /** Nothing is written here: a sender takes all messages. */
  write(): boolean {
    return false;
  }

  cork(): void {
    return;
  }

  uncork(): void {
    return;
  }

  once(_event: 'drain', listener: () => void): void {
    this.#onDrain.push(listener);
  }

  /** All that waited has left. */
  drained(): void {
    if (this.#onDrain.length === 0) return;
    for (const listener of this.#onDrain.splice(0)) listener();
  }
}
