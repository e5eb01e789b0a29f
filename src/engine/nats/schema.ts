/** How a section of the config says where NATS is, and who the node is there. */
import { secretSchema } from '../../auth/secret-schema.js';
import type { ConfigSchema } from '../../schema/dialect.js';

const PATH = 'Absolute or relative to the node directory.';

export const natsTlsSchema = {
  type: 'object',
  section: 'NATS TLS',
  standsAt: 'cluster.tls, and cookie.store.tls',
  absent: 'no TLS, unless the server asks for it',
  description: 'Encrypts the connection, and checks who answers. The files are read whenever the node connects.',
  additionalProperties: false,
  properties: {
    ca_certificates: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', is: 'file', minLength: 1, description: `A file (PEM). ${PATH}` },
      absent: 'the authorities that Node.js trusts by itself',
      description: 'Those who may have signed the certificate of the server, and nobody else.',
    },
    certificate: {
      type: 'string',
      is: 'file',
      minLength: 1,
      absent: 'none',
      description: `The file of a certificate of its own (PEM), for servers that ask for one. ${PATH}`,
    },
    key: {
      type: 'string',
      is: 'file',
      private: true,
      minLength: 1,
      absent: 'none',
      description: `The file of the private key of \`certificate\` (PEM, without passphrase). ${PATH}`,
    },
  },
} as const satisfies ConfigSchema;

/** What counts where a section does not say otherwise: bytes, and seconds. */
export const NATS_DEFAULTS = { max_pending: 16_777_216, connect_timeout: 60 } as const;

/** What the keys of {@link NATS_DEFAULTS} may be. */
export const natsLimits = {
  max_pending: {
    type: 'integer',
    minimum: 65_536,
    maximum: 1_073_741_824,
    description:
      'Bytes that may wait for NATS to take them. Beyond that what is published or called across nodes is refused with `wamp.error.unavailable`.',
  },
  connect_timeout: {
    type: 'integer',
    minimum: 1,
    maximum: 86_400,
    description: 'Seconds for which the start of the node waits for NATS. Then the start fails.',
  },
} as const satisfies Readonly<Record<string, ConfigSchema>>;

/** Keys of every section that leads to NATS. */
export const natsKeys = {
  servers: {
    type: 'array',
    minItems: 1,
    uniqueItems: true,
    items: {
      type: 'string',
      pattern: '^(nats://|tls://)?([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?$',
      allowed: '`nats://host:port`, without a name and a password',
      description: 'An address. The port is 4222 where it is left out.',
    },
    description: 'The servers of NATS. One that answers is enough: it tells of the others.',
  },
  user: { type: 'string', minLength: 1, absent: 'none', description: 'The name of the user in NATS.' },
  password: { ...secretSchema('The password of `user`.'), absent: 'none' },
  nkey: { ...secretSchema('The seed of an nkey (`SU...`), in the place of a name and a password.'), absent: 'none' },
  credentials: {
    type: 'string',
    is: 'file',
    private: true,
    minLength: 1,
    absent: 'none',
    description: `A file of credentials as \`nsc\` writes it, in the place of a name and a password. ${PATH}`,
  },
  tls: natsTlsSchema,
  replicas: {
    type: 'integer',
    enum: [1, 3, 5],
    absent: '3 where the server is one of a cluster, else 1',
    description:
      'How many servers of NATS keep each value. With 3 any one may be lost. All nodes say the same, and it stays as the first node said it.',
  },
  max_pending: { ...natsLimits.max_pending, default: NATS_DEFAULTS.max_pending },
  connect_timeout: { ...natsLimits.connect_timeout, default: NATS_DEFAULTS.connect_timeout },
} as const satisfies Readonly<Record<string, ConfigSchema>>;

/** A checked section; files are absolute, and secrets in their places. */
export interface NatsConfig {
  readonly servers: readonly string[];
  readonly user?: string;
  readonly password?: string;
  readonly nkey?: string;
  readonly credentials?: string;
  readonly tls?: NatsTlsConfig;
  readonly replicas?: number;
  readonly max_pending: number;
  readonly connect_timeout: number;
}

/** @returns the files of a section that are nobody else's business; absolute. */
export function natsFilesOf({ credentials, tls }: Pick<NatsConfig, 'credentials' | 'tls'>): readonly string[] {
  return [credentials, tls?.key].filter((file) => file !== undefined);
}

/** A checked `tls` of NATS. */
export interface NatsTlsConfig {
  readonly ca_certificates?: readonly string[];
  readonly certificate?: string;
  readonly key?: string;
}
