/**
 * Clients of MQTT on the connections of an endpoint, of their own or beside others, by one config after the other. Loaded when a config
 * has them.
 */
import { createSessionDeps } from '../../session/deps.js';
import { livePart } from '../../transport/reload/live-acceptor.js';
import { MqttAcceptor } from '../acceptor.js';
import { MqttClients } from '../clients.js';
import { mqttCountsOf } from '../../metrics/transport-counts.js';
import { loadPacketCodec } from '../packets/packet-codec.js';
import { mqttDeps } from '../transport-deps.js';
import type { Acceptor } from '../../transport/endpoint.js';
import type { LivePart } from '../../transport/reload/live-acceptor.js';
import type { RawProtocolDeps } from '../../transport/universal/protocol.js';
import type { UniversalMqttConfig } from '../schema.js';

/** @throws (rejects) when mqtt-packet is not there, or its authentication cannot be set up. */
export async function liveMqtt<C extends UniversalMqttConfig>(
  config: C,
  { id, router, load, drain, families, logins, metrics, log }: RawProtocolDeps,
): Promise<LivePart<C>> {
  const codec = await loadPacketCodec(`the transport "${id}"`);
  const transportCounts = metrics?.transport(id);
  const counts = mqttCountsOf(transportCounts);
  let clients: MqttClients | undefined;
  const build = async ({ options }: C) => {
    const sections = { auth: options.auth, options };
    const own = await createSessionDeps(sections, { router, log, load, families, logins, counts: transportCounts });
    const ofClients = mqttDeps(options, { sessions: own, codec, counts });
    const ours = (clients ??= new MqttClients(ofClients));
    const acceptor = new MqttAcceptor(options, { sessions: own, clients: ours, codec, log, drain });
    return { own, acceptor, begin: () => ours.renew(ofClients) };
  };
  const part = await livePart(config, build, log);
  return { ...part, acceptor: withClients(part.acceptor, () => clients?.stop()) };
}

/** Clients that are away are there without a connection: they end with the place where they would come back. */
function withClients(connections: Acceptor, end: () => void): Acceptor {
  return {
    start: async () => connections.start?.(),
    accept: (socket) => connections.accept(socket),
    dismiss: async () => connections.dismiss?.(),
    stop: async () => {
      await connections.stop();
      end();
    },
  };
}
