/** The server of a transport `mqtt`: connections of MQTT on an endpoint of their own. Loaded when a config has one. */
import { EndpointServer } from '../../transport/endpoint.js';
import { trustedProxiesOf } from '../../transport/proxies/trusted-proxies.js';
import { LiveServer } from '../../transport/reload/live-server.js';
import { liveMqtt } from './live-mqtt.js';
import type { TransportDeps, TransportServer } from '../../transport/transport-type.js';
import type { MqttTransportConfig } from '../schema.js';

/** @throws (rejects) when mqtt-packet is not there, or its authentication cannot be set up. */
export async function createMqttServer(config: MqttTransportConfig, deps: TransportDeps): Promise<TransportServer> {
  const { id, endpoint } = config;
  const log = deps.log.child({ transport: id });
  const part = await liveMqtt(config, { ...deps, id, log });
  const trustedProxies = trustedProxiesOf({}, deps.proxyTrust);
  const counts = deps.metrics?.transport(id);
  // Those who share a port have one realm and the same options: the first of them serves all.
  const shared = deps.sharedPorts?.of(endpoint);
  const server = new EndpointServer(endpoint, part.acceptor, log, { shared, trustedProxies, counts });
  // What several transports share cannot change for one of them.
  if (shared !== undefined) return server;
  return new LiveServer<MqttTransportConfig>(config, server, (next) => part.prepare(next));
}
