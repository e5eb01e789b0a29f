/**
 * One client of MQTT, by its client id: what it keeps while sessions of WAMP and connections come and go.
 *
 *     connected --lost, DISCONNECT--> away --a new connection--> returning --> connected
 *         |                            |
 *         +-- clean                    +-- for too long
 *         +----------------------------+--> dropped
 *
 * Each connection brings a session of its own, so that the client is judged anew. While it is away its last session lives on, and what
 * it hears is queued. When the client returns the old session hears for it until the new one is subscribed to all that the old one is:
 * then both hear the same events, so none is lost, and from the next one on only those of the new session count, so none comes twice.
 */
import { sayRepeated } from '../log/repeated.js';
import { Answers } from './answers.js';
import { frameOf } from './event-frames.js';
import { Incoming } from './incoming.js';
import { Outgoing } from './outgoing.js';
import { SUBSCRIPTION_REFUSED } from './packets/packet.js';
import { InOrder } from './payload/in-order.js';
import { PayloadError } from './payload/mapping.js';
import type { Event, Qos } from '../wamp/message.js';
import type { Answer } from './answers.js';
import type { MqttDeps } from './deps.js';
import type { ShownEvent } from './event-frames.js';
import type { OutgoingOwner } from './outgoing.js';
import type { MqttSession, SessionOwner } from './mqtt-session.js';
import type { ClientPacket, PublishPacket, SubscribePacket, UnsubscribePacket } from './packets/packet.js';

/** What all clients are told of one. */
export interface ClientOwner {
  /** Its connection is gone, and it is to be kept. */
  away(client: MqttClient): void;
  /** There is more that waits for it, while it is away. Called while the router routes. */
  grown(client: MqttClient): void;
  /** It is over. */
  dropped(client: MqttClient): void;
}

/** A client that is away makes room for what others have. */
export const FORGOTTEN = 'client of MQTT forgotten while it was away, to make room';

const TOO_MUCH = 'too much waits for the clients of the node';

/** Of a client and its session, besides what it sends and gets. */
const OVERHEAD_BYTES = 4096;
/** Its key lies in three places, in part, and may have two bytes for each character. */
const KEY_BYTES = 6;

/** A SUBSCRIBE or UNSUBSCRIBE: what is granted for its filters, and the answer. */
interface FilterRequest {
  readonly granted: number[];
  readonly answer: Answer;
}

export class MqttClient implements SessionOwner, OutgoingOwner {
  /** By which it is found: of its principal and its client id. */
  readonly key: string;
  readonly #owner: ClientOwner;
  /** Those of the session whose events count. */
  #deps: MqttDeps;
  readonly #outgoing: Outgoing;
  readonly #incoming = new Incoming();
  /** Whose events count. */
  #current: MqttSession;
  /** Is about to be the current one. */
  #next: MqttSession | undefined;
  /** That of the two that has the connection. */
  #linked: MqttSession | undefined;
  #answers = new Answers();
  /** That of which parts are still to come. */
  #request: FilterRequest | undefined;
  readonly #encoded = new InOrder();
  #isDropped = false;

  /** @param session the first one; it has been let in. */
  constructor(key: string, session: MqttSession, owner: ClientOwner, deps: MqttDeps) {
    this.key = key;
    this.#owner = owner;
    this.#deps = deps;
    this.#outgoing = new Outgoing(deps.limits, this, deps.queued);
    this.#current = session;
  }

  /** Lets the first connection go on. It may be gone already, and the client with it. */
  begin(): void {
    this.#connect(this.#current, false);
    this.#current.release();
  }

  /** Whether it is forgotten when its connection ends. */
  get isClean(): boolean {
    return this.#current.connect.clean;
  }

  get isConnected(): boolean {
    return this.#linked !== undefined;
  }

  /** What it was let in as: `realm`, `authid`, `authrole`. */
  get identity(): MqttSession['identity'] {
    return this.#current.identity;
  }

  /** What is kept for it: messages, and bytes. */
  get size(): Outgoing['size'] {
    return this.#outgoing.size;
  }

  /** How much memory it takes while it is away, about, in bytes: what waits, what it is subscribed to, what it has sent, and itself. */
  get keptBytes(): number {
    const own = OVERHEAD_BYTES + KEY_BYTES * this.key.length + this.#incoming.bytes;
    return own + this.#outgoing.size.bytes + this.#current.subscriptions.bytes;
  }

  /** How many events were dropped because too many waited. */
  get droppedEvents(): number {
    return this.#outgoing.dropped;
  }

  /** Closes the connection for a newer one. Its will is published. */
  takeOver(): void {
    const linked = this.#linked;
    if (linked === undefined) return;
    this.#deps.counts.takenOver += 1;
    linked.closeLink('another connection has the same client id', 'goodbye');
    this.#disconnected(linked);
  }

  /** The client has come back, with a session that has been let in. */
  resume(session: MqttSession): void {
    this.#connect(session, true);
    this.#next = session;
    let awaited = 1;
    const answered = (): void => {
      if (--awaited === 0) this.#switch(session);
    };
    for (const { topic, qos } of this.#current.subscriptions.filters) {
      awaited += 1;
      session.subscriptions.subscribe(topic, qos, false, (granted) => {
        if (granted === undefined) session.lostFilter(topic);
        answered();
      });
    }
    answered();
  }

  /** Forgets all. A connection is closed. */
  drop(reason: string): void {
    if (this.#isDropped) return;
    this.#isDropped = true;
    this.#linked?.closeLink(reason, 'goodbye');
    this.#linked = undefined;
    this.#outgoing.end();
    this.#next?.endWhenIdle(reason);
    this.#current.endWhenIdle(reason);
    this.#owner.dropped(this);
  }

  /** Too much waits for all clients of the process, and much of it for this one. A connection is cut, and its will is published. */
  giveUpForAll(limitBytes: number): void {
    const linked = this.#linked;
    const facts = { limitOfNode: limitBytes, queuedBytes: this.#outgoing.queuedBytes };
    if (linked === undefined) {
      this.#deps.counts.keptDropped += 1;
      sayRepeated(this.#deps.sessions, 'warn', facts, FORGOTTEN);
    } else {
      linked.link?.giveUp(facts);
      linked.closeLink(TOO_MUCH);
      this.#disconnected(linked);
    }
    this.drop(TOO_MUCH);
  }

  /** The node stops: before any client goes, all of them hear what the others leave. */
  publishWill(): void {
    this.#linked?.publishWill();
  }

  /** The node stops. */
  shutdown(): void {
    this.#isDropped = true;
    this.#outgoing.end();
    this.#next?.shutdown();
    this.#current.shutdown();
  }

  // What its sessions say.

  opened(): void {
    // They were open before they were its.
  }

  receive(session: MqttSession, packet: ClientPacket): void {
    switch (packet.cmd) {
      case 'connect':
        return this.lost(session, 'a second CONNECT');
      case 'publish':
        return this.#onPublish(session, packet);
      case 'subscribe':
        return this.#onSubscribe(session, packet);
      case 'unsubscribe':
        return this.#onUnsubscribe(session, packet);
      case 'puback':
        return this.#outgoing.acknowledged(packet.messageId);
      case 'pubrec':
        return this.#outgoing.received(packet.messageId);
      case 'pubcomp':
        return this.#outgoing.completed(packet.messageId);
      case 'pubrel':
        this.#incoming.ends(packet.messageId);
        return session.tell({ cmd: 'pubcomp', messageId: packet.messageId });
      case 'pingreq':
        return session.tell({ cmd: 'pingresp' });
      case 'disconnect':
        session.forgetWill();
        return this.lost(session, 'disconnected');
    }
  }

  event(session: MqttSession, event: Event): void {
    if (session !== this.#current || this.#isDropped) return;
    const { subscriptions } = session;
    const uri = subscriptions.uriOf(event);
    const shown = uri === undefined ? undefined : this.#deps.frames.show(event, uri);
    if (shown === undefined) return;
    const wanted = subscriptions.qosFor(event, shown.topic);
    if (wanted === undefined) return;
    const qos = Math.min(wanted, event.qos ?? 0) as Qos;
    // What would be dropped in the end is not translated.
    if (qos === 0 && this.#linked === undefined) return;
    this.#deliver(shown, qos, event.details.retained === true);
  }

  lost(session: MqttSession, text = 'transport lost'): void {
    session.closeLink(text);
    if (this.#linked === session) this.#disconnected(session);
    if (this.#isDropped || this.isConnected) return;
    if (session.connect.clean) return this.drop(text);
    this.#incoming.rest();
    this.#owner.away(this);
  }

  ended(session: MqttSession): void {
    if (this.#linked === session) {
      this.#linked = undefined;
      this.#outgoing.disconnected();
    }
    if (session === this.#next) {
      this.#next = undefined;
      if (!this.#isDropped) this.#owner.away(this);
      return;
    }
    if (session !== this.#current) return;
    // What it is subscribed to so far is better than nothing.
    if (this.#next !== undefined) this.#switch(this.#next);
    else this.drop('the session has ended');
  }

  #connect(session: MqttSession, sessionPresent: boolean): void {
    session.owner = this;
    this.#answers = new Answers();
    this.#request = undefined;
    this.#linked = session;
    session.accept(sessionPresent);
    if (session.link !== undefined) this.#outgoing.connected(session.link);
  }

  #disconnected(session: MqttSession): void {
    this.#linked = undefined;
    this.#outgoing.disconnected();
    session.publishWill();
    if (session !== this.#next) return;
    // The old one goes on hearing.
    this.#next = undefined;
    session.endWhenIdle('transport lost');
  }

  /** From now on the events of the new session count. */
  #switch(session: MqttSession): void {
    if (this.#next !== session || this.#isDropped) return;
    const old = this.#current;
    this.#current = session;
    this.#next = undefined;
    this.#deps = session.deps;
    this.#outgoing.limit(session.deps.limits);
    old.endWhenIdle('the client has a new session');
    // The router is about to answer maybe.
    queueMicrotask(() => session.release());
  }

  #deliver(shown: ShownEvent, qos: Qos, retain: boolean): void {
    const { payload } = shown;
    if (payload === undefined) return;
    if (this.#encoded.waiting === 0 && !(payload instanceof Promise)) return this.#hand(shown, payload, qos, retain);
    const { maxQueued: results, maxQueuedBytes: bytes } = this.#deps.limits;
    // What need not wait comes also where nothing may.
    if (this.#encoded.waiting > 0 && this.#encoded.isFull({ results, bytes }, shown.bytes)) {
      this.#outgoing.dropped += 1;
      this.#deps.counts.fullEvents += 1;
      return;
    }
    this.#encoded.add(
      payload,
      (bytes) => this.#hand(shown, bytes, qos, retain),
      (error) => this.#unfit(shown.topic, error),
      shown.bytes,
    );
  }

  #hand(shown: ShownEvent, payload: Buffer, qos: Qos, retain: boolean): void {
    if (!this.#outgoing.deliver(frameOf(shown, payload, qos, retain))) {
      if (qos > 0) this.#deps.counts.fullEvents += 1;
    } else if (!this.isConnected) this.#owner.grown(this);
  }

  #unfit(topic: string, error: unknown): void {
    this.#deps.counts.unfitEvents += 1;
    const facts = error instanceof PayloadError ? { topic, reason: error.message } : { topic, err: error };
    sayRepeated(
      this.#deps.sessions,
      error instanceof PayloadError ? 'info' : 'error',
      facts,
      'event for clients of MQTT dropped',
    );
  }

  #onPublish(session: MqttSession, packet: PublishPacket): void {
    const { qos, messageId = 0 } = packet;
    if (qos === 2 && !this.#incoming.begins(messageId)) return session.tell({ cmd: 'pubrec', messageId });
    session.publish(packet, () => {
      if (qos > 0) session.tell({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId });
    });
  }

  #onSubscribe(session: MqttSession, { messageId, subscriptions, goesOn }: SubscribePacket): void {
    const request = (this.#request ??= this.#expect((granted) => session.tell({ cmd: 'suback', messageId, granted })));
    const { granted, answer } = request;
    for (const { topic, qos } of subscriptions) {
      const index = granted.push(SUBSCRIPTION_REFUSED) - 1;
      answer.more();
      session.subscriptions.subscribe(topic, qos, true, (given) => {
        granted[index] = given ?? SUBSCRIPTION_REFUSED;
        answer.done();
      });
    }
    if (goesOn !== true) this.#complete(request);
  }

  #onUnsubscribe(session: MqttSession, { messageId, unsubscriptions, goesOn }: UnsubscribePacket): void {
    const request = (this.#request ??= this.#expect(() => session.tell({ cmd: 'unsuback', messageId })));
    for (const filter of unsubscriptions) {
      request.answer.more();
      session.subscriptions.unsubscribe(filter, request.answer.done);
    }
    if (goesOn !== true) this.#complete(request);
  }

  #expect(send: (granted: readonly number[]) => void): FilterRequest {
    const granted: number[] = [];
    return { granted, answer: this.#answers.expect(() => send(granted)) };
  }

  #complete({ answer }: FilterRequest): void {
    this.#request = undefined;
    answer.done();
  }
}
