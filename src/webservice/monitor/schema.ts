/**
 * The `monitor` service in the config.
 */
import { authSchema } from '../../auth/schema.js';
import { debugWithoutEffect } from '../../transport/connection-schema.js';
import { websocketOptionsSchema } from '../../transport/websocket/schema.js';
import { serviceKeys } from '../service-schema.js';
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import type { Service } from '../service-schema.js';

export const monitorSchema = {
  type: 'object',
  section: 'Service "monitor"',
  description:
    'Serves the page for operators, and takes its WebSocket on the path `ws` below. Who logs in there needs a role with a rule that names `crossbar.monitor.`. An addition to the services of Crossbar.io.',
  clients: { by: 'WebSocket', browsers: true },
  required: ['type', 'realm', 'auth'],
  additionalProperties: false,
  properties: {
    type: { const: 'monitor', description: 'The word for this service.' },
    ...serviceKeys,
    realm: {
      type: 'string',
      is: 'realm',
      description: 'The realm that operators join. They see all of the node, whatever the realm.',
    },
    auth: authSchema,
    options: websocketOptionsSchema,
  },
  noEffect: debugWithoutEffect,
} as const satisfies ConfigSchema;

export type MonitorServiceConfig = Service<Checked<typeof monitorSchema>>;
