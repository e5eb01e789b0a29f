/**
 * The path tree in the config, and the `path` service, which is one level of it.
 */
import type { ConfigSchema } from '../schema/dialect.js';
import { serviceKeys } from './service-schema.js';
import type { WithCookie } from './service-schema.js';

export const pathsSchema = {
  type: 'object',
  reload: 'new requests',
  description:
    'The services by path segment; `/` answers what no other path does. Deeper paths are made with the service `path`.',
  propertyNames: {
    pattern: '^([a-z0-9A-Z_\\-]+|/)$',
    allowed: '"/" or one path segment of a-z, A-Z, 0-9, _ and -; nest deeper paths with the service "path"',
  },
  additionalProperties: { $ref: '#/definitions/pathService' },
} as const satisfies ConfigSchema;

export const pathSchema = {
  type: 'object',
  section: 'Service "path"',
  description: 'Nests more services below this path.',
  required: ['type', 'paths'],
  additionalProperties: false,
  properties: {
    type: { const: 'path', description: 'The word for this service.' },
    ...serviceKeys,
    paths: pathsSchema,
  },
} as const satisfies ConfigSchema;

/** @typeParam S - the config of a service, which this file does not know */
export interface NestedPaths<S> extends WithCookie {
  readonly type: 'path';
  readonly id?: string;
  readonly paths: Readonly<Record<string, S>>;
}
