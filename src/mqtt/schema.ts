/** How the clients of MQTT of one transport are treated. */
import { authOptionsSchema } from '../auth/options-schema.js';
import { authSchema } from '../auth/schema.js';
import {
  connectionLimitKeys,
  debugWithoutEffect,
  maxUnsentBytesSchema,
  timeout,
} from '../transport/connection-schema.js';
import { endpointSchema, transportIdSchema } from '../transport/endpoint-schema.js';
import { payloadMappingSchema } from './payload/schema.js';
import type { Checked, ConfigSchema } from '../schema/dialect.js';
import type { EndpointConfig } from '../transport/endpoint-schema.js';
import type { Qos } from '../wamp/message.js';
import type { MqttLimits } from './deps.js';

const keptKeys = {
  session_expiry: {
    type: 'integer',
    minimum: 0,
    maximum: 2_000_000,
    allowed: 'seconds from 0 to 2000000',
    default: 3600,
    description:
      'Seconds for which a client without `clean session` is kept while it is away, with its subscriptions and what comes for it; 0: no client is. When the node starts again nothing of it is left. An addition to the keys of Crossbar.io.',
  },
  max_kept: {
    type: 'integer',
    minimum: 1,
    maximum: 1_000_000,
    default: 10_000,
    description:
      'How many clients are kept while they are away. One more, and the one that was away for longest is forgotten. An addition to the keys of Crossbar.io.',
  },
  max_kept_bytes: {
    type: 'integer',
    minimum: 1,
    maximum: 68_719_476_736,
    default: 67_108_864,
    description:
      'How many bytes all clients together may take that are away: the messages that wait, the filters, the client ids, and some 4 KiB for each client. Beyond it the one that was away for longest is forgotten. An addition to the keys of Crossbar.io.',
  },
} as const satisfies Readonly<Record<string, ConfigSchema>>;

const queueKeys = {
  max_inflight: {
    type: 'integer',
    minimum: 1,
    maximum: 65_535,
    default: 100,
    description:
      'How many messages with QoS 1 and 2 a client may have that it has not answered. Those behind them wait. An addition to the keys of Crossbar.io.',
  },
  max_queued: {
    type: 'integer',
    minimum: 0,
    maximum: 1_000_000,
    default: 1000,
    description:
      'How many messages with QoS 1 and 2 may wait for one client, also while it is away. The newest are dropped beyond it. Those with QoS 0 never wait. An addition to the keys of Crossbar.io.',
  },
  max_queued_bytes: {
    type: 'integer',
    minimum: 1,
    maximum: 1_073_741_824,
    default: 1_048_576,
    description:
      'How many bytes they may take, together with those that the client has not answered. Each counts 320 bytes more than its packet. An addition to the keys of Crossbar.io.',
  },
} as const satisfies Readonly<Record<string, ConfigSchema>>;

/** The value of `options` of a transport for MQTT. */
export const mqttOptionsSchema = {
  type: 'object',
  section: 'MQTT options',
  reload: 'new connections',
  standsAt: 'options of an mqtt transport',
  description: 'Where clients of MQTT go, and how they are treated.',
  clients: { by: 'transport for MQTT', browsers: false, calls: false },
  required: ['realm'],
  additionalProperties: false,
  properties: {
    realm: { type: 'string', is: 'realm', minLength: 1, description: 'The realm that all clients join.' },
    auth: authSchema,
    topic_mapping: {
      type: 'string',
      enum: ['escaped', 'crossbar'],
      default: 'escaped',
      description:
        'How topics become URIs: `/` is `.` in both. `escaped` writes what has no place in a component as `%XX`, so that each topic has a URI of its own; with `crossbar`, as in Crossbar.io, `a.b` and `a/b` are one topic. An addition to the keys of Crossbar.io.',
    },
    payload_mapping: payloadMappingSchema,
    max_qos: {
      type: 'integer',
      minimum: 0,
      maximum: 2,
      default: 2,
      description:
        'The highest QoS that is granted to a subscription. Messages from clients are taken with any. An addition to the keys of Crossbar.io.',
    },
    ...queueKeys,
    ...keptKeys,
    max_packet_size: {
      type: 'integer',
      minimum: 128,
      maximum: 67_108_864,
      default: 16_777_216,
      description:
        'Largest packet of a client, in bytes. A client that sends more is disconnected. Before it is let in a packet may have 64 KiB, whatever stands here. An addition to the keys of Crossbar.io.',
    },
    max_subscriptions: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      default: 1000,
      description: 'How many filters a client may be subscribed to. An addition to the keys of Crossbar.io.',
    },
    hello_timeout: timeout(
      5_000,
      'How long a client may be connected without having been let in. An addition to the keys of Crossbar.io.',
    ),
    ...authOptionsSchema.properties,
    max_unsent_bytes: maxUnsentBytesSchema,
    ...connectionLimitKeys,
  },
  noEffect: { role: 'Crossbar.io does not read it either: the role of a client comes from how it is authenticated' },
} as const satisfies ConfigSchema;

/** The transport `mqtt`. */
export const mqttTransportSchema = {
  type: 'object',
  section: 'Transport "mqtt"',
  standsAt: 'workers[].transports[]',
  description: 'MQTT 3.1.1 and 3.1: its clients are sessions of a realm, and share its topics with clients of WAMP.',
  required: ['type', 'endpoint', 'options'],
  additionalProperties: false,
  properties: {
    type: { const: 'mqtt', description: 'The word for this transport.' },
    id: transportIdSchema,
    endpoint: endpointSchema,
    options: mqttOptionsSchema,
  },
  noEffect: debugWithoutEffect,
} as const satisfies ConfigSchema;

/** MQTT beside other protocols. */
export const universalMqttSchema = {
  type: 'object',
  section: 'Universal: MQTT',
  standsAt: '...mqtt',
  description: 'MQTT on this endpoint; see the transport "mqtt".',
  absent: 'no MQTT',
  reload: 'new connections',
  required: ['options'],
  additionalProperties: false,
  properties: { options: mqttOptionsSchema },
  noEffect: debugWithoutEffect,
} as const satisfies ConfigSchema;

/** The checked section `mqtt` of a transport of type `universal`. */
export interface UniversalMqttConfig {
  readonly options: MqttOptions;
}

/** A checked transport of type `mqtt`. */
export interface MqttTransportConfig extends UniversalMqttConfig {
  readonly type: 'mqtt';
  readonly id: string;
  readonly endpoint: EndpointConfig;
}

/** The checked options. */
export type MqttOptions = Checked<typeof mqttOptionsSchema>;

/** What they say of the clients. */
export function limitsOf(options: MqttOptions): MqttLimits {
  return {
    // 0, 1 or 2, by the schema.
    maxQos: options.max_qos as Qos,
    maxInflight: options.max_inflight,
    // The other half of the room is for answers and for messages of QoS 0.
    maxInflightBytes: options.max_unsent_bytes / 2,
    maxQueued: options.max_queued,
    maxQueuedBytes: options.max_queued_bytes,
    maxSubscriptions: options.max_subscriptions,
    sessionExpiryMs: options.session_expiry * 1000,
    maxKept: options.max_kept,
    maxKeptBytes: options.max_kept_bytes,
  };
}
