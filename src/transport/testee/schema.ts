/**
 * Transports that send back what they get, for the test suites of WebSocket libraries and for measuring. No WAMP is spoken there.
 */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { debugWithoutEffect } from '../connection-schema.js';
import { endpointSchema, transportIdSchema } from '../endpoint-schema.js';
import type { EndpointConfig } from '../endpoint-schema.js';
import { websocketKeys } from '../websocket/schema.js';

const NO_WAMP = 'no WAMP is spoken here';

export const websocketTesteeSchema = {
  type: 'object',
  section: 'Transport "websocket.testee"',
  reload: 'restart of all',
  standsAt: 'workers[].transports[]',
  description:
    'A WebSocket that sends every message back as it is, whatever the path, for the test suites of WebSocket libraries. Everybody may connect. Options that are about WAMP, such as `hello_timeout`, have no meaning here.',
  required: ['type', 'endpoint'],
  additionalProperties: false,
  properties: {
    type: { const: 'websocket.testee', description: 'The word for this transport.' },
    id: transportIdSchema,
    endpoint: endpointSchema,
    url: websocketKeys.url,
    options: websocketKeys.options,
  },
  noEffect: { ...debugWithoutEffect, serializers: NO_WAMP, auth: NO_WAMP, cookie: 'nobody is recognised here' },
} as const satisfies ConfigSchema;

export const testeeTransportSchema = {
  ...websocketTesteeSchema,
  section: 'Testee worker: transport',
  standsAt: 'workers[].transport',
  properties: {
    ...websocketTesteeSchema.properties,
    type: { const: 'websocket', description: 'The word for this transport.' },
  },
} as const satisfies ConfigSchema;

export const streamTesteeSchema = {
  type: 'object',
  section: 'Transport "stream.testee"',
  reload: 'restart of all',
  standsAt: 'workers[].transports[]',
  description: 'Sends back every octet that comes, without any frames. Everybody may connect.',
  required: ['type', 'endpoint'],
  additionalProperties: false,
  properties: {
    type: { const: 'stream.testee', description: 'The word for this transport.' },
    id: transportIdSchema,
    endpoint: endpointSchema,
  },
  noEffect: debugWithoutEffect,
} as const satisfies ConfigSchema;

/** What an echo on a WebSocket is configured with, wherever it stands. */
export interface WebSocketTesteeConfig extends Pick<Checked<typeof websocketTesteeSchema>, 'url' | 'options'> {
  readonly id: string;
  readonly endpoint: EndpointConfig;
}

/** A checked transport of type `websocket.testee`. */
export interface WebSocketTesteeTransportConfig extends WebSocketTesteeConfig {
  readonly type: 'websocket.testee';
}

/** A checked transport of type `stream.testee`. */
export interface StreamTesteeTransportConfig {
  readonly type: 'stream.testee';
  readonly id: string;
  readonly endpoint: EndpointConfig;
}
