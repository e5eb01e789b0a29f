/**
 * The `none` service in the config.
 */
import type { Checked, ConfigSchema } from '../schema/dialect.js';
import { serviceKeys } from './service-schema.js';
import type { Service } from './service-schema.js';

export const noneSchema = {
  type: 'object',
  section: 'Service "none"',
  description: 'Nothing: the path and all below it are not found, whatever the service on `/` has there.',
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { const: 'none', description: 'The word for this service.' },
    ...serviceKeys,
  },
} as const satisfies ConfigSchema;

export type NoneConfig = Service<Checked<typeof noneSchema>>;
