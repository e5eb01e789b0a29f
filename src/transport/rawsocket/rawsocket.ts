/**
 * Accepts RawSocket connections: the opening octets of each, and the orderly end of all. What follows the handshake is in
 * `wire.ts`.
 *
 *     accepted --four octets--> agreed: the reply, then frames
 *        |            |
 *        |            +--> refused: the error reply, closed; bad magic: closed without a word
 *        +-- too many connections: the error reply, closed
 *        +-- hello_timeout: closed without a word
 */
import type { Socket } from 'node:net';
import { RepeatedLog } from '../../log/repeated.js';
import { admitSocket } from '../admit.js';
import { DeadlineQueue } from '../deadline-queue.js';
import { unsentLimits } from '../outbox/outbox.js';
import { peerOf } from '../peer.js';
import { controlFrame, FrameType } from './framing.js';
import { HANDSHAKE_BYTES, handshakeRules, negotiate, TOO_MANY_CONNECTIONS } from './handshake.js';
import { RawSocketWire } from './wire.js';
import { TransportHost } from '../transport-host.js';
import { countRefusal } from '../../metrics/transport-counts.js';
import type { Logger } from '../../log/logger.js';
import type { SerializerTypes } from '../../serializer/registry.js';
import type { SessionDeps } from '../../session/deps.js';
import type { Drain } from '../drain.js';
import type { Place } from '../apart/apart.js';
import type { Acceptor } from '../endpoint.js';
import type { Entrance } from '../apart/entrance.js';
import type { HandshakeRules, Refusal } from './handshake.js';
import type { RawSocketConfig } from './schema.js';

export interface RawSocketDeps {
  readonly sessions: SessionDeps;
  readonly serializers: SerializerTypes;
  readonly log: Logger;
  /** What ends the connections of the node. */
  readonly drain: Drain;
  /** Where the sessions are in another process. */
  readonly entrance?: Entrance | undefined;
}

/** How long the peer has to close after we did: RawSocket knows no closing handshake, so one round trip is enough. */
const CLOSE_TIMEOUT_MS = 2000;

/** How many clients that were turned away may take that long to read why; further ones are closed with the reply. */
const MAX_TURNED_AWAY = 100;

/** Payload of our pings. */
const PING_BYTES = 12;

/** Speaks RawSocket on the connections of an endpoint (section "Message Transports"). */
export class RawSocketAcceptor implements Acceptor {
  readonly #noDelay: boolean;
  /** Strangers decide how often. */
  readonly #repeated: RepeatedLog;
  readonly #rules: HandshakeRules;
  readonly #host: TransportHost;
  /** Connections whose handshake is not done; `hello_timeout` limits it. */
  readonly #opening = new Set<Socket>();
  readonly #handshakes: DeadlineQueue<Socket>;
  /** Connections for which there was no place, until they are closed. */
  readonly #turnedAway = new Set<Socket>();
  readonly #departures = new DeadlineQueue<Socket>(CLOSE_TIMEOUT_MS, (socket) => socket.destroy());

  readonly #sessions: SessionDeps;
  readonly #entrance: Entrance | undefined;
  readonly #serializers: SerializerTypes;

  constructor(config: RawSocketConfig, deps: RawSocketDeps) {
    const { options } = config;
    this.#sessions = deps.sessions;
    this.#entrance = deps.entrance;
    this.#serializers = deps.serializers;
    this.#noDelay = options.tcp_nodelay;
    this.#repeated = new RepeatedLog(deps.log);
    this.#rules = handshakeRules(config, deps.serializers);
    this.#host = new TransportHost(
      {
        protocol: 'rawsocket',
        helloTimeoutMs: options.hello_timeout,
        authenticateTimeoutMs: options.authenticate_timeout,
        pingIntervalMs: options.auto_ping_interval,
        pongTimeoutMs: options.auto_ping_timeout,
        pingFrame: controlFrame(FrameType.PING, Buffer.alloc(PING_BYTES)),
        trafficIsLife: true,
        closeTimeoutMs: CLOSE_TIMEOUT_MS,
        unsent: unsentLimits(options.max_unsent_bytes, options.slow_consumer === 'drop_events'),
        connections: options,
      },
      deps,
    );
    this.#handshakes = new DeadlineQueue(options.hello_timeout, (socket) => this.#handshakeOverdue(socket));
  }

  /** Where clients of fronts come in. */
  get place(): Place {
    return { host: this.#host, sessions: this.#sessions, tracker: undefined, serializers: this.#serializers };
  }

  /** Another acceptor gets the connections from now on, with one account of them all. Resolves when the last one of this one has gone. */
  retire(successor: RawSocketAcceptor): Promise<void> {
    return this.#host.retire(successor.#host);
  }

  /** Nobody new comes, and the connections end one by one. Resolves when each was told; never rejects. */
  dismiss(): Promise<void> {
    return this.#host.dismiss();
  }

  /** Closes every connection. Idempotent; never rejects. */
  async stop(): Promise<void> {
    for (const socket of [...this.#opening, ...this.#turnedAway]) socket.destroy();
    this.#handshakes.clear();
    this.#departures.clear();
    await this.#host.stop();
    await this.#sessions.stop?.();
    this.#repeated.end();
  }

  accept(socket: Socket): void {
    socket.on('error', ignoreReset);
    socket.setNoDelay(this.#noDelay);
    // A client that has ended its half has nothing more to say, and no use for what others say.
    socket.allowHalfOpen = false;
    // Its endpoint may still have had to find out what it speaks.
    if (this.#host.stopping) return void socket.destroy();
    if (!admitSocket(socket, this.#host)) return this.#turnAway(socket);
    if (this.#entrance === undefined) return this.#await(socket);
    this.#entrance.enter(socket).then(
      () => this.#await(socket),
      () => this.#turnAway(socket),
    );
  }

  /** The client was let in: its opening octets may come. */
  #await(socket: Socket): void {
    if (socket.destroyed) return;
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
    countRefusal(this.#sessions.counts, 'too many');
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
    if (this.#host.stopping) return void socket.destroy();
    const { serializer, peerMaxBytes, answer } = result;
    socket.write(answer);
    const terms = { serializer, peerMaxBytes, maxMessageBytes: this.#rules.maxMessageBytes };
    const wire = new RawSocketWire(socket, terms, this.#host);
    this.#host.opened(wire.connection);
    if (received.length > HANDSHAKE_BYTES) wire.receive(received.subarray(HANDSHAKE_BYTES));
  }

  /** What the client still sends is dropped; it may stay no longer than it had for its handshake. */
  #refuse(socket: Socket, { reason, answer, kind }: Refusal): void {
    countRefusal(this.#sessions.counts, kind);
    this.#repeated.say('warn', { peer: peerOf(socket), reason }, 'rawsocket refused');
    socket.on('close', () => this.#forget(socket)).resume();
    if (answer === undefined) socket.destroy();
    else socket.end(answer, () => socket.destroySoon());
  }

  #handshakeOverdue(socket: Socket): void {
    this.#repeated.say('info', { peer: peerOf(socket) }, 'no RawSocket handshake, connection dropped');
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
