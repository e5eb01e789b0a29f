/** Clients of MQTT without sockets: real packets, real sessions of a real router, scripted links, and a clock that the test moves. */
import mqttPacket from 'mqtt-packet';
import type { AuthMethods, ClientInfo } from '../../src/auth/method.js';
import { createLogger, silentLogger } from '../../src/log/logger.js';
import { MqttClients } from '../../src/mqtt/clients.js';
import { MqttCounts } from '../../src/metrics/mqtt-counts.js';
import type { MqttDeps, MqttLimits, MqttLink } from '../../src/mqtt/deps.js';
import { EventFrames } from '../../src/mqtt/event-frames.js';
import type { MqttSession } from '../../src/mqtt/mqtt-session.js';
import type { ClientPacket, ConnectPacket, Message, PublishPacket } from '../../src/mqtt/packets/packet.js';
import { loadPacketCodec } from '../../src/mqtt/packets/packet-codec.js';
import type { MappingOf } from '../../src/mqtt/payload/mappings.js';
import { passthroughMapping } from '../../src/mqtt/payload/passthrough.js';
import { QueuedMemory } from '../../src/mqtt/queued-memory.js';
import { escapedTopics } from '../../src/mqtt/topics.js';
import { Router } from '../../src/router/router.js';
import type { RoleConfig } from '../../src/router/schema.js';
import type { Uplink } from '../../src/router/uplink.js';
import { LargeFrame } from '../../src/serializer/large-frame.js';
import type { Frame } from '../../src/serializer/serializer.js';
import type { Qos } from '../../src/wamp/message.js';
import { clientInfo, everybody } from './client.js';
import { ALLOW_ALL, FakeClock, ScriptedSession } from './realm.js';

const codec = await loadPacketCodec('the test');

export const LIMITS: MqttLimits = {
  ...{ maxQos: 2, maxSubscriptions: 10, sessionExpiryMs: 60_000, maxKept: 3, maxKeptBytes: 10_000_000 },
  ...{ maxInflight: 2, maxInflightBytes: 10_000_000, maxQueued: 100, maxQueuedBytes: 1_000_000 },
};

export interface WorldOptions {
  readonly limits?: Partial<MqttLimits>;
  readonly roles?: readonly RoleConfig[];
  readonly methods?: AuthMethods;
  readonly mappingOf?: MappingOf;
  readonly log?: (line: string) => void;
  /** The other nodes of its realm; default: it is that of one node. */
  readonly uplink?: Uplink;
}

/** Turns that were put off are over. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

export class MqttWorld {
  readonly clock = new FakeClock();
  readonly counts = new MqttCounts();
  readonly router: Router;
  readonly clients: MqttClients;
  readonly deps: MqttDeps;
  /** How many bytes may wait for all clients. */
  maxQueuedBytes = Infinity;
  readonly queued = new QueuedMemory(
    () => this.maxQueuedBytes,
    (callback) => void setImmediate(callback),
  );

  constructor({ limits = {}, roles = [ALLOW_ALL], methods, mappingOf, log: write, uplink }: WorldOptions = {}) {
    let lastId = 100;
    const { clock, counts } = this;
    const parts = { randomId: () => ++lastId, clock: () => clock.now, scheduler: clock };
    const others = uplink === undefined ? {} : { uplinkOf: () => uplink };
    this.router = new Router([{ name: 'realm1', roles: [...roles] }], { ...parts, ...others });
    const log = write === undefined ? silentLogger() : createLogger({ level: 'trace', destination: { write } });
    const mappings = { topics: escapedTopics, mappingOf: mappingOf ?? (() => passthroughMapping) };
    this.deps = {
      ...mappings,
      ...{ encode: (packet) => codec.encode(packet), counts, realm: 'realm1', limits: { ...LIMITS, ...limits } },
      sessions: { router: this.router, log, authMethods: methods ?? everybody() },
      frames: new EventFrames({ ...mappings, dropped: () => (counts.unfitEvents += 1) }),
      queued: this.queued,
      after: (ms, callback) => clock.after(ms, callback),
    };
    this.clients = new MqttClients(this.deps);
  }

  /** A session of WAMP. It is one more. */
  insider(roleName = 'anonymous'): ScriptedSession {
    const realm = this.router.realm('realm1');
    const role = realm?.role(roleName);
    if (realm === undefined || role === undefined) throw new Error('the test has no realm');
    return new ScriptedSession(realm, this.router.newSessionId(), role);
  }

  /** An operator ends the session of a client. */
  kill({ session }: TestClient, roleName?: string): void {
    this.insider(roleName).tell(48, 1, {}, 'wamp.session.kill', [session?.id]);
  }

  get sessions(): number {
    return this.router.size.realm1?.sessions ?? 0;
  }

  /** Connects, and waits until the answer is there. What it has got before is not taken. */
  async connect(
    clientId: string,
    options: Partial<ConnectPacket> = {},
    info?: Partial<ClientInfo>,
  ): Promise<TestClient> {
    const client = this.arrive(clientId, options, info);
    await settled();
    return client;
  }

  /** The same, and the turn goes on. */
  arrive(clientId: string, options: Partial<ConnectPacket> = {}, info?: Partial<ClientInfo>): TestClient {
    const client = new TestClient(clientInfo(info));
    const packet: ConnectPacket = {
      ...{ cmd: 'connect', protocolVersion: 4, clean: true, keepalive: 0, clientId },
      ...options,
    };
    client.session = this.clients.connect(packet, client);
    return client;
  }
}

/** A network connection, and the client at its other end. */
export class TestClient implements MqttLink {
  readonly client: ClientInfo;
  readonly facts = { peer: '192.0.2.1:1' };
  readonly waitingBytes = 0;
  closed: string | undefined;
  isOpened = false;
  isPaused = false;
  session: MqttSession | undefined;
  /** The frames as they were sent. */
  readonly frames: Buffer[] = [];
  #got: string[] = [];
  #lastId = 0;

  constructor(client: ClientInfo) {
    this.client = client;
  }

  /** One text for each packet since the last look. */
  get got(): string[] {
    return this.#got.splice(0);
  }

  send(frame: Frame): void {
    if (this.closed !== undefined) return;
    const packet = frame instanceof LargeFrame ? frame.joined() : frame;
    this.frames.push(packet);
    const parser = mqttPacket.parser();
    parser.on('packet', (parsed) => this.#got.push(shown(parsed as unknown as Record<string, unknown>)));
    parser.parse(packet);
  }

  opened(): void {
    this.isOpened = true;
  }

  end(text: string): void {
    this.closed ??= text;
  }

  giveUp(): void {
    this.closed ??= 'given up';
  }

  pauseReading(): void {
    this.isPaused = true;
  }

  resumeReading(): void {
    this.isPaused = false;
  }

  say(packet: ClientPacket): this {
    this.session?.receive(packet);
    return this;
  }

  publish(topic: string, text: string, qos: Qos = 0, rest: Partial<PublishPacket> = {}): this {
    const id = qos === 0 ? {} : { messageId: ++this.#lastId };
    return this.say({
      cmd: 'publish',
      topic,
      payload: Buffer.from(text),
      qos,
      retain: false,
      dup: false,
      ...id,
      ...rest,
    });
  }

  subscribe(...filters: readonly (readonly [topic: string, qos: Qos])[]): this {
    const subscriptions = filters.map(([topic, qos]) => ({ topic, qos }));
    return this.say({ cmd: 'subscribe', messageId: ++this.#lastId, subscriptions });
  }

  unsubscribe(...unsubscriptions: readonly string[]): this {
    return this.say({ cmd: 'unsubscribe', messageId: ++this.#lastId, unsubscriptions });
  }

  acknowledge(cmd: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp', messageId: number): this {
    return this.say({ cmd, messageId });
  }

  /** DISCONNECT. */
  leave(): void {
    this.say({ cmd: 'disconnect' });
  }

  /** The connection breaks. */
  break(): void {
    this.session?.lost();
  }
}

export function willOf(topic: string, text: string, qos: Qos = 0, retain = false): Message {
  return { topic, payload: Buffer.from(text), qos, retain };
}

/** @returns a packet as the tests write it. */
export function shown(packet: Record<string, unknown>): string {
  const { cmd, messageId, topic, payload, qos, retain, dup, returnCode, sessionPresent, granted } = packet;
  switch (cmd) {
    case 'connack':
      return `connack ${String(returnCode)}${sessionPresent === true ? ' present' : ''}`;
    case 'publish': {
      const marks = `${qos === 0 ? '' : ` q${String(qos)} #${String(messageId)}`}${retain === true ? ' retained' : ''}`;
      return `${String(topic)} ${String(payload)}${marks}${dup === true ? ' again' : ''}`;
    }
    case 'suback':
      return `suback ${String(messageId)}: ${String(granted)}`;
    default:
      return typeof messageId === 'number' ? `${String(cmd)} ${messageId}` : String(cmd);
  }
}
