/**
 * `mqtt`: clients of MQTT over WebSockets on a path. Loaded when a config has one. Its clients are of their own: a client id on this path
 * is another one than the same on a transport. Those that are away stay when the config changes, and go with the path.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { READ_ONLY } from '../../http/methods.js';
import { MqttClients } from '../../mqtt/clients.js';
import { mqttCountsOf } from '../../metrics/transport-counts.js';
import { loadPacketCodec } from '../../mqtt/packets/packet-codec.js';
import { mqttDeps } from '../../mqtt/transport-deps.js';
import { createSessionDeps } from '../../session/deps.js';
import { refuse } from '../../transport/refusal.js';
import { MqttWebSocketAcceptor } from './acceptor.js';
import type { WebRequest, WebService, WebUpgrade } from '../../http/service.js';
import type { MqttDeps } from '../../mqtt/deps.js';
import type { LiveSessionDeps } from '../../session/deps.js';
import type { WebServiceDeps } from '../service.js';
import type { MqttServiceConfig } from './schema.js';

/** What is there when the service has been started. */
interface Running {
  readonly sessions: LiveSessionDeps;
  readonly ofClients: MqttDeps;
  readonly acceptor: MqttWebSocketAcceptor;
}

class MqttService implements WebService {
  /** Of plain requests; an upgrade has rules of its own. */
  readonly methods = READ_ONLY;
  readonly #config: MqttServiceConfig;
  readonly #deps: WebServiceDeps;
  #running: Running | undefined;
  /** Undefined also when another service has them. */
  #clients: MqttClients | undefined;
  /** What was here before, as long as it has connections. */
  readonly #before = new Set<MqttService>();

  constructor(config: MqttServiceConfig, deps: WebServiceDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const { router, load, families, logins, cookies, log, drain, nodeInfo, counts } = this.#deps;
    const { options } = this.#config;
    const codec = await loadPacketCodec('the service "mqtt"');
    const sections = { auth: options.auth, options };
    const sessions = await createSessionDeps(sections, { router, load, log, families, logins, counts });
    const tracker = await cookies?.tracker();
    const ofClients = mqttDeps(options, { sessions, codec, counts: mqttCountsOf(counts) });
    const clients = new MqttClients(ofClients);
    const acceptor = new MqttWebSocketAcceptor(options, clients, {
      ...{ sessions, tracker, codec, log, drain },
      ...(nodeInfo.version !== undefined && { version: nodeInfo.version }),
    });
    this.#clients = clients;
    this.#running = { sessions, ofClients, acceptor };
  }

  /** Clients, and their connections, go on as they are, where the path has the service; else they end one by one. */
  async retire(successor: WebService | undefined): Promise<void> {
    if (!(successor instanceof MqttService)) return this.dismiss();
    const [running, next, clients] = [this.#running, successor.#running, this.#clients];
    if (running === undefined || next === undefined || clients === undefined) return this.dismiss();
    running.sessions.follow(next.sessions);
    clients.renew(next.ofClients);
    next.acceptor.clients = successor.#clients = clients;
    this.#clients = undefined;
    successor.#before.add(this);
    await running.acceptor.retire(next.acceptor);
    successor.#before.delete(this);
  }

  async dismiss(): Promise<void> {
    const before = [...this.#before].map(async (service) => {
      await service.dismiss();
      await service.stop();
    });
    await Promise.all([this.#running?.acceptor.dismiss(), ...before]);
    this.#clients?.stop();
  }

  async stop(): Promise<void> {
    await this.#running?.acceptor.stop();
    this.#clients?.stop();
  }

  handle({ req }: WebRequest, res: ServerResponse): void {
    if (this.#running === undefined) throw new Error('a service for MQTT was asked before it was started');
    this.#running.acceptor.handlePlain(req, res);
  }

  upgrade({ req }: WebUpgrade, socket: Socket, head: Buffer): void {
    if (this.#running === undefined) refuse(socket, 503, 'The node is starting.');
    else this.#running.acceptor.accept(req, socket, head);
  }
}

/** Its own `cookie` section, or the one inherited from a path above, decides who is recognised. */
export function createMqttService(config: MqttServiceConfig, deps: WebServiceDeps): WebService {
  return new MqttService(config, deps);
}
