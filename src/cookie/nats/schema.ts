/** The section `store` of a `cookie` section, for cookies that all nodes of a cluster share. */
import { NATS_DEFAULTS, natsKeys, natsLimits } from '../../engine/nats/schema.js';
import type { ConfigSchema } from '../../schema/dialect.js';
import type { NatsConfig } from '../../engine/nats/schema.js';
import { checkServers } from './rules.js';

const orOfCluster = (value: number): string => `${value}; without \`servers\` what the section \`cluster\` says`;

export const natsStoreSchema = {
  type: 'object',
  section: 'Cookie store "nats"',
  description:
    'Keeps the cookies in a bucket of NATS (JetStream) that any number of nodes share: a login at one of them counts at all, and a logout ends the sessions at all of them at once. Needs the npm packages `@nats-io/transport-node`, `@nats-io/jetstream` and `@nats-io/kv`.',
  required: ['type', 'bucket'],
  rules: checkServers,
  borrows: { from: 'cluster', unless: 'servers', keys: Object.keys(natsKeys) },
  additionalProperties: false,
  properties: {
    type: { const: 'nats', description: 'The word for this store.' },
    bucket: {
      type: 'string',
      identity: true,
      pattern: '^[A-Za-z0-9_-]{1,64}$',
      allowed: '1 to 64 of A-Z, a-z, 0-9, _ and -',
      description:
        'The name of the bucket; it is made if there is none. Nodes, and sections, that name the same one share its cookies.',
    },
    ...natsKeys,
    servers: { ...natsKeys.servers, absent: 'those of the section `cluster`, with all that it says of NATS' },
    // Without a default: whether a config says them has to be seen, because beside what is borrowed they would have no effect.
    max_pending: { ...natsLimits.max_pending, absent: orOfCluster(NATS_DEFAULTS.max_pending) },
    connect_timeout: { ...natsLimits.connect_timeout, absent: orOfCluster(NATS_DEFAULTS.connect_timeout) },
  },
} as const satisfies ConfigSchema;

/**
 * A checked section. `servers` is there: it is taken over from the section `cluster` where it is left out, and all else of NATS with it.
 * Two keys count as {@link NATS_DEFAULTS} says where they are left out.
 */
export interface NatsStoreConfig
  extends
    Omit<NatsConfig, 'servers' | keyof typeof NATS_DEFAULTS>,
    Partial<Pick<NatsConfig, keyof typeof NATS_DEFAULTS>> {
  readonly type: 'nats';
  readonly bucket: string;
  readonly servers?: readonly string[];
}
