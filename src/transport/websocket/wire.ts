/**
 * WAMP over one WebSocket: `ws` finds the frames of the client and closes; the connection frames what the router sends.
 */
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { MAX_OPENING_BYTES } from '../../session/opening.js';
import { WampConnection } from '../connection.js';
import { ENDINGS, faultOf, isFailure } from '../endings.js';
import { clientInfoOf } from '../peer.js';
import { controlFrame, PONG_FRAME, websocketCodec } from './framing.js';
import { FrameGate } from './frame-gate.js';
import { putBefore } from './read-before.js';
import { guardReceiver, inflateNoMore, limitFrames, limitInflated } from './receiver-guard.js';
import type { ClientInfo } from '../../auth/method.js';
import type { Serializer } from '../../serializer/serializer.js';
import type { CloseCause, TransportFacts } from '../../session/transport.js';
import type { RouterMessage } from '../../wamp/message.js';
import type { Fault } from '../endings.js';
import type { TransportHost } from '../transport-host.js';
import type { Wire } from '../wire.js';
import type { GateOwner } from './frame-gate.js';
import type { FeedListener, SocketReader } from './read-before.js';

/** What is known when the upgrade is done. */
export interface WebSocketTerms {
  readonly socket: Socket;
  readonly serializer: Serializer;
  readonly client: ClientInfo;
  /** Answer a close frame with the client's own code and reason. */
  readonly echoesClose: boolean;
  /** Cut the connection instead of a close frame where something went wrong. */
  readonly failsByDrop: boolean;
  /** Largest frame of a message, in bytes as they are on the wire; 0 is no limit. */
  readonly maxFrameBytes: number;
  readonly maxMessageBytes: number;
}

/** The code of a close frame after which clients come back. */
export const TRY_AGAIN_LATER = 1013;

/** The socket of a connection: `ws` makes it, `wire` is put on it, and its listeners need no closures. */
export class WampWebSocket extends WebSocket {
  wire: WebSocketWire | undefined;

  /**
   * `ws` calls this with a code alone when the client broke the protocol, and with what the client sent (maybe nothing)
   * when it has to answer a close frame. The answer is 1000 unless `echo_close_codereason` asks for an echo; a client that
   * gave no code gets 1000 in any case, or autobahn-js would take the connection for lost and open it again.
   */
  override close(code?: number, data?: string | Buffer): void {
    const { wire } = this;
    if (code !== undefined && data === undefined) {
      const fault = wire?.fault ?? faultOf(code);
      wire?.stopReading();
      if (fault === 'too_large' && wire?.connection.mayBeLarge() === false) return;
      if (wire !== undefined) wire.fault = fault;
      if (wire?.failsByDrop === true) return wire.drop();
      return this.closeWith(code, ENDINGS[fault].text);
    }
    const answer = (): void => (wire?.echoesClose === true ? this.closeWith(code ?? 1000, data) : this.closeWith(1000));
    if (wire === undefined) answer();
    // Behind what the client has sent before.
    else wire.connection.inbox.finish(answer);
  }

  /** Closes with this code. Nothing of ours may come behind a close frame. */
  closeWith(code: number, data?: string | Buffer): void {
    this.wire?.connection.closing();
    super.close(code, data);
  }
}

export class WebSocketWire implements Wire, GateOwner, SocketReader {
  readonly connection: WampConnection;
  readonly echoesClose: boolean;
  readonly failsByDrop: boolean;
  /** Only where messages may be compressed. */
  readonly begins: (() => void) | undefined;
  /** What the client's frames are closed for. */
  fault: Fault | undefined;
  readonly #ws: WampWebSocket;
  readonly #socket: Socket;
  readonly #host: TransportHost;
  readonly #maxMessageBytes: number;
  readonly #gate: FrameGate;
  readonly #feed: FeedListener;
  /** Where `ws` fails only because of {@link inflateNoMore}. */
  #readsNoMore = false;

  constructor(ws: WampWebSocket, terms: WebSocketTerms, host: TransportHost) {
    const { socket, serializer, client, maxFrameBytes, maxMessageBytes } = terms;
    this.#ws = ws;
    this.#socket = socket;
    this.#host = host;
    this.#maxMessageBytes = maxMessageBytes;
    this.echoesClose = terms.echoesClose;
    this.failsByDrop = terms.failsByDrop;
    const isCompressed = ws.extensions !== '';
    if (isCompressed) guardReceiver(ws);
    if (maxFrameBytes > 0) limitFrames(ws, maxFrameBytes, () => (this.fault = 'frame_too_large'));
    const codec = websocketCodec(serializer, !isCompressed);
    const sender = isCompressed ? ws : undefined;
    this.connection = new WampConnection(this, { socket, client, codec, sender, checksUtf8: false }, host);
    ws.wire = this;
    if (isCompressed) this.begins = () => this.#limitInflated();
    this.#gate = new FrameGate(maxMessageBytes, maxFrameBytes, this);
    this.#feed = putBefore(socket, this);
    ws.on('message', onMessage).on('ping', onPing).on('pong', onPong).on('error', onError).on('close', onClose);
  }

  get facts(): TransportFacts {
    const { peer, serializer } = this.connection;
    const facts = clientInfoOf(this.#socket, peer, 'websocket', serializer);
    return this.#ws.protocol === '' ? facts : { ...facts, websocket_protocol: this.#ws.protocol };
  }

  get isPaused(): boolean {
    return this.#ws.isPaused;
  }

  feed(chunk: Buffer): void {
    this.#feed.call(this.#socket, chunk);
  }

  push(chunk: Buffer): void {
    this.#gate.push(chunk);
  }

  stopReading(): void {
    this.#gate.stop();
  }

  socketClosed(): void {
    this.#gate.stop();
    this.#whenNobodyIsThere();
  }

  /** `ws` goes on with what it has read. Once the client has gone and its session has ended, nobody needs any of it. */
  #whenNobodyIsThere(): void {
    if (this.begins === undefined || !this.#socket.destroyed || !this.connection.inbox.isClosed) return;
    this.#readsNoMore = true;
    inflateNoMore(this.#ws);
  }

  mayBeLarge(): boolean {
    return this.connection.mayBeLarge();
  }

  holds(bytes: number): void {
    this.connection.holds(bytes);
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  end(cause: CloseCause | Fault, text: string): void {
    this.#whenNobodyIsThere();
    if (this.failsByDrop && isFailure(cause)) return this.drop();
    this.#ws.closeWith(ENDINGS[cause].code, closeReason(text));
  }

  /** Without ABORT, which clients take for final: with this code they try again. */
  evict(text: string): void {
    this.#ws.closeWith(TRY_AGAIN_LATER, closeReason(text));
    this.#socket.destroySoon();
  }

  /** Ends the connection without a close frame, behind what was sent before: an ABORT, for example. */
  drop(): void {
    this.connection.closing();
    this.#host.awaitClose(this.connection);
    this.#socket.destroySoon();
  }

  terminate(): void {
    this.#ws.terminate();
  }

  pongFrame(payload: Buffer): Buffer {
    return controlFrame(PONG_FRAME, payload);
  }

  /** There are no frames that are too large, and what a serializer cannot write the session answers. */
  notSent(_message: RouterMessage, error: unknown): void {
    throw error;
  }

  receive(data: Buffer, binary: boolean): void {
    this.connection.active = true;
    this.connection.inbox.receive(data, binary);
  }

  /** A stranger may send little, also when it is inflated. */
  #limitInflated(): void {
    const bytes = this.#maxMessageBytes;
    limitInflated(this.#ws, this.connection.isOpening ? Math.min(bytes, MAX_OPENING_BYTES) : bytes);
  }

  get #tooLarge(): string {
    return `a message has more than ${this.#maxMessageBytes} bytes, which "max_message_size" decides`;
  }

  /** What `ws` found wrong. With frames it has closed with the right code already. */
  failed({ message: reason }: Error): void {
    if (this.#readsNoMore) return;
    if (this.fault === 'too_large') return this.connection.broken(this.fault, this.#tooLarge);
    if (this.fault !== undefined) return this.connection.broken(this.fault, reason);
    this.#host.log.debug({ peer: this.connection.peer, reason }, 'websocket failed');
  }
}

/** @returns a close reason, of at most 123 bytes (RFC 6455, section 5.5); a character must not be cut in two. */
export function closeReason(text: string): string {
  return Buffer.from(text)
    .subarray(0, 123)
    .toString()
    .replace(/\uFFFD+$/, '');
}

function onMessage(this: WebSocket, data: unknown, binary: boolean): void {
  if (this instanceof WampWebSocket) this.wire?.receive(data as Buffer, binary);
}

function onPing(this: WebSocket, payload: Buffer): void {
  if (this instanceof WampWebSocket) this.wire?.connection.pinged(payload);
}

function onPong(this: WebSocket): void {
  if (this instanceof WampWebSocket) this.wire?.connection.ponged();
}

function onError(this: WebSocket, error: Error): void {
  if (this instanceof WampWebSocket) this.wire?.failed(error);
}

function onClose(this: WebSocket): void {
  if (this instanceof WampWebSocket) this.wire?.connection.closed();
}
