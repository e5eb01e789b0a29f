/**
 * The `universal` transport: RawSocket, MQTT and everything that is HTTP on one endpoint.
 */
import { debugWithoutEffect } from '../../transport/connection-schema.js';
import { endpointSchema, transportIdSchema } from '../../transport/endpoint-schema.js';
import type { EndpointConfig } from '../../transport/endpoint-schema.js';
import { universalMqttSchema } from '../../mqtt/schema.js';
import type { UniversalMqttConfig } from '../../mqtt/schema.js';
import { rawsocketKeys } from '../../transport/rawsocket/schema.js';
import type { RawSocketConfig } from '../../transport/rawsocket/schema.js';
import type { ConfigSchema } from '../../schema/dialect.js';
import { pathsSchema } from '../path-schema.js';
import { webTransportSchema } from '../schema.js';
import type { WebTransportConfig } from '../schema.js';
import { checkUniversal } from './rules.js';
import { websocketServiceSchema } from '../websocket-schema.js';
import type { WebSocketServiceConfig } from '../websocket-schema.js';

export const universalRawsocketSchema = {
  type: 'object',
  section: 'Universal: RawSocket',
  standsAt: '...rawsocket',
  description: 'RawSocket on this endpoint; see the transport "rawsocket".',
  absent: 'no RawSocket',
  reload: 'new connections',
  clients: { by: 'RawSocket', browsers: false },
  additionalProperties: false,
  properties: rawsocketKeys,
  noEffect: debugWithoutEffect,
} as const satisfies ConfigSchema;

export const universalWebsocketSchema = {
  ...websocketServiceSchema,
  section: 'Universal: WebSocket',
  standsAt: '...websocket.PATH',
  description: 'A WebSocket on this path; see the service "websocket".',
  required: [],
  properties: {
    ...websocketServiceSchema.properties,
    type: { const: 'websocket', default: 'websocket', description: 'The word for the service.' },
  },
} as const satisfies ConfigSchema;

export const universalWebSchema = {
  type: 'object',
  section: 'Universal: web',
  standsAt: '...web',
  default: {},
  reload: 'new requests',
  description: 'Web services on this endpoint; see the transport "web".',
  additionalProperties: false,
  properties: {
    paths: { ...pathsSchema, default: {} },
    options: webTransportSchema.properties.options,
    cookie: webTransportSchema.properties.cookie,
  },
} as const satisfies ConfigSchema;

export const universalTransportSchema = {
  type: 'object',
  section: 'Transport "universal"',
  standsAt: 'workers[].transports[]',
  description:
    'RawSocket, MQTT, WebSockets and web services on one port: the first octet that a client sends tells what it speaks.',
  rules: checkUniversal,
  required: ['type', 'endpoint'],
  additionalProperties: false,
  properties: {
    type: { const: 'universal', description: 'The word for this transport.' },
    id: transportIdSchema,
    endpoint: endpointSchema,
    rawsocket: universalRawsocketSchema,
    mqtt: universalMqttSchema,
    websocket: {
      type: 'object',
      default: {},
      description: 'The WebSockets by path segment, beside the paths of `web`.',
      below: 'web',
      reload: 'new requests',
      propertyNames: pathsSchema.propertyNames,
      additionalProperties: universalWebsocketSchema,
    },
    web: universalWebSchema,
  },
  noEffect: debugWithoutEffect,
} as const satisfies ConfigSchema;

/** The sections of the protocols without HTTP. */
export interface RawSections {
  readonly rawsocket: RawSocketConfig;
  readonly mqtt: UniversalMqttConfig;
}

/** A checked transport of type `universal`. */
export interface UniversalTransportConfig extends Partial<RawSections> {
  readonly type: 'universal';
  readonly id: string;
  readonly endpoint: EndpointConfig;
  readonly websocket: Readonly<Record<string, WebSocketServiceConfig>>;
  readonly web: Pick<WebTransportConfig, 'paths' | 'options' | 'cookie'>;
}
