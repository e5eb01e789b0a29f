/** The transport `mqtt`, without what it takes to run one. */
import { urlOf, wampOffer } from '../transport/transport-type.js';
import type { TransportType } from '../transport/transport-type.js';
import type { MqttTransportConfig } from './schema.js';

/** As {@link urlOf} takes it. */
export const MQTT_SCHEME = 'mqtt';

/** The config word `mqtt`. */
export const mqttTransportType: TransportType<MqttTransportConfig> = {
  type: 'mqtt',
  create: async (config, deps) => (await import('./server.js')).createMqttServer(config, deps),
  offer: (config, bound) => ({
    url: urlOf(MQTT_SCHEME, config.endpoint, bound),
    wamp: wampOffer({ auth: config.options.auth, serializers: [] }),
    paths: [],
  }),
  cookieSections: () => [],
};
