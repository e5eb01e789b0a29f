/**
 * WAMP over one RawSocket, from the moment the opening octets are exchanged.
 *
 * A client says how large a frame it takes, and never gets a larger one. An EVENT or a progressive result that does not
 * fit is dropped; a client that waits for an answer gets `wamp.error.payload_size_exceeded` instead of it.
 */
import type { Socket } from 'node:net';
import { WampError } from '../../wamp/error.js';
import { ABORT, ERROR, EVENT, GOODBYE, INVOCATION, NO_DETAILS, RESULT } from '../../wamp/message.js';
import { payloadOf } from '../../wamp/payload.js';
import { refusalOf, substituteFor } from '../../session/undeliverable.js';
import { codecOf } from '../codecs.js';
import { WampConnection } from '../connection.js';
import { clientInfoOf, clientOf } from '../peer.js';
import { controlFrame, FrameType, PREFIX_BYTES, RAWSOCKET_FRAMING } from './framing.js';
import { RawSocketReader } from './reader.js';
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

  /** Says what can be said instead of the message. */
  notSent(message: RouterMessage, error: unknown): void {
    const { connection } = this;
    if (!(error instanceof WampError)) return connection.later((session) => session.fail(error));
    switch (message.type) {
      case EVENT:
        return this.#drop(message.type, error);
      case RESULT: {
        const answer = substituteFor(message, error);
        return answer === undefined ? this.#drop(message.type, error) : connection.substitute(answer);
      }
      case ERROR: {
        const { uri, args } = error;
        return connection.substitute({ ...message, details: NO_DETAILS, error: uri, payload: payloadOf(args) });
      }
      case INVOCATION: {
        // The callee cannot be asked, so the call fails, as if the callee had said so.
        const answer = refusalOf(message, error);
        return connection.later((session) => session.receive(answer));
      }
      default:
        this.#host.repeated.say('info', this.#undelivered(message.type, error), 'message not sent');
        // Nothing can take the place of a farewell.
        if (message.type === ABORT || message.type === GOODBYE) {
          connection.later(() => connection.close('goodbye', error.message));
        } else connection.later((session) => session.abort(error.uri, error.message, 'denied'));
    }
  }

  /** A client that subscribes to much can cause it with each publication. */
  #drop(messageType: number, error: WampError): void {
    this.#host.repeated.say('warn', this.#undelivered(messageType, error), 'message dropped');
  }

  #undelivered(messageType: number, error: WampError): Readonly<Record<string, unknown>> {
    const { peer, sessionId } = this.connection;
    return { peer, sessionId, messageType, reason: error.message };
  }

  #closed(): void {
    this.#reader.stop();
    this.connection.closed();
  }
}
