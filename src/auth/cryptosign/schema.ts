/** The `cryptosign` section: public keys of clients. */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { dynamicSchema, functionSchema } from '../dynamic/schema.js';
import { checkKeys } from './rules.js';
import { REFUSED, roleKeywords } from '../secret-schema.js';

export const cryptosignPrincipalSchema = {
  type: 'object',
  section: 'Cryptosign principal',
  standsAt: 'auth.cryptosign.principals',
  description: 'Somebody who may join with one of several keys.',
  required: ['authorized_keys'],
  additionalProperties: false,
  properties: {
    authorized_keys: {
      type: 'array',
      items: {
        type: 'string',
        description: 'An Ed25519 public key.',
      },
      description: 'The public keys (Ed25519), 64 hex digits each. Nothing secret.',
    },
    role: roleKeywords,
    realm: {
      type: 'string',
      is: 'realm',
      ifAbsent: REFUSED,
      minLength: 1,
      absent: 'the realm that the client asks for',
      description: 'The realm that it joins, whatever the client asks for.',
    },
  },
} as const satisfies ConfigSchema;

export const cryptosignStaticSchema = {
  type: 'object',
  section: 'Cryptosign "static"',
  description: 'The principals and their public keys are here in the config.',
  required: ['type', 'principals'],
  additionalProperties: false,
  unknownKeys: 'note',
  properties: {
    type: { const: 'static', description: 'The word for principals in the config.' },
    principals: {
      type: 'object',
      additionalProperties: cryptosignPrincipalSchema,
      rules: checkKeys,
      allowed: 'an object of principals by authid',
      description: 'Who may join, by `authid`. A client that names none is found by its key.',
    },
  },
  notYet: { trustroots: 'list the public keys of the clients under "principals", or ask a dynamic authenticator' },
} as const satisfies ConfigSchema;

export const cryptosignSchema = {
  type: 'object',
  section: 'Cryptosign',
  standsAt: 'auth.cryptosign',
  description: 'The client signs a challenge with a key of its own; the router knows only the public part (Ed25519).',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [cryptosignStaticSchema, dynamicSchema, functionSchema],
} as const satisfies ConfigSchema;

export type CryptosignPrincipal = Checked<typeof cryptosignPrincipalSchema>;
export type CryptosignConfig = Checked<typeof cryptosignStaticSchema>;
