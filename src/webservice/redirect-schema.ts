/**
 * The `redirect` service in the config.
 */
import type { Checked, ConfigSchema } from '../schema/dialect.js';
import { withoutUmlauts } from './redirect-rules.js';
import { serviceKeys } from './service-schema.js';
import type { Service } from './service-schema.js';

export const redirectSchema = {
  type: 'object',
  section: 'Service "redirect"',
  description: 'Sends the browser to another URL.',
  required: ['type', 'url'],
  additionalProperties: false,
  properties: {
    type: { const: 'redirect', description: 'The word for this service.' },
    ...serviceKeys,
    url: {
      type: 'string',
      adapt: withoutUmlauts,
      // No other scheme: a browser would run what follows `javascript:`, on this site.
      pattern: '^([hH][tT][tT][pP][sS]?://|(?![A-Za-z][A-Za-z0-9+.-]*:))[\\x21-\\x7e]+$',
      allowed: 'a URL with http:// or https://, or a path, ASCII without space',
      description: 'Where to go: a URL, or a path of this site.',
    },
  },
} as const satisfies ConfigSchema;

export type RedirectConfig = Service<Checked<typeof redirectSchema>>;
