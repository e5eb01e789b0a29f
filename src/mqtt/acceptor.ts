/**
 * Takes the connections of an endpoint for clients of MQTT, and ends them in order. There is no answer to a client before its CONNECT: for
 * one that has no place the connection is closed without a word.
 */
import type { Socket } from 'node:net';
import { countRefusal } from '../metrics/transport-counts.js';
import { MAX_OPENING_BYTES } from '../session/opening.js';
import { admitSocket } from '../transport/admit.js';
import { SocketOctets } from '../transport/octets/socket-octets.js';
import { unsentLimits } from '../transport/outbox/outbox.js';
import { TransportHost } from '../transport/transport-host.js';
import { MqttConnection } from './connection.js';
import { KeepAlives } from './keep-alives.js';
import type { Logger } from '../log/logger.js';
import type { SessionDeps } from '../session/deps.js';
import type { Drain } from '../transport/drain.js';
import type { Acceptor } from '../transport/endpoint.js';
import type { MqttClients } from './clients.js';
import type { ConnectionParts } from './connection.js';
import type { PacketCodec } from './packets/packet-codec.js';
import type { MqttOptions } from './schema.js';

/** What an acceptor works with. */
export interface MqttAcceptorDeps {
  readonly sessions: SessionDeps;
  /** They outlive the acceptor: another one may take its place. */
  readonly clients: MqttClients;
  readonly codec: PacketCodec;
  readonly log: Logger;
  /** What ends the connections of the node. */
  readonly drain: Drain;
}

/** How long the client has to close after we did. */
const CLOSE_TIMEOUT_MS = 2000;

const NO_PING = Buffer.alloc(0);

/** Speaks MQTT on the connections of an endpoint. */
export class MqttAcceptor implements Acceptor {
  readonly #sessions: SessionDeps;
  readonly #host: TransportHost;
  readonly #parts: ConnectionParts;

  constructor(options: MqttOptions, deps: MqttAcceptorDeps) {
    const { clients, codec } = deps;
    this.#sessions = deps.sessions;
    this.#host = new TransportHost(
      {
        protocol: 'mqtt',
        helloTimeoutMs: options.hello_timeout,
        // What a client can say is in its CONNECT: it has no time for more.
        authenticateTimeoutMs: 0,
        // Without pings the system asks after clients that have no keep-alive.
        pingIntervalMs: 0,
        pongTimeoutMs: 0,
        pingFrame: NO_PING,
        trafficIsLife: true,
        closeTimeoutMs: CLOSE_TIMEOUT_MS,
        unsent: unsentLimits(options.max_unsent_bytes, true),
        connections: options,
      },
      deps,
    );
    this.#parts = {
      ...{ host: this.#host, clients, codec },
      limits: { maxConnectBytes: MAX_OPENING_BYTES, maxBytes: options.max_packet_size },
      keepAlives: new KeepAlives((connection: MqttConnection) => connection.silent()),
    };
  }

  accept(socket: Socket): void {
    socket.on('error', ignoreReset);
    socket.setNoDelay(true);
    // A client that has ended its half has nothing more to say, and no use for what others say.
    socket.allowHalfOpen = false;
    // Its endpoint may still have had to find out what it speaks.
    if (this.#host.stopping) return void socket.destroy();
    if (!admitSocket(socket, this.#host)) {
      countRefusal(this.#sessions.counts, 'too many');
      return void socket.destroy();
    }
    this.#host.opened(new MqttConnection(new SocketOctets(socket), this.#parts));
  }

  /** Another acceptor gets the connections from now on, with one account of them all. Resolves when the last one of this one has gone. */
  retire(successor: MqttAcceptor): Promise<void> {
    return this.#host.retire(successor.#host);
  }

  /** Nobody new comes, and the connections end one by one. Resolves when each was told; never rejects. */
  dismiss(): Promise<void> {
    return this.#host.dismiss();
  }

  /** Closes every connection. Idempotent; never rejects. */
  async stop(): Promise<void> {
    await this.#host.stop();
    await this.#sessions.stop?.();
  }
}

/** A client that resets the connection is no event worth a word; without a listener it would end the process. */
function ignoreReset(): void {
  // The socket is destroyed by Node; whoever waits for it sees that.
}
