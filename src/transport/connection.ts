/**
 * WAMP over one connection, whatever its frames are: messages of the client in order to the session, messages of the session
 * framed and written. It lives as long as the connection and may carry several sessions, one after the other:
 *
 *     waiting for HELLO --WELCOME--> in a session --GOODBYE--> waiting for HELLO, at once or after a rest
 *          |                              |
 *          +------------------------------+--> closing --> gone
 *
 * What WebSocket, RawSocket and long-poll do differently is a {@link Wire}. It knows no frames.
 */
import { isUtf8 } from 'node:buffer';
import { ErrorUri, ProtocolViolation } from '../wamp/error.js';
import { EVENT } from '../wamp/message.js';
import { MAX_OPENING_BYTES, OPENING_TOO_LARGE } from '../session/opening.js';
import { LargeFrame } from '../serializer/large-frame.js';
import { sessionOf } from '../session/session-of.js';
import { frameOf, tooLarge } from './codecs.js';
import { receiveBatch, receiveLater } from './decoding/decoding.js';
import { decodingThread } from './decoding-thread.js';
import { spokenForms } from '../serializer/spoken-forms.js';
import { TOO_MANY_LARGE, textOf } from './endings.js';
import { turns } from './fair-scheduler.js';
import { Inbox } from './inbox.js';
import { openConnections } from './open-connections.js';
import { receivedMemory } from './received-memory.js';
import { Outbox } from './outbox/outbox.js';
import { SessionPace } from './session-pace.js';
import type { ClientInfo } from '../auth/method.js';
import type { Codec, Frame } from '../serializer/serializer.js';
import type { CloseCause, ConnectionSession, SessionTransport, TransportFacts } from '../session/transport.js';
import type { ClientMessage, RouterMessage } from '../wamp/message.js';
import type { Decoding } from './decoding/decoding.js';
import type { Fault } from './endings.js';
import type { MessageReceiver } from './inbox.js';
import type { OutboxOwner } from './outbox/outbox.js';
import type { HostedTransport, TransportHost } from './transport-host.js';
import type { Carrier, ConnectionTerms, FrameTaker, MessageSender, Wire } from './wire.js';

/** One connection of a client, see above. */
export class WampConnection implements SessionTransport, HostedTransport, MessageReceiver, OutboxOwner, Decoding {
  readonly client: ClientInfo;
  readonly counted: Carrier;
  active = false;
  ending: HostedTransport['ending'];
  /** The client knows that we have ended its session. */
  hasSaidGoodbye = false;
  readonly codec: Codec;
  /** The largest frame that the client takes, in bytes. */
  readonly maxFrameBytes: number;
  /** The way in; the wire fills it. */
  readonly inbox: Inbox;
  readonly #wire: Wire;
  readonly #host: TransportHost;
  readonly #outbox: Outbox;
  readonly #sender: MessageSender | undefined;
  readonly #taker: FrameTaker | undefined;
  readonly #checksUtf8: boolean;
  #session: ConnectionSession;
  /** Made when the first session has ended. */
  #pace: SessionPace | undefined;
  #isResting = false;
  /** Nothing more is sent. */
  #isClosing = false;

  constructor(wire: Wire, terms: ConnectionTerms, host: TransportHost) {
    const { socket, client, codec, sender, taker, maxFrameBytes = Infinity, checksUtf8 } = terms;
    this.#wire = wire;
    this.#host = host;
    this.counted = socket;
    this.client = client;
    this.codec = codec;
    this.#sender = sender;
    this.#taker = taker;
    this.maxFrameBytes = maxFrameBytes;
    spokenForms.add(codec.serializer.form);
    this.#checksUtf8 = checksUtf8 && !codec.serializer.binary;
    this.inbox = new Inbox(this, turns);
    this.#outbox = new Outbox(socket, host.unsent, this);
    this.#session = sessionOf(this, host.sessions);
    this.#awaitHello();
  }

  // What the session asks for.

  get facts(): TransportFacts {
    return this.#wire.facts;
  }

  get waitingBytes(): number {
    return this.#taker?.waitingBytes ?? this.#outbox.unsentBytes;
  }

  send(message: RouterMessage): void {
    // A client that was given up in this turn still has its subscriptions: nothing is encoded for it.
    if (this.#isClosing || this.counted.destroyed) return;
    let frame: Frame;
    try {
      frame = frameOf(message, this.codec);
      if (frame.length > this.maxFrameBytes) throw tooLarge(frame, this.codec, this.maxFrameBytes);
    } catch (error) {
      return this.#wire.notSent(message, error);
    }
    this.#host.counts.sentBytes += frame.length;
    this.#sendFrame(frame, message.type === EVENT);
  }

  close(cause: CloseCause, text: string): void {
    if (!this.#isClosing) this.#host.ended(cause, this.#who(text));
    this.endFor(cause, text);
  }

  challenged(): void {
    this.#host.awaitAuthenticate(this);
  }

  sessionOpened(): void {
    openConnections.inUse(this.counted);
    this.#host.gotHello(this);
    this.#wire.stands?.(true);
  }

  sessionClosing(): void {
    this.hasSaidGoodbye = true;
    this.#awaitHello();
  }

  sessionEnded(): void {
    this.#session = sessionOf(this, this.#host.sessions);
    this.#awaitHello();
    this.#pace ??= new SessionPace();
    if (!this.#pace.ended(performance.now())) return;
    this.#isResting = true;
    this.inbox.hold();
    this.#host.rest(this);
  }

  pauseReading(): void {
    this.inbox.hold();
  }

  resumeReading(): void {
    if (!this.#isResting) this.inbox.release();
  }

  // What the host asks for.

  get peer(): string {
    return this.client.peer;
  }

  get paused(): boolean {
    return this.#wire.isPaused;
  }

  get isCallee(): boolean {
    return this.#session.isCallee;
  }

  get isBusy(): boolean {
    return this.#session.isBusy;
  }

  /** Control frames are never compressed, so that they need no sender. */
  ping(frame: Buffer): void {
    if (!this.#isClosing) this.#outbox.write(frame);
  }

  rested(): void {
    this.#isResting = false;
    this.inbox.release();
  }

  helloOverdue(timeoutMs: number): void {
    this.#session.overdue(timeoutMs);
  }

  shutdown(saysGoodbye: boolean): void {
    this.#session.shutdown(saysGoodbye);
  }

  evict(text: string): void {
    this.inbox.close();
    this.ending ??= 'evicted';
    this.#wire.evict(text);
  }

  cut(fault: Fault): void {
    this.ending ??= fault;
    this.#host.ended(fault, this.#who());
    this.terminate();
  }

  terminate(): void {
    this.inbox.close();
    this.#wire.terminate();
  }

  // What the inbox asks for.

  deliver(data: Buffer, binary: boolean): void {
    const session = this.#session;
    this.#host.counts.receivedBytes += data.length;
    try {
      const { serializer } = this.codec;
      if (binary !== serializer.binary) {
        throw new ProtocolViolation(`${serializer.type} travels in ${serializer.binary ? 'binary' : 'text'} messages`);
      }
      if (this.#checksUtf8 && !isUtf8(data)) throw new ProtocolViolation('the message is not valid UTF-8');
      if (data.length > MAX_OPENING_BYTES && session.isOpening) return this.#refuseLarge();
      if (serializer.split === undefined && decodingThread.isFor(serializer, data)) receiveLater(this, data);
      else if (serializer.split === undefined) session.receive(serializer.decode(data));
      else receiveBatch(this, serializer.split(data)[Symbol.iterator]());
    } catch (error) {
      session.fail(error);
    }
  }

  stopReading(): void {
    this.#wire.pause();
  }

  startReading(): void {
    this.#wire.resume();
  }

  flooded(maxBytes: number): void {
    this.#session.fail(new ProtocolViolation(`more than ${maxBytes} bytes of messages at once, none of them awaited`));
  }

  // What decodes asks for.

  received(message: ClientMessage): void {
    this.#session.receive(message);
  }

  failed(error: unknown): void {
    this.#session.fail(error);
  }

  // What the outbox asks for.

  get unsentBytes(): number | undefined {
    return this.#sender?.bufferedAmount;
  }

  warn(facts: Readonly<Record<string, unknown>>, message: string): void {
    this.#host.log.warn({ ...this.#reading(), ...facts }, message);
  }

  eventDropped(isFirst: boolean): void {
    this.#host.counts.slowDropping += isFirst ? 1 : 0;
    this.#session.eventDropped(isFirst);
  }

  /** What waits for the client would go out before any word about it, so the connection is cut. */
  giveUp(facts = {}): void {
    if (this.counted.destroyed) return;
    this.#host.repeated.say('warn', { ...this.#reading(), ...facts }, 'slow consumer disconnected');
    this.cut('slow_consumer');
  }

  // What the wire tells, and asks for.

  /** As {@link close}, where somebody else has said why. */
  endFor(cause: CloseCause | Fault, text: string): void {
    this.inbox.close();
    if (this.#isClosing) return;
    this.ending ??= cause;
    this.#end(cause, text);
  }

  get serializer(): Codec['serializer'] {
    return this.codec.serializer;
  }

  /** The client sent a ping. */
  pinged(payload: Buffer): void {
    this.active = true;
    this.inbox.act(() => this.ping(this.#wire.pongFrame(payload)));
  }

  ponged(): void {
    this.#host.gotPong(this);
  }

  /** The wire begins its end on its own: what was sent so far goes out before, and nothing behind. */
  closing(): void {
    if (this.#isClosing) return;
    this.#outbox.flush();
    this.#isClosing = true;
  }

  /** The frames of the client are wrong, which ends the session and the connection behind what came before. */
  broken(fault: Fault, reason: string): void {
    this.ending ??= fault;
    this.#host.ended(fault, this.#who(reason));
    this.inbox.finish(() => {
      this.#session.transportLost(textOf(this.ending));
      this.#end(fault, reason);
    });
  }

  /** A message of more than {@link MAX_OPENING_BYTES} begins. @returns whether it may; a stranger is told that it may not. */
  mayBeLarge(): boolean {
    if (!this.isOpening) return true;
    this.inbox.finish(() => this.#refuseLarge());
    return false;
  }

  /** See {@link receivedMemory}. */
  holds(bytes: number): void {
    receivedMemory.hold(this, bytes);
  }

  giveUpReceiving(): void {
    this.#wire.stopReading();
    this.broken('too_many_large', TOO_MANY_LARGE);
  }

  /** The socket is closed. */
  closed(): void {
    this.inbox.finish(() => this.#gone());
  }

  /** Sends what takes the place of a message that could not be sent. */
  substitute(message: RouterMessage): void {
    this.#sendFrame(frameOf(message, this.codec), false);
  }

  /** Behind what the client has sent before. */
  behind(act: (session: ConnectionSession) => void): void {
    this.inbox.act(() => act(this.#session));
  }

  /** After the message that is being routed: the router must not be entered a second time before that. */
  later(act: (session: ConnectionSession) => void): void {
    const session = this.#session;
    queueMicrotask(() => act(session));
  }

  /** Whether the client is a stranger: it has no session. */
  get isOpening(): boolean {
    return this.#session.isOpening;
  }

  get sessionId(): number {
    return this.#session.id;
  }

  /** With its word: clients that only see the connection close would try again. */
  #refuseLarge(): void {
    this.#session.abort(ErrorUri.PROTOCOL_VIOLATION, OPENING_TOO_LARGE, 'too_large');
  }

  #awaitHello(): void {
    openConnections.waits(this.counted);
    this.#host.awaitHello(this);
    this.#wire.stands?.(false);
  }

  #end(cause: CloseCause | Fault, text: string): void {
    if (this.#isClosing) return;
    this.inbox.close();
    this.closing();
    this.#wire.end(cause, text);
  }

  #gone(): void {
    this.#outbox.closed();
    this.#session.transportLost(textOf(this.ending));
    this.client.liveCookie?.left();
    spokenForms.remove(this.codec.serializer.form);
    this.#host.closed(this);
  }

  #sendFrame(frame: Frame, isEvent: boolean): void {
    if (this.#taker !== undefined) {
      turns.note(frame.length);
      this.#taker.take(frame instanceof LargeFrame ? frame.joined() : frame, isEvent);
    } else if (this.#sender === undefined) this.#outbox.write(frame, isEvent);
    else this.#sendElsewhere(this.#sender, frame, isEvent);
  }

  #sendElsewhere(sender: MessageSender, frame: Frame, isEvent: boolean): void {
    if (!this.#outbox.takes(sender.bufferedAmount, isEvent, frame.length)) return;
    turns.note(frame.length);
    const message = frame instanceof LargeFrame ? frame.joined() : frame;
    const kept = sender.send(message, { binary: this.codec.serializer.binary, isEvent });
    this.#outbox.sentElsewhere(Buffer.isBuffer(kept) ? kept : message);
  }

  #who(reason?: string): Readonly<Record<string, unknown>> {
    return { peer: this.peer, sessionId: this.#session.id || undefined, reason };
  }

  /** Who reads too slowly, and what the measure is. */
  #reading(): Readonly<Record<string, unknown>> {
    return { peer: this.peer, sessionId: this.#session.id, maxUnsentBytes: this.#host.unsent.maxUnsentBytes };
  }
}
