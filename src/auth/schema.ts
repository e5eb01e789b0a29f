/**
 * The `auth` section of a WebSocket: who may join, and as whom. Without it (or empty) everybody is `anonymous`.
 */
import type { Checked, ConfigSchema } from '../schema/dialect.js';

export const anonymousSchema = {
  type: 'object',
  description: 'Lets everybody in without credentials.',
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: {
      const: 'static',
      notYet: ['dynamic', 'function'],
      description: 'The session is described here in the config.',
    },
    realm: {
      type: 'string',
      absent: 'the realm that the client asks for',
      description: 'The realm that everybody joins, whatever the client asks for.',
    },
    role: {
      type: 'string',
      default: 'anonymous',
      description: 'The role that everybody gets. The realm must have it.',
    },
    authid: {
      type: 'string',
      minLength: 1,
      absent: 'the cookie id, or a random one without cookie',
      description: 'One `authid` for everybody. Leave it out to recognise browsers by their cookie.',
    },
  },
  notYet: [
    'authenticator',
    'authenticator-realm',
    'authenticator-role',
    'create',
    'config',
    'expose_controller',
    'default-role',
  ],
} as const satisfies ConfigSchema;

export const authSchema = {
  type: 'object',
  absent: 'everybody joins as `anonymous`',
  description: 'Authentication methods by name. Empty means the same as left out: everybody joins as `anonymous`.',
  additionalProperties: false,
  properties: { anonymous: anonymousSchema },
  notYet: ['ticket', 'wampcra', 'scram', 'cryptosign', 'tls', 'cookie', 'cryptosign-proxy', 'anonymous-proxy'],
} as const satisfies ConfigSchema;

export type AnonymousConfig = Checked<typeof anonymousSchema>;
export type AuthConfig = Checked<typeof authSchema>;
