/**
 * The links of a front to routers in processes of their own. Each is tried again until it is there: such a process is started again when it
 * has ended, and its clients come back by themselves.
 */
import { connect } from 'node:net';
import { RouterLink } from '../front/router-link.js';
import type { Logger } from '../log/logger.js';
import type { FrontRouter } from '../worker/proxy/front-shapes.js';

/** Between two attempts. */
const RETRY_MS = 100;

export interface OtherRoutersDeps {
  readonly log: () => Logger;
  /** How much may wait for a router before it is given up. */
  readonly maxUnsentBytes: number;
}

/** All routers of a front but the one in the process of the node. */
export class OtherRouters {
  readonly #deps: OtherRoutersDeps;
  readonly #links = new Map<string, RouterLink>();
  #isOver = false;

  constructor(deps: OtherRoutersDeps) {
    this.#deps = deps;
  }

  /** The links that are there. */
  get links(): Iterable<RouterLink> {
    return this.#links.values();
  }

  /** @returns undefined while it is not there. */
  of(name: string): RouterLink | undefined {
    return this.#links.get(name);
  }

  /** Resolves when the first attempt has been made. */
  async keep(router: FrontRouter): Promise<void> {
    await new Promise<void>((resolve) => this.#connect(router, resolve));
  }

  /** No link is made any more. */
  end(): void {
    this.#isOver = true;
  }

  #connect(router: FrontRouter, tried: () => void): void {
    const { log, maxUnsentBytes } = this.#deps;
    const again = (): void => {
      tried();
      if (!this.#isOver) setTimeout(() => this.#connect(router, tried), RETRY_MS);
    };
    const socket = connect(router.link);
    socket.once('error', again).once('connect', () => {
      socket.off('error', again);
      const link = new RouterLink(socket, {
        ...{ log: log(), maxUnsentBytes },
        gone: () => {
          if (this.#links.get(router.name) === link) this.#links.delete(router.name);
          again();
        },
      });
      this.#links.set(router.name, link);
      tried();
    });
  }
}
