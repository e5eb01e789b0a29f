/** The transport `mqtt` without a node around it: a real endpoint, a router, and clients that send octets on real sockets. */
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import type { Socket } from 'node:net';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import mqttPacket from 'mqtt-packet';
import { AUTH_METHODS } from '../../src/auth/registry.js';
import { createLogger } from '../../src/log/logger.js';
import { NodeMetrics } from '../../src/metrics/node-metrics.js';
import { mqttOptionsSchema } from '../../src/mqtt/schema.js';
import type { MqttOptions, MqttTransportConfig } from '../../src/mqtt/schema.js';
import { mqttTransportType } from '../../src/mqtt/transport/transport-type.js';
import { Router } from '../../src/router/router.js';
import type { RoleConfig } from '../../src/router/schema.js';
import type { ConfigSchema } from '../../src/schema/dialect.js';
import { SERIALIZERS } from '../../src/serializer/registry.js';
import { Drain } from '../../src/transport/drain.js';
import { EndpointServer } from '../../src/transport/endpoint.js';
import type { EndpointConfig } from '../../src/transport/endpoint-schema.js';
import type { BoundAddress } from '../../src/transport/listen/listen.js';
import { RawSocketAcceptor } from '../../src/transport/rawsocket/rawsocket.js';
import { rawsocketOptionsSchema } from '../../src/transport/rawsocket/schema.js';
import type { RawSocketConfig } from '../../src/transport/rawsocket/schema.js';
import type { TransportDeps, TransportServer } from '../../src/transport/transport-type.js';
import { systemScheduler } from '../../src/worker/scheduler.js';
import { Certificates } from './certificates.js';
import { everybody, NOBODY_TO_ASK } from './client.js';
import { temporaryDirectory } from './daemon.js';
import type { LogRecord } from './daemon.js';
import { shown } from './mqtt-world.js';
import { RawSocketClient } from './rawsocket-client.js';
import { ALLOW_ALL } from './realm.js';
import { within } from './wamp-client.js';

/** @returns the defaults in a schema of options. */
export function defaultsOf(schema: { readonly properties: unknown }): object {
  const entries = Object.entries(schema.properties as Readonly<Record<string, ConfigSchema>>);
  return Object.fromEntries(
    entries.flatMap(([key, { default: value }]) => (value === undefined ? [] : [[key, value]])),
  );
}

export interface MqttTransportOptions {
  readonly options?: Partial<MqttOptions>;
  readonly endpoint?: 'tcp' | 'unix' | 'tls';
  readonly roles?: readonly RoleConfig[];
  /** `auth` of the options. */
  readonly auth?: object;
}

let certificates: Certificates | undefined;

function endpointOf(kind: 'tcp' | 'unix' | 'tls'): EndpointConfig {
  if (kind === 'unix') {
    return { type: 'unix', path: path.join(temporaryDirectory(), 'mqtt.sock'), mode: '0660', backlog: 16 };
  }
  const tcp = { type: 'tcp', port: 0, interface: '127.0.0.1', shared: false, backlog: 16 } as const;
  if (kind === 'tcp') return tcp;
  certificates ??= new Certificates(temporaryDirectory());
  const tls = { key: certificates.file('server.key'), certificate: certificates.file('server.pem') };
  return { ...tcp, tls: { ...tls, chain_certificates: [] } };
}

export class MqttTransport {
  readonly router: Router;
  readonly logs: LogRecord[] = [];
  readonly metrics = new NodeMetrics();
  readonly config: MqttTransportConfig;
  readonly #deps: TransportDeps;
  readonly #drain: Drain;
  #server: TransportServer | undefined;
  #wamp: EndpointServer | undefined;
  bound: BoundAddress | undefined;

  constructor({ options = {}, endpoint = 'tcp', roles = [ALLOW_ALL], auth }: MqttTransportOptions) {
    const write = (line: string): void => void this.logs.push(JSON.parse(line) as LogRecord);
    const log = createLogger({ level: 'debug', destination: { write } });
    let lastId = 100;
    const parts = { randomId: () => ++lastId, clock: Date.now, scheduler: systemScheduler };
    this.router = new Router([{ name: 'realm1', roles: [...roles] }], parts);
    this.#drain = new Drain({
      ...{ log, saysGoodbye: false, elapsed: () => performance.now(), random: () => 0.5 },
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    });
    const anybody = auth ?? { anonymous: { type: 'static', role: 'anonymous' } };
    const all = { ...defaultsOf(mqttOptionsSchema), realm: 'realm1', auth: anybody, ...options } as MqttOptions;
    this.config = { type: 'mqtt', id: 'transport001', endpoint: endpointOf(endpoint), options: all };
    this.#deps = {
      ...{ router: this.router, log, drain: this.#drain, metrics: this.metrics, ...NOBODY_TO_ASK },
      families: { methods: AUTH_METHODS, serializers: SERIALIZERS },
    } as unknown as TransportDeps;
  }

  static async start(options: MqttTransportOptions = {}): Promise<MqttTransport> {
    const transport = new MqttTransport(options);
    transport.#server = await mqttTransportType.create(transport.config, transport.#deps);
    transport.bound = await transport.#server?.start();
    return transport;
  }

  get port(): number {
    if (this.bound === undefined || !('port' in this.bound)) throw new Error('the test has no port');
    return this.bound.port;
  }

  get counts() {
    return this.metrics.transport('transport001');
  }

  get sessions(): number {
    return this.router.size.realm1?.sessions ?? 0;
  }

  /** The lines of a kind. */
  said(message: string): LogRecord[] {
    return this.logs.filter(({ msg }) => msg === message);
  }

  /** Other options, as a reload of the config has them. */
  async reload(options: Partial<MqttOptions>): Promise<void> {
    const next = { ...this.config, options: { ...this.config.options, ...options } };
    const prepared = await this.#server?.prepare?.(next, { cookieNames: new Set(), privatePaths: [] });
    prepared?.commit();
  }

  /** A client that has sent nothing. */
  async open(): Promise<RawMqtt> {
    const { bound, config } = this;
    if (bound === undefined) throw new Error('the transport has not been started');
    if ('path' in bound) return RawMqtt.of(connectSocket(bound.path), 'connect');
    if (!('tls' in config.endpoint)) return RawMqtt.of(connectSocket(bound.port, '127.0.0.1'), 'connect');
    return RawMqtt.of(connectTls({ port: bound.port, host: '127.0.0.1', rejectUnauthorized: false }), 'secureConnect');
  }

  /** A session of WAMP in JSON, over a RawSocket of the same router. */
  async wamp(): Promise<RawSocketClient> {
    const { router, log } = this.#deps;
    if (this.#wamp === undefined) {
      const config = { serializers: ['json'], options: defaultsOf(rawsocketOptionsSchema) } as RawSocketConfig;
      const sessions = { router, log, authMethods: everybody() };
      const acceptor = new RawSocketAcceptor(config, { sessions, serializers: SERIALIZERS, log, drain: this.#drain });
      this.#wamp = new EndpointServer(endpointOf('tcp'), acceptor, log);
    }
    const bound = await this.#wamp.start();
    return RawSocketClient.join({ port: 'port' in bound ? bound.port : 0 });
  }

  async stop(): Promise<void> {
    await this.#drain.run();
    await Promise.all([this.#server?.stop(), this.#wamp?.stop()]);
  }
}

/** A client that sends octets. */
export class RawMqtt {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  readonly #parser = mqttPacket.parser();
  readonly #got: string[] = [];
  #hasEnded = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.#parser.on('packet', (packet) => {
      this.#got.push(shown(packet as unknown as Record<string, unknown>));
      this.#wake();
    });
    socket.on('data', (chunk: Buffer) => this.#parser.parse(chunk)).on('error', () => undefined);
    this.closed = new Promise<void>((resolve) => {
      socket.on('close', () => {
        this.#hasEnded = true;
        this.#wake();
        resolve();
      });
    });
  }

  static async of(socket: Socket, ready: string): Promise<RawMqtt> {
    await within(once(socket, ready), 'connect');
    socket.setNoDelay(true);
    return new RawMqtt(socket);
  }

  write(...packets: readonly Buffer[]): this {
    this.socket.write(Buffer.concat(packets));
    return this;
  }

  /** @returns the next packet; `closed` when none comes any more. */
  async next(): Promise<string> {
    return (await this.take(1))[0] ?? 'closed';
  }

  /** @returns so many packets; fewer when the connection ends before. */
  async take(count: number): Promise<string[]> {
    const enough = async (): Promise<void> => {
      while (this.#got.length < count && !this.#hasEnded) await new Promise<void>((resolve) => (this.#wake = resolve));
    };
    await within(enough(), `${count} packets`);
    return this.#got.splice(0, count);
  }
}
