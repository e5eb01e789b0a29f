/** The `wampcra` section: secrets that client and router share, in the config. */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { dynamicSchema, functionSchema } from '../dynamic/schema.js';
import { warnIfNobody } from '../principal-rules.js';
import { roleKeywords, secretSchema } from '../secret-schema.js';
import { checkUser } from './rules.js';

export const wampcraUserSchema = {
  type: 'object',
  section: 'WAMP-CRA user',
  standsAt: 'auth.wampcra.users',
  description: 'Somebody who may join by signing a challenge.',
  required: ['secret'],
  rules: checkUser,
  additionalProperties: false,
  properties: {
    secret: secretSchema(
      'The secret that client and router share. With `salt` it is the key that PBKDF2-HMAC-SHA256 derives from the password, in Base64, so that the password itself is not in the config. Anything else than Base64 of exactly `keylen` bytes is taken for the password.',
    ),
    role: roleKeywords,
    salt: {
      type: 'string',
      minLength: 1,
      absent: 'the client uses the secret as it is',
      description: 'What the client salts the password with.',
    },
    iterations: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000_000,
      absent: '1000',
      description: 'How often the client hashes. Only with `salt`.',
    },
    keylen: {
      type: 'integer',
      minimum: 1,
      maximum: 1024,
      absent: '32',
      description: 'The length of the derived key in bytes. Only with `salt`.',
    },
  },
} as const satisfies ConfigSchema;

export const wampcraStaticSchema = {
  type: 'object',
  section: 'WAMP-CRA "static"',
  description: 'The users and their secrets are here in the config.',
  required: ['type', 'users'],
  additionalProperties: false,
  unknownKeys: 'note',
  properties: {
    type: { const: 'static', description: 'The word for users in the config.' },
    users: {
      type: 'object',
      additionalProperties: wampcraUserSchema,
      rules: warnIfNobody,
      allowed: 'an object of users by authid',
      description: 'Who may join, by `authid`.',
    },
  },
} as const satisfies ConfigSchema;

export const wampcraSchema = {
  type: 'object',
  section: 'WAMP-CRA',
  standsAt: 'auth.wampcra',
  description: 'The client signs a challenge with a secret that both know (WAMP-CRA).',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [wampcraStaticSchema, dynamicSchema, functionSchema],
} as const satisfies ConfigSchema;

/** A checked user; the secret is there, wherever it came from. */
export type WampCraUser = Omit<Checked<typeof wampcraUserSchema>, 'secret'> & { readonly secret: string };

export interface WampCraConfig {
  readonly type: 'static';
  readonly users: Readonly<Record<string, WampCraUser>>;
}
