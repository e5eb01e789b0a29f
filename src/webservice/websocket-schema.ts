/**
 * The `websocket` service in the config.
 */
import type { ConfigSchema } from '../schema/dialect.js';
import { debugWithoutEffect } from '../transport/connection-schema.js';
import { websocketKeys } from '../transport/websocket/schema.js';
import type { WebSocketConfig } from '../transport/websocket/schema.js';
import { serviceIdSchema } from './service-schema.js';

export const websocketServiceSchema = {
  type: 'object',
  section: 'Service "websocket"',
  description: 'Takes WebSocket connections on this path: this is where WAMP clients connect.',
  clients: { by: 'WebSocket', browsers: true },
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { const: 'websocket', description: 'The word for this service.' },
    id: serviceIdSchema,
    ...websocketKeys,
  },
  noEffect: debugWithoutEffect,
} as const satisfies ConfigSchema;

export interface WebSocketServiceConfig extends WebSocketConfig {
  readonly type: 'websocket';
  readonly id?: string;
}
