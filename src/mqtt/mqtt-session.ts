/**
 * One session of WAMP of one client of MQTT: CONNECT is HELLO, WELCOME is CONNACK, and requests have callbacks in place of ids. It begins
 * with a connection, and may live on without one.
 *
 *     opening --WELCOME--> waiting --release--> open --end--> over
 *        |                    |                                ^
 *        +--- ABORT, lost ----+----- kill, the node stops -----+
 *
 * Until it is released, what the client sends waits. The router is never entered from here while it routes, with one exception: a will
 * is published when the session is killed, because it has no later chance.
 */
import { Session } from '../session/session.js';
import { CloseUri } from '../wamp/error.js';
import * as m from '../wamp/message.js';
import { PayloadError } from './payload/mapping.js';
import { InOrder, LESS_DECODING, MAX_DECODING } from './payload/in-order.js';
import { Requests } from './requests.js';
import { MqttSubscriptions } from './subscriptions.js';
import { ConnectCode } from './packets/packet.js';
import { helloOf, keepsEvents, refusalCode, willOf } from './hello.js';
import { sayDropped, sayLostFilter, sayNotRetained } from './said.js';
import type { Connect } from './hello.js';
import type { ClientInfo } from '../auth/method.js';
import type { CloseCause, SessionTransport, TransportFacts } from '../session/transport.js';
import type { RouterMessage } from '../wamp/message.js';
import type { Dict } from '../wamp/payload.js';
import type { MqttDeps, MqttLink } from './deps.js';
import type { ClientPacket, ConnectPacket, Message, ServerPacket } from './packets/packet.js';
import type { Publication } from './payload/mapping.js';

/** Whose session it is: all clients until WELCOME, then one of them. None of it is called while the router routes, but `event`. */
export interface SessionOwner {
  /** WELCOME has come. */
  opened(session: MqttSession): void;
  receive(session: MqttSession, packet: ClientPacket): void;
  event(session: MqttSession, event: m.Event): void;
  /** Its connection ended without DISCONNECT. */
  lost(session: MqttSession): void;
  /** The router, or the node, has ended it. */
  ended(session: MqttSession): void;
}

type State = 'opening' | 'waiting' | 'open' | 'over';

export class MqttSession implements SessionTransport {
  readonly client: ClientInfo;
  readonly facts: TransportFacts;
  /** What it has said; once it is let in what is asked for later, without password and will. It may live for long. */
  connect: Connect;
  readonly subscriptions: MqttSubscriptions;
  readonly deps: MqttDeps;
  owner: SessionOwner;
  /** Who the client is, as WELCOME says; empty before. */
  identity: Dict = {};
  /** Whether its realm keeps events, as WELCOME says. */
  #keepsEvents = true;
  readonly #session: Session;
  #link: MqttLink | undefined;
  #state: State = 'opening';
  #will: Message | undefined;
  readonly #requests: Requests;
  /** How many messages of the client have no answer of the router. */
  #publishing = 0;
  /** It ends when the client has nothing under way. */
  #endReason: string | undefined;
  /** What the client sent before it was its turn; `lost` stands for the end of the connection. */
  #early: (ClientPacket | 'lost')[] = [];
  readonly #decoded = new InOrder();
  /** Why nothing is read. */
  readonly #pauses = new Set<'early' | 'session' | 'decoding'>();

  constructor(packet: ConnectPacket, link: MqttLink, owner: SessionOwner, deps: MqttDeps) {
    this.connect = packet;
    this.client = link.client;
    this.facts = link.facts;
    this.owner = owner;
    this.#link = link;
    this.#will = willOf(packet);
    this.deps = deps;
    this.#requests = new Requests((message) => this.#session.receive(message));
    const { topics, limits } = deps;
    const { maxQos, maxSubscriptions } = limits;
    this.subscriptions = new MqttSubscriptions(this.#requests, { topics, maxQos, maxSubscriptions });
    this.#session = new Session(this, deps.sessions);
    this.#pause('early');
  }

  /** Asks to be let in. */
  begin(): void {
    this.#session.receive(helloOf(this.connect, this.deps.realm, this.client));
  }

  /** The session id; 0 before HELLO. */
  get id(): number {
    return this.#session.id;
  }

  /** Undefined when the connection is gone. */
  get link(): MqttLink | undefined {
    return this.#link;
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  /** Takes a packet of the client, all but CONNECT. */
  receive(packet: ClientPacket): void {
    if (this.#link === undefined || this.#state === 'over') return;
    if (this.#state === 'open') this.owner.receive(this, packet);
    else this.#early.push(packet);
  }

  /** The connection is gone, without DISCONNECT: closed, silent for too long, or with a packet that is none. */
  lost(reason = 'transport lost'): void {
    if (this.#link === undefined) return;
    if (this.#state === 'open') return this.#gone();
    if (this.#state === 'waiting') return void this.#early.push('lost');
    this.#link = undefined;
    this.#end(reason);
    this.owner.lost(this);
  }

  /** The CONNECT takes too long. */
  overdue(timeoutMs: number): void {
    this.#session.overdue(timeoutMs);
  }

  /** The node stops. */
  shutdown(): void {
    this.publishWill();
    this.#session.shutdown(false);
  }

  /** The client is let in. */
  accept(sessionPresent: boolean): void {
    this.tell({ cmd: 'connack', returnCode: ConnectCode.ACCEPTED, sessionPresent });
    this.#link?.opened();
  }

  /** What the client sends is taken from now on, that which came before first. */
  release(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'open';
    const early = this.#early;
    this.#early = [];
    for (const packet of early) {
      if (packet === 'lost') this.lost();
      else this.receive(packet);
    }
    this.#goOn('early');
  }

  /** Sends a packet, if the client is there. */
  tell(packet: ServerPacket): void {
    this.#link?.send(this.deps.encode(packet), true);
  }

  /** Closes the connection; the session goes on. @param cause why, where it is not the client who wants it. */
  closeLink(text: string, cause?: CloseCause): void {
    const link = this.#link;
    this.#link = undefined;
    link?.end(text, cause);
  }

  /** The connection has dropped an event, because the client reads too slowly. */
  eventDropped(): void {
    this.#session.eventDropped();
  }

  /** A fault of ours: the session ends. */
  fail(error: unknown): void {
    this.#session.fail(error);
  }

  /** The client said DISCONNECT: there is no will any more. */
  forgetWill(): void {
    this.#will = undefined;
  }

  /** Publishes the will, once. Whether it may be published is asked now. */
  publishWill(): void {
    const will = this.#will;
    this.#will = undefined;
    if (will !== undefined && this.#session.established) this.publish(will, () => undefined);
  }

  /** @param done called when the router has taken or refused it: MQTT 3.1.1 has one answer for both. At once with QoS 0. */
  publish(message: Message, done: () => void): void {
    const { topic, payload, qos } = message;
    const uri = this.deps.topics.uriOf(topic);
    const publication = this.#decode(uri, topic, payload);
    if (qos === 0) done();
    this.#publishing += 1;
    const ended = (): void => {
      this.#publishing -= 1;
      this.#goOn('decoding');
      if (qos > 0) done();
      this.#endIfIdle();
    };
    const drop = (error: unknown): void => {
      this.#refused(uri, error);
      ended();
    };
    const publish = (decoded: Publication | undefined): void => {
      if (decoded === undefined) return drop(undefined);
      this.#publish(uri, message, decoded, ended);
    };
    this.#decoded.add(publication, publish, drop, payload.length);
    if (this.#decoded.isFull(MAX_DECODING)) this.#pause('decoding');
  }

  /** Ends the session when what the client has sent is published. Its events count no more. */
  endWhenIdle(reason: string): void {
    this.#endReason = reason;
    this.#endIfIdle();
  }

  // What the session asks for.

  get waitingBytes(): number | undefined {
    return this.#link?.waitingBytes;
  }

  send(message: RouterMessage): void {
    if (message.type === m.EVENT) return this.owner.event(this, message);
    this.#requests.hear(() => this.#hear(message));
  }

  close(cause: CloseCause, text: string): void {
    if (this.#state === 'opening') {
      const isBug = cause === 'protocol_violation' || cause === 'denied';
      this.#refuse(isBug ? ConnectCode.NOT_AUTHORIZED : ConnectCode.UNAVAILABLE, cause, text);
    }
    this.closeLink(text, cause);
    this.#over();
  }

  challenged(): void {
    // All that the client can say is in its CONNECT.
  }

  sessionOpened(): void {
    this.#state = 'waiting';
    this.connect = { clean: this.connect.clean, clientId: this.connect.clientId };
    // The session is in the middle of its joining.
    queueMicrotask(() => {
      if (this.#state === 'waiting') this.owner.opened(this);
    });
  }

  sessionClosing(): void {
    // The answer is given for the client, at once.
  }

  sessionEnded(): void {
    this.#over();
  }

  pauseReading(): void {
    this.#pause('session');
  }

  resumeReading(): void {
    this.#goOn('session');
  }

  #hear(message: Exclude<RouterMessage, m.Event>): void {
    switch (message.type) {
      case m.PUBLISHED:
      case m.SUBSCRIBED:
      case m.ERROR:
        return this.#requests.answered(message);
      case m.UNSUBSCRIBED:
        if (message.requestId === 0) return this.#revoked(message.details);
        return this.#requests.answered(message);
      case m.CHALLENGE:
        return this.#challenge(message.authmethod);
      case m.WELCOME:
        this.identity = message.details;
        this.#keepsEvents = keepsEvents(message);
        return;
      case m.ABORT:
        if (this.#state === 'opening') this.#refuse(refusalCode(this.connect, message.reason), 'denied');
        return;
      case m.GOODBYE:
        return this.#goodbye();
      default:
      // It neither calls nor is called.
    }
  }

  #decode(uri: string, topic: string, payload: Buffer): Publication | undefined | Promise<Publication> {
    try {
      return this.deps.mappingOf(uri)?.decode({ topic, payload });
    } catch (error) {
      // What is no PayloadError ends the session, in its turn.
      return Promise.reject(error instanceof Error ? error : new Error('a payload mapping failed', { cause: error }));
    }
  }

  #publish(
    topic: string,
    { qos, retain, payload: bytes }: Message,
    { options, payload }: Publication,
    done: () => void,
  ) {
    if (this.#state === 'over') return done();
    const clears = retain && bytes.length === 0;
    // Acknowledged also with QoS 0: a session that ends waits for its messages, and what is refused is counted.
    const asked = { ...options, acknowledge: true, exclude_me: false, ...(retain && !clears && { retain }) };
    this.#requests.publish({ options: asked, topic, payload, mqtt: { qos, clears } }, (answer) => {
      if (answer.type === m.ERROR) this.#refused(topic, answer.error);
      else if (retain && !clears && !this.#keepsEvents)
        sayNotRetained(this.deps.sessions, { sessionId: this.id, topic });
      done();
    });
  }

  #refused(topic: string, error: unknown): void {
    this.deps.counts.refusedMessages += 1;
    if (error instanceof Error && !(error instanceof PayloadError)) return this.#session.fail(error);
    const reason = error instanceof Error ? error.message : error;
    sayDropped(this.deps.sessions, { sessionId: this.id, topic }, reason);
  }

  #revoked(details: Dict | undefined): void {
    const filters = this.subscriptions.revoked(Number(details?.subscription));
    for (const filter of filters) this.lostFilter(filter);
  }

  /** The client has no word for it: it is not subscribed any more. */
  lostFilter(filter: string): void {
    sayLostFilter(this.deps.sessions, this.id, filter);
  }

  /** The password was in the CONNECT. */
  #challenge(authmethod: string): void {
    const signature = this.connect.password?.toString() ?? '';
    queueMicrotask(() => {
      if (this.#state !== 'opening') return;
      if (authmethod === 'ticket') this.#session.receive({ type: m.AUTHENTICATE, signature, extra: m.NO_DETAILS });
      else this.#session.fail(new Error(`a challenge for ${authmethod}, which was not asked for`));
    });
  }

  #refuse(returnCode: number, cause: CloseCause, text = 'refused'): void {
    if (this.#link === undefined) return;
    this.tell({ cmd: 'connack', returnCode, sessionPresent: false });
    this.closeLink(text, cause);
  }

  /** The session is killed: it is still in the realm. */
  #goodbye(): void {
    if (this.#endReason !== undefined || this.#state === 'over') return;
    this.publishWill();
    this.#requests.flush();
    queueMicrotask(() => {
      this.#session.receive({ type: m.GOODBYE, details: m.NO_DETAILS, reason: CloseUri.GOODBYE_AND_OUT });
    });
  }

  #gone(): void {
    this.#link = undefined;
    this.owner.lost(this);
  }

  #endIfIdle(): void {
    const reason = this.#endReason;
    if (reason === undefined || this.#publishing > 0 || this.#state === 'over') return;
    // It may be an answer of the router that has led here.
    queueMicrotask(() => {
      if (this.#state !== 'over') this.#end(reason);
    });
  }

  #end(reason: string): void {
    this.#state = 'over';
    this.#requests.end();
    this.#session.transportLost(reason);
  }

  /** Not by us. */
  #over(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#requests.end();
    queueMicrotask(() => this.owner.ended(this));
  }

  #pause(reason: 'early' | 'session' | 'decoding'): void {
    if (this.#pauses.size === 0) this.#link?.pauseReading();
    this.#pauses.add(reason);
  }

  #goOn(reason: 'early' | 'session' | 'decoding'): void {
    if (reason === 'decoding' && this.#decoded.isFull(LESS_DECODING)) return;
    if (this.#pauses.delete(reason) && this.#pauses.size === 0) this.#link?.resumeReading();
  }
}
