/** The `scram` section: what is left of a password when the client has hashed it. */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { dynamicSchema, functionSchema } from '../dynamic/schema.js';
import { warnIfNobody } from '../principal-rules.js';
import { roleKeywords } from '../secret-schema.js';
import { checkPrincipal } from './rules.js';

export const scramPrincipalSchema = {
  type: 'object',
  section: 'SCRAM principal',
  standsAt: 'auth.scram.principals',
  description:
    'Somebody who may join with a password that neither goes over the wire nor stands here. Somebody who has these values cannot log in with them, but can guess the password without limit.',
  required: ['kdf', 'iterations', 'salt', 'stored-key', 'server-key'],
  rules: checkPrincipal,
  additionalProperties: false,
  properties: {
    kdf: {
      type: 'string',
      enum: ['pbkdf2', 'argon2id13', 'argon2id-13'],
      description:
        'How the client hashes the password. `pbkdf2` is for all clients; `argon2id13` for those that authenticate as `wamp-scram` (the specification), `argon2id-13` for those that do as `scram` (Crossbar.io and autobahn-python): they compute different keys.',
    },
    iterations: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000_000,
      description: 'How often the client hashes.',
    },
    memory: {
      type: 'integer',
      minimum: 8,
      maximum: 4_194_304,
      absent: 'none',
      description: 'The memory that the client hashes with, in KiB. Needed with Argon2.',
    },
    salt: hex('The salt.', 'hex digits, two for each octet', '^([0-9a-fA-F]{2})+$'),
    'stored-key': hex('StoredKey of RFC 5802.', '64 hex digits', '^[0-9a-fA-F]{64}$'),
    'server-key': hex('ServerKey of RFC 5802.', '64 hex digits', '^[0-9a-fA-F]{64}$'),
    role: roleKeywords,
  },
} as const satisfies ConfigSchema;

export const scramStaticSchema = {
  type: 'object',
  section: 'SCRAM "static"',
  description: 'The principals and what is left of their passwords are here in the config.',
  required: ['type', 'principals'],
  additionalProperties: false,
  unknownKeys: 'note',
  properties: {
    type: { const: 'static', description: 'The word for principals in the config.' },
    principals: {
      type: 'object',
      additionalProperties: scramPrincipalSchema,
      rules: warnIfNobody,
      allowed: 'an object of principals by authid',
      description: 'Who may join, by `authid`.',
    },
  },
} as const satisfies ConfigSchema;

export const scramSchema = {
  type: 'object',
  section: 'SCRAM',
  standsAt: 'auth.scram',
  description:
    'Client and router show each other that they know a password (SCRAM), as `wamp-scram` or in the dialect of Crossbar.io as `scram`.',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [scramStaticSchema, dynamicSchema, functionSchema],
} as const satisfies ConfigSchema;

function hex<const Text extends string, const Allowed extends string, const Pattern extends string>(
  description: Text,
  allowed: Allowed,
  pattern: Pattern,
) {
  return { type: 'string', pattern, allowed, description: `${description} In hex.` } as const;
}

export type ScramPrincipal = Checked<typeof scramPrincipalSchema>;
export type ScramConfig = Checked<typeof scramStaticSchema>;
