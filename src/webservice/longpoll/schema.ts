/** The `longpoll` service in the config. */
import { debugWithoutEffect } from '../../transport/connection-schema.js';
import { longPollKeys } from '../../transport/longpoll/schema.js';
import type { ConfigSchema } from '../../schema/dialect.js';
import type { LongPollConfig } from '../../transport/longpoll/schema.js';
import { serviceIdSchema } from '../service-schema.js';

export const longPollSchema = {
  type: 'object',
  section: 'Service "longpoll"',
  description:
    'Takes WAMP clients that cannot open WebSockets, over plain HTTP requests: the transport `longpoll` of autobahn-js.',
  clients: { by: 'long-poll service', browsers: true },
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { const: 'longpoll', description: 'The word for this service.' },
    id: serviceIdSchema,
    ...longPollKeys,
  },
  noEffect: debugWithoutEffect,
} as const satisfies ConfigSchema;

/** A checked service. */
export interface LongPollServiceConfig extends LongPollConfig {
  readonly type: 'longpoll';
  readonly id?: string;
}
