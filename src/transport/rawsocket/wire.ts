/**
 * WAMP over one RawSocket, from the moment the opening octets are exchanged.
 */
import type { Socket } from 'node:net';
import { codecOf } from '../codecs.js';
import { WampConnection } from '../connection.js';
import { clientInfoOf, clientOf } from '../peer.js';
import { controlFrame, FrameType, PREFIX_BYTES, RAWSOCKET_FRAMING } from './framing.js';
import { RawSocketReader } from './reader.js';
import { sayInstead } from './not-sent.js';
import type { Serializer } from '../../serializer/serializer.js';
import type { TransportFacts } from '../../session/transport.js';
import type { RouterMessage } from '../../wamp/message.js';
import type { Fault } from '../endings.js';
import type { TransportHost } from '../transport-host.js';
import type { Wire } from '../wire.js';
import type { FrameReceiver } from './reader.js';

/** What was agreed in the handshake. */
export interface RawSocketTerms {
  readonly serializer: Serializer;
  /** The largest message that we announced. */
  readonly maxMessageBytes: number;
  /** The largest message that the client announced. */
  readonly peerMaxBytes: number;
}

export class RawSocketWire implements Wire, FrameReceiver {
  readonly connection: WampConnection;
  readonly #socket: Socket;
  readonly #host: TransportHost;
  readonly #isBinary: boolean;
  readonly #peerMaxBytes: number;
  readonly #reader: RawSocketReader;

  constructor(socket: Socket, { serializer, maxMessageBytes, peerMaxBytes }: RawSocketTerms, host: TransportHost) {
    this.#socket = socket;
    this.#host = host;
    this.#isBinary = serializer.binary;
    this.#peerMaxBytes = peerMaxBytes;
    this.#reader = new RawSocketReader(maxMessageBytes, this);
    const codec = codecOf(serializer, RAWSOCKET_FRAMING);
    const maxFrameBytes = PREFIX_BYTES + peerMaxBytes;
    const terms = { socket, client: clientOf(socket), codec, maxFrameBytes, checksUtf8: true };
    this.connection = new WampConnection(this, terms, host);
    socket.on('data', (chunk: Buffer) => this.receive(chunk)).on('close', () => this.#closed());
  }

  get facts(): TransportFacts {
    const { peer, serializer } = this.connection;
    return clientInfoOf(this.#socket, peer, 'rawsocket', serializer);
  }

  get isPaused(): boolean {
    return this.#socket.isPaused();
  }

  stopReading(): void {
    this.#reader.stop();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** There are no words for why; what the client still sends is dropped. */
  end(): void {
    this.#reader.stop();
    // Only a socket that is read tells that the client has closed, too.
    this.#socket.resume().end();
    this.#host.awaitClose(this.connection);
  }

  /** There is no word for it. */
  evict(): void {
    this.terminate();
  }

  terminate(): void {
    this.#reader.stop();
    this.#socket.destroy();
  }

  pongFrame(payload: Buffer): Buffer {
    return controlFrame(FrameType.PONG, payload);
  }

  /** Takes the next bytes of the connection. */
  receive(chunk: Buffer): void {
    this.connection.active = true;
    this.#reader.push(chunk);
  }

  onMessage(payload: Buffer): void {
    this.connection.inbox.receive(payload, this.#isBinary);
  }

  onPing(payload: Buffer): void {
    // The client takes no larger frames than it announced, whatever it sends itself.
    if (payload.length > this.#peerMaxBytes) return this.onBadFrame('a ping is larger than the client takes itself');
    this.connection.pinged(payload);
  }

  onPong(): void {
    this.connection.ponged();
  }

  mayBeLarge(): boolean {
    return this.connection.mayBeLarge();
  }

  holds(bytes: number): void {
    this.connection.holds(bytes);
  }

  onBadFrame(reason: string, fault: Fault = 'bad_frame'): void {
    this.#reader.stop();
    this.connection.broken(fault, reason);
  }

  notSent(message: RouterMessage, error: unknown): void {
    sayInstead(this.connection, this.#host, message, error);
  }

  #closed(): void {
    this.#reader.stop();
    this.connection.closed();
  }
}
