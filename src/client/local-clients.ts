/**
 * The clients that a program which embeds a node has on it, so that the node can say GOODBYE to them when it stops. It
 * knows the routers of all workers: the first one that has the realm takes the client.
 */
import { ErrorUri } from '../wamp/error.js';
import { quoted } from '../wamp/uri.js';
import { CallError } from './api.js';
import { connectLocal } from './connect.js';
import type { Logger } from '../log/logger.js';
import type { Router } from '../router/router.js';
import type { ClientSession, ConnectOptions } from './api.js';
import type { LocalClient } from './connect.js';

/** The clients that programs of this process have on a node. */
export class LocalClients {
  readonly #log: Logger;
  readonly #routers: Router[] = [];
  readonly #open = new Set<LocalClient>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Lets clients join the realms of a router. */
  serve(router: Router): void {
    this.#routers.push(router);
  }

  /** @throws CallError (rejects) `wamp.error.no_such_realm` or `wamp.error.no_such_role`. */
  async connect(realm: string, { role, authid = 'local' }: ConnectOptions): Promise<ClientSession> {
    const router = this.#routers.find((served) => served.realm(realm) !== undefined);
    if (router === undefined) {
      throw new CallError(ErrorUri.NO_SUCH_REALM, [`no realm ${quoted(realm)} exists on this node`]);
    }
    const client = await connectLocal({ router, log: this.#log }, { realm, role, authid });
    this.#open.add(client);
    void client.over.then(() => this.#open.delete(client));
    return client.session;
  }

  /** Ends all of them. Idempotent; never rejects. */
  async stop(): Promise<void> {
    const open = [...this.#open];
    for (const client of open) client.shutdown();
    await Promise.all(open.map(({ over }) => over));
  }
}
