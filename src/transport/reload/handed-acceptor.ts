/** An acceptor whose place another one can take: new connections go to that one, and the old one stays until its last connection has gone. */
import type { Socket } from 'node:net';
import type { Logger } from '../../log/logger.js';
import type { Acceptor } from '../endpoint.js';

/** One acceptor after the other. */
export class HandedAcceptor implements Acceptor {
  readonly #log: Logger;
  #current: Acceptor;
  /** Those whose place another one has taken, until their last connection has gone. */
  readonly #retired = new Set<Acceptor>();

  constructor(first: Acceptor, log: Logger) {
    this.#current = first;
    this.#log = log;
  }

  async start(): Promise<void> {
    await this.#current.start?.();
  }

  accept(socket: Socket): void {
    this.#current.accept(socket);
  }

  /**
   * From now on another acceptor gets the connections. It has been started.
   * @param over resolves when the connections of the old one have ended; it is stopped then, or with this one.
   */
  hand(next: Acceptor, over: () => Promise<void>): void {
    const old = this.#current;
    this.#current = next;
    this.#retired.add(old);
    const end = async (): Promise<void> => {
      await over();
      if (this.#retired.delete(old)) await old.stop();
    };
    end().catch((err: unknown) => this.#log.error({ err }, 'what was replaced failed to end'));
  }

  /** See {@link Acceptor.dismiss}. */
  async dismiss(): Promise<void> {
    await Promise.all(this.#all.map(async (acceptor) => acceptor.dismiss?.()));
  }

  async stop(): Promise<void> {
    const all = this.#all;
    this.#retired.clear();
    await Promise.all(all.map((acceptor) => acceptor.stop()));
  }

  get #all(): readonly Acceptor[] {
    return [this.#current, ...this.#retired];
  }
}
