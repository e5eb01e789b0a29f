/**
 * WAMP over one WebSocket connection: frames in, messages to the session; messages of the session out, framed and
 * written to the socket. It lives as long as the socket and may carry several sessions, one after the other.
 */
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { ErrorUri, ProtocolViolation } from '../wamp/error.js';
import { EVENT } from '../wamp/message.js';
import { Session } from '../session/session.js';
import { Outbox } from './outbox.js';
import { channelFacts } from './peer.js';
import { websocketCodec } from './websocket-framing.js';
import type { ClientInfo } from '../auth/method.js';
import type { Codec, Serializer } from '../serializer/serializer.js';
import type { CloseCause, SessionTransport, TransportFacts } from '../session/transport.js';
import type { RouterMessage } from '../wamp/message.js';
import type { HostedTransport, TransportHost } from './transport-host.js';

/** What is known when the upgrade is done. */
export interface Connection {
  readonly socket: Socket;
  readonly serializer: Serializer;
  readonly client: ClientInfo;
  /** Answer a close frame with the client's own code and reason. */
  readonly echoesClose: boolean;
}

const CLOSE_CODES: Record<CloseCause, number> = {
  protocol_violation: 1002,
  denied: 1000,
  goodbye: 1000,
  system_shutdown: 1001,
  timeout: 1008,
  internal_error: 1011,
};

/** The socket of a connection: `ws` makes it, `transport` is put on it, and its listeners need no closures. */
export class WampWebSocket extends WebSocket {
  transport: WebSocketTransport | undefined;

  /**
   * `ws` calls this with a code alone when the client broke the protocol, and with what the client sent (maybe nothing)
   * when it has to answer a close frame. The answer is 1000 unless `echo_close_codereason` asks for an echo; a client that
   * gave no code gets 1000 in any case, or autobahn-js would take the connection for lost and open it again.
   */
  override close(code?: number, data?: string | Buffer): void {
    this.transport?.flush();
    const answers = code === undefined || data !== undefined;
    if (answers && this.transport?.echoesClose !== true) super.close(1000);
    else super.close(code ?? 1000, data);
  }

  /** Closes of our own accord. */
  closeWith(code: number, reason: string): void {
    super.close(code, reason);
  }
}

export class WebSocketTransport implements SessionTransport, HostedTransport {
  readonly client: ClientInfo;
  readonly socket: Socket;
  readonly echoesClose: boolean;
  /** Whether anything arrived since the last look: a sign of life. */
  active = false;
  readonly #ws: WampWebSocket;
  readonly #host: TransportHost;
  readonly #codec: Codec;
  readonly #outbox: Outbox;
  /** Compressed connections send through `ws`: its frames and ours must not overtake each other. */
  readonly #compressed: boolean;
  #session: Session;

  constructor(ws: WampWebSocket, { socket, serializer, client, echoesClose }: Connection, host: TransportHost) {
    this.#ws = ws;
    this.socket = socket;
    this.#host = host;
    this.client = client;
    this.echoesClose = echoesClose;
    this.#compressed = ws.extensions !== '';
    this.#codec = websocketCodec(serializer, !this.#compressed);
    this.#outbox = new Outbox(socket, host.maxUnsentBytes, () => this.#giveUp());
    this.#session = new Session(this, host.sessions);
    ws.transport = this;
    ws.on('message', onMessage).on('pong', onPong).on('error', onError).on('close', onClose);
    host.awaitHello(this);
  }

  get facts(): TransportFacts {
    const facts = channelFacts(this.socket, this.peer, 'websocket', this.#codec.serializer);
    return this.#ws.protocol === '' ? facts : { ...facts, websocket_protocol: this.#ws.protocol };
  }

  send(message: RouterMessage): void {
    let frame: Buffer;
    if (message.type === EVENT) {
      const { frames } = message;
      const shared = frames[this.#codec.index] as Buffer | undefined;
      frame = shared ?? (frames[this.#codec.index] = this.#encode(message));
    } else {
      frame = this.#encode(message);
    }
    if (this.#compressed) this.#sendCompressed(frame);
    else this.#outbox.write(frame);
  }

  /** Nothing of ours may come behind a close frame. */
  flush(): void {
    this.#outbox.flush();
  }

  close(cause: CloseCause, text: string): void {
    this.#outbox.flush();
    this.#ws.closeWith(CLOSE_CODES[cause], closeReason(text));
  }

  challenged(): void {
    this.#host.awaitAuthenticate(this);
  }

  sessionOpened(): void {
    this.#host.gotHello(this);
  }

  sessionClosing(): void {
    this.#host.awaitHello(this);
  }

  sessionEnded(): void {
    this.#session = new Session(this, this.#host.sessions);
    this.#host.awaitHello(this);
  }

  pauseReading(): void {
    this.#ws.pause();
  }

  get paused(): boolean {
    return this.#ws.isPaused;
  }

  resumeReading(): void {
    this.#ws.resume();
  }

  /** The client did not say HELLO in time. */
  helloOverdue(timeoutMs: number): void {
    this.#session.abort(ErrorUri.TIMEOUT, `no session within ${timeoutMs} ms`, 'timeout');
  }

  ping(payload: Buffer): void {
    this.#outbox.flush();
    this.#ws.ping(payload);
  }

  shutdown(): void {
    this.#session.shutdown();
  }

  /** Cuts the connection, without a closing handshake. */
  terminate(): void {
    this.#ws.terminate();
  }

  get peer(): string {
    return this.client.peer;
  }

  get established(): boolean {
    return this.#session.established;
  }

  receive(data: Buffer, binary: boolean): void {
    this.active = true;
    const session = this.#session;
    try {
      const { serializer } = this.#codec;
      if (binary !== serializer.binary) {
        throw new ProtocolViolation(`${serializer.type} travels in ${serializer.binary ? 'binary' : 'text'} messages`);
      }
      if (serializer.split === undefined) session.receive(serializer.decode(data));
      else this.#receiveBatch(serializer.split(data));
    } catch (error) {
      session.fail(error);
    }
  }

  /** A message that ends the session ends the work on the batch; behind a GOODBYE another HELLO may come. */
  #receiveBatch(batch: Iterable<Buffer>): void {
    try {
      for (const data of batch) {
        if (this.#ws.readyState !== WebSocket.OPEN) return;
        this.#session.receive(this.#codec.serializer.decode(data));
      }
    } catch (error) {
      this.#session.fail(error);
    }
  }

  pong(): void {
    this.#host.gotPong(this);
  }

  /** What `ws` found wrong with the frames: it has answered with the right close code already. */
  failed(error: Error): void {
    this.#host.log.debug({ peer: this.client.peer, reason: error.message }, 'websocket failed');
  }

  closed(): void {
    this.#session.transportLost();
    this.client.visitor?.left();
    this.#host.closed(this);
  }

  #encode(message: RouterMessage): Buffer {
    return this.#codec.serializer.encode(message, this.#codec.framing);
  }

  #sendCompressed(message: Buffer): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    this.#ws.send(message, { binary: this.#codec.serializer.binary });
    if (this.#ws.bufferedAmount > this.#host.maxUnsentBytes) this.#giveUp();
  }

  /** A close frame would wait behind everything that the client does not read, so the connection is cut. */
  #giveUp(): void {
    if (this.#ws.readyState === WebSocket.CLOSED) return;
    this.#host.log.warn(
      { peer: this.client.peer, sessionId: this.#session.id, maxUnsentBytes: this.#host.maxUnsentBytes },
      'slow consumer disconnected',
    );
    this.terminate();
  }
}

/** A close reason holds at most 123 bytes (RFC 6455, section 5.5); a character must not be cut in two. */
function closeReason(text: string): string {
  return Buffer.from(text)
    .subarray(0, 123)
    .toString()
    .replace(/\uFFFD+$/, '');
}

function onMessage(this: WebSocket, data: unknown, binary: boolean): void {
  if (this instanceof WampWebSocket) this.transport?.receive(data as Buffer, binary);
}

function onPong(this: WebSocket): void {
  if (this instanceof WampWebSocket) this.transport?.pong();
}

function onError(this: WebSocket, error: Error): void {
  if (this instanceof WampWebSocket) this.transport?.failed(error);
}

function onClose(this: WebSocket): void {
  if (this instanceof WampWebSocket) this.transport?.closed();
}
