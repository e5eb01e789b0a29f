/**
 * The connection of a component in a host to the router of its worker: RawSocket on a socket that nobody else can open, so it needs
 * no secret. Who the component is, the config says, whatever its HELLO asks for.
 */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { admitting } from '../../client/connect.js';
import { RepeatedLog } from '../../log/repeated.js';
import { RawSocketAcceptor } from '../../transport/rawsocket/rawsocket.js';
import { Drain } from '../../transport/drain.js';
import type { LocalPrincipal } from '../../client/connect.js';
import type { Logger } from '../../log/logger.js';
import type { Router } from '../../router/router.js';
import type { SerializerTypes } from '../../serializer/registry.js';
import type { RawSocketConfig } from '../../transport/rawsocket/schema.js';

export interface LinkDeps {
  readonly router: Router;
  readonly serializers: SerializerTypes;
  readonly log: Logger;
}

/** The longest message that a frame can say. */
const MAX_MESSAGE_BYTES = 16_777_216;

const OPTIONS: RawSocketConfig['options'] = {
  max_message_size: MAX_MESSAGE_BYTES,
  hello_timeout: 60_000,
  authenticate_timeout: 60_000,
  auth_error_uris: 'crossbar',
  max_auth_failures: 0,
  max_auth_failures_per_address: 0,
  max_unsent_bytes: 4 * MAX_MESSAGE_BYTES,
  slow_consumer: 'disconnect',
  max_connections: 0,
  max_unauthenticated: 0,
  max_unauthenticated_per_address: 0,
  auto_ping_interval: 0,
  auto_ping_timeout: 0,
  tcp_nodelay: true,
};

/** A component's connection to its router. */
export class Link {
  readonly #acceptor: RawSocketAcceptor;
  readonly #drain: Drain;

  /** Not before the component speaks: until then its host may have much to load, and no time limit runs. */
  constructor(socket: Socket, principal: LocalPrincipal, { router, serializers, log }: LinkDeps) {
    // It stays when the clients of the node go.
    this.#drain = new Drain({
      ...{ log, saysGoodbye: true, elapsed: () => performance.now(), wait: (ms) => delay(ms), random: Math.random },
      times: { delayMs: 0, spreadMs: undefined, callsMs: 2000 },
    });
    const method = admitting(principal, 'component');
    const authMethods = { get: () => method, has: () => false };
    const sessions = { router, authMethods, log, repeated: new RepeatedLog(log), isOfNode: true } as const;
    // The component takes the one that it has.
    const words = Object.keys(serializers) as RawSocketConfig['serializers'];
    this.#acceptor = new RawSocketAcceptor(
      { serializers: words, options: OPTIONS },
      { sessions, serializers, log, drain: this.#drain },
    );
    socket.once('readable', () => this.#acceptor.accept(socket));
  }

  /** Ends the connection, if the component has not. Idempotent; never rejects. */
  async stop(): Promise<void> {
    await this.#drain.run();
    await this.#acceptor.stop();
  }
}
