/** The WebSockets that go through one place: how many there may be, and their end when the node stops, or the place is no more. */
import type { Drain, DrainedHost } from '../../transport/drain.js';
import type { Tunnel } from './tunnel.js';

/** How long the ends have to close when the node stops. */
const STOP_GRACE_MS = 1000;

export class Tunnels implements DrainedHost {
  readonly #drain: Drain;
  #max: number;
  readonly #tunnels = new Set<Tunnel>();
  #stopping = false;
  #onEmpty: (() => void) | undefined;

  /** @param max how many there may be; 0 is no limit. */
  constructor(drain: Drain, max: number) {
    this.#drain = drain;
    this.#max = max;
    drain.join(this);
  }

  get size(): number {
    return this.#tunnels.size;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  get isFull(): boolean {
    return this.#max !== 0 && this.#tunnels.size >= this.#max;
  }

  /** They go on in the place of others, which are new, and have the limit of those. @returns these */
  insteadOf(others: Tunnels | undefined): this {
    if (others === undefined) return this;
    this.#max = others.#max;
    void others.stop();
    return this;
  }

  add(tunnel: Tunnel): void {
    this.#tunnels.add(tunnel);
  }

  delete(tunnel: Tunnel): void {
    this.#tunnels.delete(tunnel);
    if (this.#tunnels.size === 0) this.#onEmpty?.();
  }

  refuse(): Iterable<Tunnel> {
    this.#stopping = true;
    return this.#tunnels;
  }

  /** Nobody new comes, and all of them end one by one. Resolves when each was told. */
  async dismiss(): Promise<void> {
    await this.#drain.part(this);
  }

  /** Ends all of them, in the course of the node's end where that is why. Resolves when all are gone; idempotent. */
  async stop(): Promise<void> {
    this.refuse();
    await this.#drain.over;
    for (const tunnel of this.#tunnels) tunnel.shutdown();
    if (this.#tunnels.size > 0) await this.#emptyWithin(STOP_GRACE_MS);
    for (const tunnel of this.#tunnels) tunnel.cut();
    this.#drain.leave(this);
  }

  async #emptyWithin(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#onEmpty = undefined;
  }
}
