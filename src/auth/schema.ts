/**
 * The `auth` section of a WebSocket: who may join, and as whom. Without it (or empty) everybody is `anonymous`.
 */
import type { Checked, ConfigSchema } from '../schema/dialect.js';
import { dynamicSchema, functionSchema } from './dynamic/schema.js';
import { cookieSectionOf, needsCookie } from './cookie-rules.js';
import { cryptosignSchema } from './cryptosign/schema.js';
import { jwtSchema } from './jwt/schema.js';
import { anonymousProxySchema, cryptosignProxySchema } from './proxy-schema.js';
import { REFUSED } from './secret-schema.js';
import { scramSchema } from './scram/schema.js';
import { oneTimeSchema } from './one-time/schema.js';
import { sessionSchema } from './session/schema.js';
import { ticketSchema } from './ticket-schema.js';
import { tlsAuthSchema } from './tls/schema.js';
import { wampcraSchema } from './wampcra/schema.js';

export const anonymousStaticSchema = {
  type: 'object',
  section: 'Anonymous "static"',
  description: 'Everybody is let in, as the config says.',
  letsIn: 'anybody',
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { const: 'static', description: 'The session is described here in the config.' },
    realm: {
      type: 'string',
      is: 'realm',
      ifAbsent: REFUSED,
      absent: 'the realm that the client asks for',
      description: 'The realm that everybody joins, whatever the client asks for.',
    },
    role: {
      type: 'string',
      is: 'role',
      ifAbsent: REFUSED,
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
} as const satisfies ConfigSchema;

export const anonymousSchema = {
  type: 'object',
  section: 'Anonymous authentication',
  standsAt: 'auth.anonymous',
  description: 'Lets clients in without credentials.',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [anonymousStaticSchema, dynamicSchema, functionSchema],
} as const satisfies ConfigSchema;

export const cookieAuthSchema = {
  type: 'object',
  section: 'Cookie authentication',
  standsAt: 'auth.cookie',
  description:
    'Lets a browser in at once, as whom it logged in before, when its cookie remembers a login. Needs a `cookie` section. The client must offer `cookie`.',
  letsIn: 'cookies',
  rules: needsCookie,
  adapt: cookieSectionOf,
  unknownKeys: 'note',
  noEffect: { type: 'a login that a cookie remembers is of one kind only' },
  additionalProperties: false,
  properties: {
    revalidate: {
      type: 'boolean',
      default: true,
      description:
        'Whether the principal must still be in the config, with the same role and the same ticket, secret, key or certificate. Only asked of methods of type `static`; a login that fails is dropped.',
    },
  },
} as const satisfies ConfigSchema;

export const authSchema = {
  type: 'object',
  reload: 'new sessions',
  section: 'Authentication',
  standsAt: 'auth of a WebSocket',
  absent: 'everybody joins as `anonymous`',
  description: 'Authentication methods by name. Empty means the same as left out: everybody joins as `anonymous`.',
  additionalProperties: false,
  properties: {
    anonymous: anonymousSchema,
    cookie: cookieAuthSchema,
    ticket: ticketSchema,
    wampcra: wampcraSchema,
    scram: scramSchema,
    cryptosign: cryptosignSchema,
    tls: tlsAuthSchema,
    one_time: oneTimeSchema,
    session: sessionSchema,
    jwt: jwtSchema,
    'anonymous-proxy': anonymousProxySchema,
    'cryptosign-proxy': cryptosignProxySchema,
  },
} as const satisfies ConfigSchema;

/** What holds where nothing is said of authentication. */
export const WITHOUT_AUTH = { anonymous: { type: 'static', role: 'anonymous' } } as const;

export type AnonymousConfig = Checked<typeof anonymousStaticSchema>;
export type CookieAuthConfig = Checked<typeof cookieAuthSchema>;
export type AuthConfig = Checked<typeof authSchema>;
