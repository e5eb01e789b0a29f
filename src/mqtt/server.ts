/** The server of a transport `mqtt`: connections of MQTT on an endpoint of their own. Loaded when a config has one. */
import { createSessionDeps } from '../session/deps.js';
import { EndpointServer } from '../transport/endpoint.js';
import { trustedProxiesOf } from '../transport/proxies/trusted-proxies.js';
import { LiveServer } from '../transport/reload/live-server.js';
import { MqttAcceptor } from './acceptor.js';
import { MqttClients } from './clients.js';
import { MqttCounts } from './deps.js';
import { loadPacketCodec } from './packets/packet-codec.js';
import { mqttDeps } from './transport-deps.js';
import type { TransportDeps } from '../transport/transport-type.js';
import type { Rebuild } from '../transport/reload/live-server.js';
import type { MqttOptions, MqttTransportConfig } from './schema.js';

/** @throws (rejects) when mqtt-packet is not there, or its authentication cannot be set up. */
export async function createMqttServer(config: MqttTransportConfig, deps: TransportDeps): Promise<MqttServer> {
  const { router, load, drain, families, logins, proxyTrust, metrics, log: parent } = deps;
  const log = parent.child({ transport: config.id });
  const counts = metrics?.transport(config.id);
  const codec = await loadPacketCodec(`the transport "${config.id}"`);
  const mqttCounts = new MqttCounts();
  const prepare = async (options: MqttOptions) => {
    const own = await createSessionDeps(
      { auth: options.auth, options },
      { router, log, load, families, logins, counts },
    );
    return { own, ofClients: mqttDeps(options, { sessions: own, codec, counts: mqttCounts }) };
  };
  let running = await prepare(config.options);
  const clients = new MqttClients(running.ofClients);
  const answer = (options: MqttOptions, { own: sessions }: typeof running): MqttAcceptor =>
    new MqttAcceptor(options, { sessions, clients, codec, log, drain });
  let acceptor = answer(config.options, running);
  const trustedProxies = trustedProxiesOf({}, proxyTrust);
  const server = new EndpointServer(config.endpoint, acceptor, log, { trustedProxies, counts });
  return new MqttServer(config, server, clients, async ({ options }) => {
    const next = await prepare(options);
    return {
      commit: () => {
        const old = { ...running, acceptor };
        running = next;
        acceptor = answer(options, next);
        old.own.follow(next.own);
        clients.renew(next.ofClients);
        const successor = acceptor;
        server.hand(successor, () => old.acceptor.retire(successor));
      },
      discard: async () => next.own.stop?.(),
    };
  });
}

/** Clients that are away are there without a connection: they end with their transport. */
class MqttServer extends LiveServer<MqttTransportConfig> {
  readonly #clients: MqttClients;

  constructor(
    config: MqttTransportConfig,
    server: EndpointServer,
    clients: MqttClients,
    rebuild: Rebuild<MqttTransportConfig>,
  ) {
    super(config, server, rebuild);
    this.#clients = clients;
  }

  override async stop(): Promise<void> {
    await super.stop();
    this.#clients.stop();
  }

  override async dismiss(): Promise<void> {
    await super.dismiss();
    this.#clients.stop();
  }
}
