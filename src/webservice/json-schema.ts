/**
 * The `json` service in the config.
 */
import type { Checked, ConfigSchema } from '../schema/dialect.js';
import { flag, serviceKeys } from './service-schema.js';
import type { Service } from './service-schema.js';

export const jsonSchema = {
  type: 'object',
  section: 'Service "json"',
  description: 'Serves a JSON value that stands here in the config.',
  required: ['type', 'value'],
  additionalProperties: false,
  properties: {
    type: { const: 'json', description: 'The word for this service.' },
    ...serviceKeys,
    value: { description: 'The value: anything that JSON can say.' },
    options: {
      type: 'object',
      section: 'JSON options',
      default: {},
      description: 'How the value is served.',
      additionalProperties: false,
      properties: {
        prettify: flag('Indents the JSON for people.'),
        allow_cross_origin: flag('Lets pages of other sites read it.'),
        discourage_caching: flag('Tells browsers and proxies to ask every time.'),
      },
    },
  },
} as const satisfies ConfigSchema;

export type JsonConfig = Service<Checked<typeof jsonSchema>>;
