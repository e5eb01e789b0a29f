/**
 * The server of a `rawsocket` transport: a port or a socket file, the opening octets of every connection, and the
 * orderly end of all of them. What happens after the handshake is told in `rawsocket-transport.ts`.
 *
 *     accepted --four octets--> agreed: the reply, then frames
 *        |            |
 *        |            +--> refused: the error reply, closed; bad magic: closed without a word
 *        +-- too many connections: the error reply, closed
 *        +-- hello_timeout: closed without a word
 */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { DeadlineQueue } from './deadline-queue.js';
import { listen } from './listen.js';
import { peerOf } from './peer.js';
import { HANDSHAKE_BYTES, handshakeRules, negotiate, TOO_MANY_CONNECTIONS } from './rawsocket-handshake.js';
import { RawSocketTransport } from './rawsocket-transport.js';
import { TransportHost } from './transport-host.js';
import type { Logger } from '../log/logger.js';
import type { SessionDeps } from '../session/deps.js';
import type { BoundAddress } from './listen.js';
import type { HandshakeRules, Refusal } from './rawsocket-handshake.js';
import type { RawSocketTransportConfig } from './rawsocket-schema.js';

export interface RawSocketDeps {
  readonly sessions: SessionDeps;
  readonly log: Logger;
}

/** How long the peer has to close after we did: RawSocket knows no closing handshake, so one round trip is enough. */
const CLOSE_TIMEOUT_MS = 2000;

/** How many clients that were turned away may take that long to read why; further ones are closed with the reply. */
const MAX_TURNED_AWAY = 100;

/** Payload of our pings. */
const PING_BYTES = 12;

export class RawSocketServer {
  readonly #config: RawSocketTransportConfig;
  readonly #log: Logger;
  readonly #rules: HandshakeRules;
  readonly #host: TransportHost;
  readonly #server: Server;
  /** Connections whose handshake is not done; `hello_timeout` limits it. */
  readonly #opening = new Set<Socket>();
  readonly #handshakes: DeadlineQueue<Socket>;
  /** Connections for which there was no place, until they are closed. */
  readonly #turnedAway = new Set<Socket>();
  readonly #departures = new DeadlineQueue<Socket>(CLOSE_TIMEOUT_MS, (socket) => socket.destroy());
  #started: Promise<BoundAddress> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(config: RawSocketTransportConfig, deps: RawSocketDeps) {
    const { options } = config;
    this.#config = config;
    this.#log = deps.log.child({ transport: config.id });
    this.#rules = handshakeRules(config);
    this.#host = new TransportHost(
      {
        helloTimeoutMs: options.hello_timeout,
        authenticateTimeoutMs: options.authenticate_timeout,
        pingIntervalMs: options.auto_ping_interval,
        pongTimeoutMs: options.auto_ping_timeout,
        pingBytes: PING_BYTES,
        trafficIsLife: true,
        closeTimeoutMs: CLOSE_TIMEOUT_MS,
        maxUnsentBytes: options.max_unsent_bytes,
        connections: options,
      },
      deps.sessions,
      this.#log,
    );
    this.#handshakes = new DeadlineQueue(options.hello_timeout, (socket) => this.#handshakeOverdue(socket));
    this.#server = createServer({ noDelay: options.tcp_nodelay }, (socket) => this.#accept(socket));
  }

  /**
   * @returns where it listens.
   * @throws ListenError naming the endpoint.
   */
  start(): Promise<BoundAddress> {
    if (this.#stopped !== undefined) throw new Error('a RawSocket server does not start again after it was stopped');
    this.#started ??= this.#startUp();
    return this.#started;
  }

  /** Stops listening, says GOODBYE to every session and closes every connection. Idempotent; never rejects. */
  stop(): Promise<void> {
    this.#stopped ??= this.#shutDown();
    return this.#stopped;
  }

  async #startUp(): Promise<BoundAddress> {
    const bound = await listen(this.#server, this.#config.endpoint);
    this.#server.on('error', (error) => this.#log.error({ err: error }, 'listening socket failed'));
    this.#log.debug(bound, 'listening');
    return bound;
  }

  async #shutDown(): Promise<void> {
    // A start under way is waited for: the port it is about to open has to be closed again.
    await Promise.allSettled([this.#started]);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of [...this.#opening, ...this.#turnedAway]) socket.destroy();
    this.#handshakes.clear();
    this.#departures.clear();
    await this.#host.stop();
    await closed;
    this.#log.debug('closed');
  }

  #accept(socket: Socket): void {
    socket.on('error', ignoreReset);
    if (!this.#host.admit(socket)) return this.#turnAway(socket);
    this.#opening.add(socket);
    this.#handshakes.add(socket);
    let octets: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      octets = Buffer.concat([octets, chunk]);
      if (octets.length < HANDSHAKE_BYTES) return;
      socket.off('data', onData).off('close', onClose);
      this.#opened(socket, octets);
    };
    const onClose = (): void => this.#forget(socket);
    socket.on('data', onData).on('close', onClose);
  }

  /** The octets that the client has under way are read: the system would take back our reply otherwise. */
  #turnAway(socket: Socket): void {
    socket.resume().end(TOO_MANY_CONNECTIONS);
    if (this.#turnedAway.size >= MAX_TURNED_AWAY) return socket.destroySoon();
    this.#turnedAway.add(socket);
    this.#departures.add(socket);
    socket.once('close', () => {
      this.#turnedAway.delete(socket);
      this.#departures.delete(socket);
    });
  }

  /** @param received the opening octets, and what came with them. */
  #opened(socket: Socket, received: Buffer): void {
    const result = negotiate(received.subarray(0, HANDSHAKE_BYTES), this.#rules);
    if ('reason' in result) return this.#refuse(socket, result);
    this.#forget(socket);
    const { serializer, peerMaxBytes, answer } = result;
    socket.write(answer);
    const terms = { serializer, peerMaxBytes, maxMessageBytes: this.#rules.maxMessageBytes };
    const transport = new RawSocketTransport(socket, terms, this.#host);
    this.#host.opened(transport);
    if (received.length > HANDSHAKE_BYTES) transport.receive(received.subarray(HANDSHAKE_BYTES));
  }

  /** What the client still sends is dropped; it may stay no longer than it had for its handshake. */
  #refuse(socket: Socket, { reason, answer }: Refusal): void {
    this.#log.debug({ peer: peerOf(socket), reason }, 'rawsocket refused');
    socket.on('close', () => this.#forget(socket)).resume();
    if (answer === undefined) socket.destroy();
    else socket.end(answer, () => socket.destroySoon());
  }

  #handshakeOverdue(socket: Socket): void {
    this.#log.debug({ peer: peerOf(socket) }, 'no RawSocket handshake, connection dropped');
    socket.destroy();
  }

  #forget(socket: Socket): void {
    this.#opening.delete(socket);
    this.#handshakes.delete(socket);
  }
}

/** A client that resets the connection is no event worth a word; without a listener it would end the process. */
function ignoreReset(): void {
  // The socket is destroyed by Node; whoever waits for it sees that.
}
