/**
 * The `nodeinfo` service in the config.
 */
import type { Checked, ConfigSchema } from '../schema/dialect.js';
import { serviceKeys } from './service-schema.js';
import type { Service } from './service-schema.js';

export const nodeInfoSchema = {
  type: 'object',
  section: 'Service "nodeinfo"',
  description: 'Serves a short page about the node.',
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { const: 'nodeinfo', description: 'The word for this service.' },
    ...serviceKeys,
  },
} as const satisfies ConfigSchema;

export type NodeInfoConfig = Service<Checked<typeof nodeInfoSchema>>;
