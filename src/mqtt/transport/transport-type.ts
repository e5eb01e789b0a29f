/** The transport `mqtt`, and MQTT beside other protocols, without what it takes to run one. */
import { urlOf, wampOffer } from '../../transport/transport-type.js';
import type { TransportType, WampSections } from '../../transport/transport-type.js';
import type { RawProtocol } from '../../transport/universal/protocol.js';
import type { MqttTransportConfig, UniversalMqttConfig } from '../schema.js';

/** The fixed header of CONNECT, which is the first packet of every client. */
const CONNECT_OCTET = 0x10;

/** MQTT, where the first octet tells who comes. */
export const mqttProtocol: RawProtocol<UniversalMqttConfig> = {
  type: 'mqtt',
  scheme: 'mqtt',
  firstOctet: CONNECT_OCTET,
  helloTimeoutMs: ({ options }) => options.hello_timeout,
  clients,
  create: async (config, deps) => (await import('./live-mqtt.js')).liveMqtt(config, deps),
};

/** The config word `mqtt`. */
export const mqttTransportType: TransportType<MqttTransportConfig> = {
  type: 'mqtt',
  create: async (config, deps) => (await import('./server.js')).createMqttServer(config, deps),
  offer: (config, bound) => ({
    url: urlOf(mqttProtocol.scheme, config.endpoint, bound),
    wamp: wampOffer(clients(config)),
    paths: [],
  }),
  cookieSections: () => [],
};

function clients({ options }: UniversalMqttConfig): WampSections {
  return { auth: options.auth, serializers: [] };
}
