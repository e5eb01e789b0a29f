/**
 * A broker alone: sessions that keep what they got, an observer that keeps what it was told.
 */
import { Budget } from '../../src/router/budget.js';
import { Broker } from '../../src/router/broker/broker.js';
import type { BrokerDeps } from '../../src/router/broker/broker.js';
import { Role } from '../../src/router/role.js';
import type { SubscriptionObserver } from '../../src/router/observer.js';
import type { RouterSession, SessionDetails, SessionStatus } from '../../src/router/session.js';
import type { MqttPublish, Publish, PublishOptions, RouterMessage, SubscribeOptions } from '../../src/wamp/message.js';
import { PUBLISH, SUBSCRIBE, UNSUBSCRIBE } from '../../src/wamp/message.js';
import { payloadOf } from '../../src/wamp/payload.js';
import type { Payload } from '../../src/wamp/payload.js';
import { FakeClock, wire } from './realm.js';

/** A session of which the broker is the only partner. */
export class BrokerSession implements RouterSession {
  readonly id: number;
  readonly authid: string;
  readonly role: Role;
  keptBytes = 0;
  readonly #broker: Broker;
  readonly #features: readonly string[];
  #heard: RouterMessage[] = [];

  constructor(broker: Broker, id: number, role: Role, features: readonly string[]) {
    this.#broker = broker;
    this.id = id;
    this.authid = `authid${id}`;
    this.role = role;
    this.#features = features;
  }

  get authrole(): string {
    return this.role.name;
  }

  get details(): SessionDetails {
    const { id: session, authid, authrole } = this;
    const transport = { peer: `192.0.2.1:${session}` };
    return { session, realm: 'realm1', authid, authrole, authmethod: 'anonymous', authprovider: 'static', transport };
  }

  get status(): SessionStatus {
    return {
      name: this.authid,
      joinedMs: Date.parse('2026-01-01T00:00:00.000Z'),
      waitingBytes: 0,
      received: 0,
      sent: 0,
    };
  }

  announced(role: string, feature: string): boolean {
    return this.#features.includes(`${role}.${feature}`);
  }

  kill(): void {
    this.#broker.remove(this);
  }

  send(message: RouterMessage): void {
    this.#heard.push(message);
  }

  /** What came since the last time, as arrays on the wire. */
  heard(): unknown[][] {
    return this.messages().map(wire);
  }

  messages(): RouterMessage[] {
    const heard = this.#heard;
    this.#heard = [];
    return heard;
  }

  subscribe(topic: string, options: SubscribeOptions = {}): void {
    this.#broker.onSubscribe(this, { type: SUBSCRIBE, requestId: 1, options, topic });
  }

  unsubscribe(subscription: number): void {
    this.#broker.onUnsubscribe(this, { type: UNSUBSCRIBE, requestId: 1, subscription });
  }

  publish(
    topic: string,
    options: PublishOptions = {},
    payload: Payload = payloadOf([topic]),
    mqtt?: MqttPublish,
  ): void {
    const message: Publish = { type: PUBLISH, requestId: 1, options, topic, payload, mqtt };
    this.#broker.onPublish(this, message);
  }
}

/** A broker whose ids count up: subscriptions from 1, publications from 1001, sessions from 1. */
export function testBroker(changes: Partial<BrokerDeps> = {}) {
  const clock = new FakeClock();
  const told: unknown[][] = [];
  const observer = Object.fromEntries(
    (['created', 'joined', 'left', 'deleted'] as const).map((event) => [
      event,
      (
        session: RouterSession,
        { id, uri, subscribers }: { id: number; uri: string; subscribers: readonly unknown[] },
      ) => void told.push([event, session.id, id, uri, subscribers.length]),
    ]),
  ) as unknown as SubscriptionObserver;
  let lastRouterId = 0;
  let lastPublication = 1000;
  let lastSession = 0;
  const broker = new Broker({
    uriRule: 'loose',
    randomId: () => ++lastPublication,
    nextRouterId: () => ++lastRouterId,
    clock: () => clock.now,
    observer,
    budget: new Budget(),
    maxSubscriptions: 10_000,
    ...changes,
  });
  const everything = new Role({ name: 'user', 'allow-by-default': true });
  const session = (role = everything, ...features: string[]) =>
    new BrokerSession(broker, ++lastSession, role, features);
  return { broker, session, clock, told };
}
