/**
 * WAMP over one RawSocket connection, from the moment the opening octets are exchanged: frames in, messages to the
 * session; messages of the session out. It lives as long as the socket and may carry several sessions, one after the
 * other.
 *
 * A client says how large a frame it takes, and never gets a larger one. An EVENT or a progressive result that does not
 * fit is dropped; who waits for an answer gets `wamp.error.payload_size_exceeded` instead of it.
 */
import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import { ErrorUri, ProtocolViolation, WampError } from '../../wamp/error.js';
import { ABORT, ERROR, EVENT, GOODBYE, INVOCATION, NO_DETAILS, RESULT } from '../../wamp/message.js';
import { payloadOf } from '../../wamp/payload.js';
import { MAX_OPENING_BYTES, openingTooLarge } from '../../session/opening.js';
import { Session } from '../../session/session.js';
import { refusalOf, substituteFor } from '../../session/undeliverable.js';
import { codecOf, sharedFrame } from '../codecs.js';
import { ENDINGS } from '../endings.js';
import { Inbox } from '../inbox.js';
import { Outbox } from '../outbox.js';
import { clientInfoOf, clientOf } from '../peer.js';
import { controlFrame, FrameType, PREFIX_BYTES, RAWSOCKET_FRAMING } from './framing.js';
import { RawSocketReader } from './reader.js';
import { SessionPace } from '../session-pace.js';
import { turns } from '../fair-scheduler.js';
import type { ClientInfo } from '../../auth/method.js';
import type { Codec, Frame, Serializer } from '../../serializer/serializer.js';
import type { CloseCause, SessionTransport, TransportFacts } from '../../session/transport.js';
import type { RouterMessage } from '../../wamp/message.js';
import type { Fault } from '../endings.js';
import type { MessageReceiver } from '../inbox.js';
import type { OutboxOwner } from '../outbox.js';
import type { FrameReceiver } from './reader.js';
import type { HostedTransport, TransportHost } from '../transport-host.js';

/** What was agreed in the handshake. */
export interface RawSocketTerms {
  readonly serializer: Serializer;
  /** The largest message that we announced. */
  readonly maxMessageBytes: number;
  /** The largest message that the client announced. */
  readonly peerMaxBytes: number;
}

export class RawSocketTransport
  implements SessionTransport, HostedTransport, FrameReceiver, MessageReceiver, OutboxOwner
{
  readonly client: ClientInfo;
  readonly socket: Socket;
  active = false;
  readonly #host: TransportHost;
  readonly #codec: Codec;
  readonly #peerMaxBytes: number;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #reader: RawSocketReader;
  #session: Session;
  /** Made when the first session has ended. */
  #pace: SessionPace | undefined;
  #isResting = false;
  /** Why the connection is lost, where the node has ended it. */
  #lost: string | undefined;
  #closing = false;

  constructor(socket: Socket, { serializer, maxMessageBytes, peerMaxBytes }: RawSocketTerms, host: TransportHost) {
    this.socket = socket;
    this.#host = host;
    this.client = clientOf(socket);
    this.#codec = codecOf(serializer, RAWSOCKET_FRAMING);
    this.#peerMaxBytes = peerMaxBytes;
    this.#inbox = new Inbox(this, turns);
    this.#outbox = new Outbox(socket, host.unsent, this);
    this.#reader = new RawSocketReader(maxMessageBytes, this);
    this.#session = new Session(this, host.sessions);
    socket.on('data', (chunk: Buffer) => this.receive(chunk)).on('close', () => this.#closed());
    host.awaitHello(this);
  }

  send(message: RouterMessage): void {
    // Whoever was given up in this turn still has its subscriptions: nothing is encoded for it.
    if (this.#closing || this.socket.destroyed) return;
    let frame: Frame;
    try {
      frame = this.#frameOf(message);
    } catch (error) {
      return this.#notSent(message, error);
    }
    if (frame.length - PREFIX_BYTES <= this.#peerMaxBytes) this.#outbox.write(frame, message.type === EVENT);
    else this.#notSent(message, this.#tooLarge(frame.length - PREFIX_BYTES));
  }

  /** Closes when all that was sent is on its way; what the client still sends is dropped. */
  close(cause: CloseCause | Fault, text: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#host.ended(cause, this.#who(text));
    this.#reader.stop();
    this.#inbox.close();
    this.#outbox.flush();
    // Only a socket that is read tells that the client has closed, too.
    this.socket.resume().end();
    this.#host.awaitClose(this);
  }

  get facts(): TransportFacts {
    return clientInfoOf(this.socket, this.peer, 'rawsocket', this.#codec.serializer);
  }

  pauseReading(): void {
    this.#inbox.hold();
  }

  get paused(): boolean {
    return this.socket.isPaused();
  }

  resumeReading(): void {
    if (!this.#isResting) this.#inbox.release();
  }

  stopReading(): void {
    this.socket.pause();
  }

  flooded(maxBytes: number): void {
    this.#session.fail(new ProtocolViolation(`more than ${maxBytes} bytes of messages at once, none of them awaited`));
  }

  startReading(): void {
    this.socket.resume();
  }

  challenged(): void {
    this.#host.awaitAuthenticate(this);
  }

  get peer(): string {
    return this.client.peer;
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
    this.#outbox.write(frame);
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

  /** There is no word for it. */
  evict(): void {
    this.terminate();
  }

  terminate(): void {
    this.#reader.stop();
    this.#inbox.close();
    this.socket.destroy();
  }

  /** Takes the next bytes of the connection. */
  receive(chunk: Buffer): void {
    this.active = true;
    this.#reader.push(chunk);
  }

  onMessage(payload: Buffer): void {
    this.#inbox.receive(payload, true);
  }

  deliver(payload: Buffer): void {
    const session = this.#session;
    try {
      const { serializer } = this.#codec;
      // WebSockets check this themselves; here nobody has.
      if (!serializer.binary && !isUtf8(payload)) throw new ProtocolViolation('the message is not valid UTF-8');
      if (payload.length > MAX_OPENING_BYTES && session.isOpening) throw openingTooLarge();
      session.receive(serializer.decode(payload));
    } catch (error) {
      session.fail(error);
    }
  }

  onPing(payload: Buffer): void {
    // The client takes no larger frames than it announced, whatever it sends itself.
    if (payload.length > this.#peerMaxBytes) return this.onBadFrame('a ping is larger than the client takes itself');
    this.#inbox.act(() => this.#outbox.write(controlFrame(FrameType.PONG, payload)));
  }

  onPong(): void {
    this.#host.gotPong(this);
  }

  onBadFrame(reason: string, fault: 'bad_frame' | 'too_large' = 'bad_frame'): void {
    this.#inbox.finish(() => {
      this.#session.transportLost(ENDINGS[fault].text);
      this.close(fault, reason);
    });
  }

  #frameOf(message: RouterMessage): Frame {
    return message.type === EVENT ? sharedFrame(message, this.#codec) : this.#encode(message);
  }

  #encode(message: RouterMessage): Buffer {
    return this.#codec.serializer.encode(message, this.#codec.framing);
  }

  /** Says what can be said instead of a message that this client cannot be sent. */
  #notSent(message: RouterMessage, error: unknown): void {
    if (!(error instanceof WampError)) return this.#later((session) => session.fail(error));
    switch (message.type) {
      case EVENT:
        return this.#drop(message.type, error);
      case RESULT: {
        const answer = substituteFor(message, error);
        return answer === undefined ? this.#drop(message.type, error) : this.#outbox.write(this.#encode(answer));
      }
      case ERROR: {
        const { uri, args } = error;
        const answer = { ...message, details: NO_DETAILS, error: uri, payload: payloadOf(args) };
        return this.#outbox.write(this.#encode(answer));
      }
      case INVOCATION: {
        // The callee cannot be asked, so the call fails, as if the callee had said so.
        const answer = refusalOf(message, error);
        return this.#later((session) => session.receive(answer));
      }
      default:
        this.#host.repeated.say('info', this.#undelivered(message.type, error), 'message not sent');
        // Nothing can take the place of a farewell.
        if (message.type === ABORT || message.type === GOODBYE) this.#later(() => this.close('goodbye', error.message));
        else this.#later((session) => session.abort(error.uri, error.message, 'denied'));
    }
  }

  /** Whoever subscribes to much can cause it with each publication. */
  #drop(messageType: number, error: WampError): void {
    this.#host.repeated.say('warn', this.#undelivered(messageType, error), 'message dropped');
  }

  #undelivered(messageType: number, error: WampError): Readonly<Record<string, unknown>> {
    return { peer: this.peer, sessionId: this.#session.id, messageType, reason: error.message };
  }

  #tooLarge(bytes: number): WampError {
    const text = `the message has ${bytes} bytes, but its receiver takes no more than ${this.#peerMaxBytes}`;
    return new WampError(ErrorUri.PAYLOAD_SIZE_EXCEEDED, text);
  }

  /** After the message that is being routed: the router must not be entered a second time before that. */
  #later(act: (session: Session) => void): void {
    const session = this.#session;
    queueMicrotask(() => act(session));
  }

  #closed(): void {
    this.#reader.stop();
    this.#inbox.finish(() => this.#gone());
  }

  #gone(): void {
    this.#outbox.closed();
    this.#session.transportLost(this.#lost);
    this.#host.closed(this);
  }

  warn(facts: Readonly<Record<string, unknown>>, message: string): void {
    this.#host.log.warn({ ...this.#reading(), ...facts }, message);
  }

  /** Who reads too slowly, and what the measure is. */
  #reading(): Readonly<Record<string, unknown>> {
    const { maxUnsentBytes } = this.#host.unsent;
    return { peer: this.peer, sessionId: this.#session.id, maxUnsentBytes };
  }

  giveUp(facts = {}): void {
    if (this.socket.destroyed) return;
    this.#host.repeated.say('warn', { ...this.#reading(), ...facts }, 'slow consumer disconnected');
    this.cut('slow_consumer');
  }
}
