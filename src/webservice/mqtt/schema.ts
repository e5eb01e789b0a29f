/** The `mqtt` service in the config. */
import { mqttOptionsSchema } from '../../mqtt/schema.js';
import { tcpNodelaySchema, timeout } from '../../transport/connection-schema.js';
import { websocketOptionsSchema } from '../../transport/websocket/schema.js';
import { serviceKeys } from '../service-schema.js';
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import type { Service } from '../service-schema.js';

const { allowed_origins, allow_null_origin, compression, show_server_version } = websocketOptionsSchema.properties;
const { open_handshake_timeout, close_handshake_timeout } = websocketOptionsSchema.properties;

/** What its WebSockets have beside what clients of MQTT have anywhere. */
const webSocketKeys = {
  ...{ allowed_origins, allow_null_origin, open_handshake_timeout, close_handshake_timeout },
  auto_ping_interval: timeout(
    30_000,
    'How often to ping the WebSocket, whatever the keep-alive of the client. 30 seconds keep most proxies from dropping an idle connection.',
  ),
  auto_ping_timeout: timeout(20_000, 'How long to wait for the pong before the connection is taken for dead.'),
  tcp_nodelay: tcpNodelaySchema,
  ...{ show_server_version, compression },
} as const satisfies Readonly<Record<string, ConfigSchema>>;

export const mqttServiceSchema = {
  type: 'object',
  section: 'Service "mqtt"',
  description:
    'MQTT 3.1.1 and 3.1 over WebSockets on this path, for mqtt.js in browsers: the subprotocol is `mqtt`, or `mqttv3.1`. Browsers are recognised by their cookies, as those of WAMP are. An addition to the services of Crossbar.io.',
  required: ['type', 'options'],
  additionalProperties: false,
  properties: {
    type: { const: 'mqtt', description: 'The word for this service.' },
    ...serviceKeys,
    options: {
      type: 'object',
      section: 'Service "mqtt": options',
      standsAt: 'options of an mqtt service',
      reload: 'new connections',
      description:
        'Where its clients go, and how they are treated: the options of the transport, and some of WebSockets.',
      clients: { by: 'WebSocket of MQTT', browsers: true, calls: false, areOptions: true },
      required: ['realm'],
      additionalProperties: false,
      properties: { ...mqttOptionsSchema.properties, ...webSocketKeys },
    },
  },
} as const satisfies ConfigSchema;

export type MqttServiceConfig = Service<Checked<typeof mqttServiceSchema>>;
