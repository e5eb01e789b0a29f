/** How a component of a container proves to the router who it is (`auth`). */
import { secretSchema } from '../auth/secret-schema.js';
import type { ConfigSchema } from '../schema/dialect.js';
import { checkPrivateKey } from './auth-rules.js';

const authidSchema = {
  type: 'string',
  minLength: 1,
  description: 'Who it says it is.',
} as const satisfies ConfigSchema;

const authextraSchema = {
  type: 'object',
  absent: 'nothing',
  additionalProperties: { description: 'Anything that JSON can say.' },
  description: 'More for the authenticator of the router.',
} as const satisfies ConfigSchema;

const noEffect = { authrole: 'the router decides which role somebody gets' } as const;

const BY_CHALLENGE = 'the router says it in its challenge';

export const clientAuthSchema = {
  type: 'object',
  section: 'Client auth',
  standsAt: 'workers[].components[].auth',
  description:
    'The methods that the component offers, in this order; the router takes one. Without this section it joins as `anonymous`, or a class of Python by methods of its own.',
  additionalProperties: false,
  properties: {
    anonymous: {
      type: 'object',
      section: 'Client auth: anonymous',
      description: 'Joins without a proof.',
      additionalProperties: false,
      properties: {
        authid: { ...authidSchema, absent: 'what the router gives' },
        authextra: authextraSchema,
      },
      noEffect,
    },
    ticket: {
      type: 'object',
      section: 'Client auth: ticket',
      description: 'Sends a ticket.',
      required: ['authid', 'ticket'],
      additionalProperties: false,
      properties: {
        authid: authidSchema,
        ticket: secretSchema('The ticket.'),
        authextra: authextraSchema,
      },
      noEffect,
    },
    wampcra: {
      type: 'object',
      section: 'Client auth: WAMP-CRA',
      description: 'Signs a text of the router with a secret that both know.',
      required: ['authid', 'secret'],
      additionalProperties: false,
      properties: {
        authid: authidSchema,
        secret: secretSchema('The secret; the password, where the router uses a salt.'),
        authextra: authextraSchema,
      },
      noEffect,
    },
    cryptosign: {
      type: 'object',
      section: 'Client auth: cryptosign',
      description: 'Signs octets of the router with a private key (Ed25519).',
      required: ['privkey'],
      rules: checkPrivateKey,
      additionalProperties: false,
      properties: {
        authid: { ...authidSchema, absent: 'whoever has the public key' },
        privkey: secretSchema('The private key: 64 hex digits.'),
        authextra: authextraSchema,
      },
      noEffect,
    },
    scram: {
      type: 'object',
      section: 'Client auth: SCRAM',
      description:
        'Shows that it knows a password, in the dialect of Crossbar.io (`scram`). Where the router says `pbkdf2`; Argon2 is for Python only, which needs `argon2-cffi` and `passlib` then.',
      required: ['authid', 'password'],
      additionalProperties: false,
      properties: {
        authid: authidSchema,
        password: secretSchema('The password.'),
      },
      noEffect: {
        ...noEffect,
        authextra: 'nothing but a nonce goes into it',
        nonce: 'a new one is made for each login',
        kdf: BY_CHALLENGE,
        salt: BY_CHALLENGE,
        iterations: BY_CHALLENGE,
        memory: BY_CHALLENGE,
      },
    },
  },
  notYet: {
    'anonymous-proxy': 'use "anonymous": the component connects to the router itself',
    'cryptosign-proxy': 'use "cryptosign": the component connects to the router itself',
  },
} as const satisfies ConfigSchema;

interface MethodConfig {
  readonly authid?: string;
  readonly authextra?: Readonly<Record<string, unknown>>;
}

/** A checked `auth` of a component; secrets are in their places. The order of the keys counts. */
export interface ClientAuthConfig {
  readonly anonymous?: MethodConfig;
  readonly ticket?: MethodConfig & { readonly authid: string; readonly ticket: string };
  readonly wampcra?: MethodConfig & { readonly authid: string; readonly secret: string };
  readonly cryptosign?: MethodConfig & { readonly privkey: string };
  readonly scram?: { readonly authid: string; readonly password: string };
}
