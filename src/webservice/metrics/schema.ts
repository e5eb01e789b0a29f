/**
 * The `metrics` service in the config.
 */
import { secretSchema } from '../../auth/secret-schema.js';
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { checkNetworks } from '../bridge/rules.js';
import { serviceIdSchema } from '../service-schema.js';
import type { Service } from '../service-schema.js';
import { checkUris } from './rules.js';

export const metricsSchema = {
  type: 'object',
  section: 'Service "metrics"',
  description:
    'Shows what the node counts, for Prometheus: as its text format, or as OpenMetrics for those who ask for it. Without `require_ip` and `token` only for clients on this machine.',
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { const: 'metrics', description: 'The word for this service.' },
    id: serviceIdSchema,
    require_ip: {
      type: 'array',
      minItems: 1,
      absent: 'clients on this machine, or with a `token` clients everywhere',
      items: {
        type: 'string',
        minLength: 1,
        description: 'An address or a network, such as `192.168.1.0/24` or `2001:db8::/32`.',
      },
      rules: checkNetworks,
      description: 'Where clients may be. Others are refused.',
    },
    token: {
      ...secretSchema('What clients have to send: `Authorization: Bearer ...`.'),
      absent: 'none',
    },
    uris: {
      type: 'array',
      default: [],
      rules: checkUris,
      items: {
        type: 'object',
        section: 'Counted URI',
        description: 'Topics and procedures that are counted.',
        required: ['uri'],
        additionalProperties: false,
        properties: {
          uri: { type: 'string', description: 'A URI, or a pattern of URIs.' },
          match: {
            type: 'string',
            enum: ['exact', 'prefix', 'wildcard'],
            default: 'exact',
            description: 'How `uri` is compared, as in a subscription.',
          },
        },
      },
      description:
        'Topics whose publications, and procedures whose calls, are counted each for itself. Of each realm 200 topics and 200 procedures are; what comes later is counted together, as `other`.',
    },
    call_durations: {
      type: 'boolean',
      default: true,
      description: 'Measures how long calls take. It costs two looks at a clock for each call.',
    },
  },
} as const satisfies ConfigSchema;

export type MetricsConfig = Service<Checked<typeof metricsSchema>>;
