/**
 * WAMP over one WebSocket connection: frames in, messages to the session; messages of the session out, framed and
 * written to the socket. It lives as long as the socket and may carry several sessions, one after the other.
 */
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { ProtocolViolation } from '../../wamp/error.js';
import { EVENT } from '../../wamp/message.js';
import { MAX_OPENING_BYTES, openingTooLarge } from '../../session/opening.js';
import { LargeFrame } from '../../serializer/large-frame.js';
import { Session } from '../../session/session.js';
import { sharedFrame } from '../codecs.js';
import { ENDINGS, faultOf } from '../endings.js';
import { Inbox } from '../inbox.js';
import { Outbox } from '../outbox.js';
import { clientInfoOf } from '../peer.js';
import { guardReceiver } from './receiver-guard.js';
import { SessionPace } from '../session-pace.js';
import { turns } from '../fair-scheduler.js';
import { controlFrame, PONG_FRAME, websocketCodec } from './framing.js';
import type { ClientInfo } from '../../auth/method.js';
import type { Codec, Frame, Serializer } from '../../serializer/serializer.js';
import type { CloseCause, SessionTransport, TransportFacts } from '../../session/transport.js';
import type { RouterMessage } from '../../wamp/message.js';
import type { Fault } from '../endings.js';
import type { MessageReceiver } from '../inbox.js';
import type { OutboxOwner } from '../outbox.js';
import type { HostedTransport, TransportHost } from '../transport-host.js';

/** What is known when the upgrade is done. */
export interface Connection {
  readonly socket: Socket;
  readonly serializer: Serializer;
  readonly client: ClientInfo;
  /** Answer a close frame with the client's own code and reason. */
  readonly echoesClose: boolean;
}

const TRY_AGAIN_LATER = 1013;

/** The socket of a connection: `ws` makes it, `transport` is put on it, and its listeners need no closures. */
export class WampWebSocket extends WebSocket {
  transport: WebSocketTransport | undefined;

  /**
   * `ws` calls this with a code alone when the client broke the protocol, and with what the client sent (maybe nothing)
   * when it has to answer a close frame. The answer is 1000 unless `echo_close_codereason` asks for an echo; a client that
   * gave no code gets 1000 in any case, or autobahn-js would take the connection for lost and open it again.
   */
  override close(code?: number, data?: string | Buffer): void {
    const { transport } = this;
    if (code !== undefined && data === undefined) {
      const fault = faultOf(code);
      if (transport !== undefined) transport.fault = fault;
      return this.#closeBehindAll(code, ENDINGS[fault].text);
    }
    const answer = (): void =>
      transport?.echoesClose === true ? this.#closeBehindAll(code ?? 1000, data) : this.#closeBehindAll(1000);
    if (transport === undefined) answer();
    else transport.leave(answer);
  }

  /** Closes of our own accord. */
  closeWith(code: number, reason: string): void {
    this.#closeBehindAll(code, reason);
  }

  /** Nothing of ours may come behind a close frame. */
  #closeBehindAll(code: number, data?: string | Buffer): void {
    this.transport?.flush();
    super.close(code, data);
  }
}

export class WebSocketTransport implements SessionTransport, HostedTransport, MessageReceiver, OutboxOwner {
  readonly client: ClientInfo;
  readonly socket: Socket;
  readonly echoesClose: boolean;
  /** Whether anything arrived since the last look: a sign of life. */
  active = false;
  /** What the client's frames are closed for. */
  fault: Fault | undefined;
  readonly #ws: WampWebSocket;
  readonly #host: TransportHost;
  readonly #codec: Codec;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  /** Compressed connections send through `ws`: its frames and ours must not overtake each other. */
  readonly #compressed: boolean;
  #session: Session;
  /** Made when the first session has ended. */
  #pace: SessionPace | undefined;
  #isResting = false;
  /** Why the connection is lost, where the node has ended it. */
  #lost: string | undefined;

  constructor(ws: WampWebSocket, { socket, serializer, client, echoesClose }: Connection, host: TransportHost) {
    this.#ws = ws;
    this.socket = socket;
    this.#host = host;
    this.client = client;
    this.echoesClose = echoesClose;
    this.#compressed = ws.extensions !== '';
    if (this.#compressed) guardReceiver(ws);
    this.#codec = websocketCodec(serializer, !this.#compressed);
    this.#inbox = new Inbox(this, turns);
    this.#outbox = new Outbox(socket, host.unsent, this);
    this.#session = new Session(this, host.sessions);
    ws.transport = this;
    ws.on('message', onMessage).on('ping', onPing).on('pong', onPong).on('error', onError).on('close', onClose);
    host.awaitHello(this);
  }

  get facts(): TransportFacts {
    const facts = clientInfoOf(this.socket, this.peer, 'websocket', this.#codec.serializer);
    return this.#ws.protocol === '' ? facts : { ...facts, websocket_protocol: this.#ws.protocol };
  }

  send(message: RouterMessage): void {
    // Whoever was given up in this turn still has its subscriptions: nothing is encoded for it.
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    const frame = message.type === EVENT ? sharedFrame(message, this.#codec) : this.#encode(message);
    if (this.#compressed) this.#sendCompressed(frame, message.type === EVENT);
    else this.#outbox.write(frame, message.type === EVENT);
  }

  flush(): void {
    this.#outbox.flush();
  }

  close(cause: CloseCause, text: string): void {
    this.#inbox.close();
    this.#host.ended(cause, this.#who(text));
    this.#ws.closeWith(ENDINGS[cause].code, closeReason(text));
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
    this.#pace ??= new SessionPace();
    if (!this.#pace.ended(performance.now())) return;
    this.#isResting = true;
    this.#inbox.hold();
    this.#host.rest(this);
  }

  rested(): void {
    this.#isResting = false;
    this.#inbox.release();
  }

  pauseReading(): void {
    this.#inbox.hold();
  }

  get paused(): boolean {
    return this.#ws.isPaused;
  }

  resumeReading(): void {
    if (!this.#isResting) this.#inbox.release();
  }

  stopReading(): void {
    this.#ws.pause();
  }

  flooded(maxBytes: number): void {
    this.#session.fail(new ProtocolViolation(`more than ${maxBytes} bytes of messages at once, none of them awaited`));
  }

  startReading(): void {
    this.#ws.resume();
  }

  /** The client did not say HELLO in time. */
  helloOverdue(timeoutMs: number): void {
    this.#session.overdue(timeoutMs);
  }

  cut(fault: Fault): void {
    this.#lost = ENDINGS[fault].text;
    this.#host.ended(fault, this.#who());
    this.terminate();
  }

  #who(reason?: string): Readonly<Record<string, unknown>> {
    return { peer: this.peer, sessionId: this.#session.id || undefined, reason };
  }

  ping(frame: Buffer): void {
    this.#sendControl(frame);
  }

  get isCallee(): boolean {
    return this.#session.isCallee;
  }

  get isBusy(): boolean {
    return this.#session.isBusy;
  }

  shutdown(saysGoodbye: boolean): void {
    this.#session.shutdown(saysGoodbye);
  }

  /** Without ABORT, which clients take for final: with this code they try again. It does not wait for the peer. */
  evict(text: string): void {
    this.#inbox.close();
    this.#ws.closeWith(TRY_AGAIN_LATER, text);
    this.socket.destroySoon();
  }

  /** Cuts the connection, without a closing handshake. */
  terminate(): void {
    this.#inbox.close();
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
    this.#inbox.receive(data, binary);
  }

  deliver(data: Buffer, binary: boolean): void {
    const session = this.#session;
    try {
      const { serializer } = this.#codec;
      if (binary !== serializer.binary) {
        throw new ProtocolViolation(`${serializer.type} travels in ${serializer.binary ? 'binary' : 'text'} messages`);
      }
      if (data.length > MAX_OPENING_BYTES && session.isOpening) throw openingTooLarge();
      if (serializer.split === undefined) session.receive(serializer.decode(data));
      else this.#receiveBatch(serializer.split(data)[Symbol.iterator]());
    } catch (error) {
      session.fail(error);
    }
  }

  /** A message that closes the connection ends the work on the batch; behind a GOODBYE another HELLO may come. */
  #receiveBatch(batch: Iterator<Buffer>): void {
    try {
      for (let next = batch.next(); next.done !== true; next = batch.next()) {
        this.#session.receive(this.#codec.serializer.decode(next.value));
        if (!this.#inbox.mayGoOn(next.value.length)) return this.#inbox.goOn(() => this.#receiveBatch(batch));
      }
    } catch (error) {
      this.#session.fail(error);
    }
  }

  /** The client closes: `answer` follows behind what it has sent before. */
  leave(answer: () => void): void {
    this.#inbox.finish(answer);
  }

  pinged(payload: Buffer): void {
    this.active = true;
    this.#inbox.act(() => this.#sendControl(controlFrame(PONG_FRAME, payload)));
  }

  pong(): void {
    this.#host.gotPong(this);
  }

  /** What `ws` found wrong. With frames it has closed with the right code already. */
  failed(error: Error): void {
    const { fault } = this;
    if (fault === undefined) {
      return this.#host.log.debug({ peer: this.client.peer, reason: error.message }, 'websocket failed');
    }
    this.#lost = ENDINGS[fault].text;
    this.#host.ended(fault, this.#who(error.message));
    this.#inbox.finish(() => this.#session.transportLost(this.#lost));
  }

  closed(): void {
    this.#inbox.finish(() => this.#gone());
  }

  #gone(): void {
    this.#outbox.closed();
    this.#session.transportLost(this.#lost);
    this.client.liveCookie?.left();
    this.#host.closed(this);
  }

  #encode(message: RouterMessage): Buffer {
    return this.#codec.serializer.encode(message, this.#codec.framing);
  }

  #sendCompressed(frame: Frame, isEvent: boolean): void {
    if (!this.#outbox.takes(this.#ws.bufferedAmount, isEvent)) return;
    turns.note(frame.length);
    const message = frame instanceof LargeFrame ? frame.joined() : frame;
    this.#ws.send(message, { binary: this.#codec.serializer.binary });
    this.#outbox.sentElsewhere(message);
  }

  get unsentBytes(): number | undefined {
    return this.#compressed ? this.#ws.bufferedAmount : undefined;
  }

  /** Never compressed, and nothing may follow a close frame. */
  #sendControl(frame: Buffer): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#outbox.write(frame);
  }

  warn(facts: Readonly<Record<string, unknown>>, message: string): void {
    this.#host.log.warn({ ...this.#reading(), ...facts }, message);
  }

  /** Who reads too slowly, and what the measure is. */
  #reading(): Readonly<Record<string, unknown>> {
    const { maxUnsentBytes } = this.#host.unsent;
    return { peer: this.client.peer, sessionId: this.#session.id, maxUnsentBytes };
  }

  /** A close frame would wait behind everything that the client does not read, so the connection is cut. */
  giveUp(facts = {}): void {
    if (this.socket.destroyed) return;
    this.#host.repeated.say('warn', { ...this.#reading(), ...facts }, 'slow consumer disconnected');
    this.cut('slow_consumer');
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

function onPing(this: WebSocket, payload: Buffer): void {
  if (this instanceof WampWebSocket) this.transport?.pinged(payload);
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
