/** Where the sessions of a web application are: the `store` of the section `session`. */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { dynamicSchema } from '../dynamic/schema.js';
import { REFUSED, secretSchema } from '../secret-schema.js';
import { checkHttpStore, checkRedisStore } from './rules.js';

const PATH = 'Absolute or relative to the node directory.';

const timeoutKeywords = {
  type: 'integer',
  minimum: 50,
  maximum: 10_000,
  default: 1000,
  description:
    'How long an answer may take, in milliseconds. A client that comes with a session cookie is refused then: nobody is let in unchecked.',
} as const satisfies ConfigSchema;

const maxAgeKeywords = {
  type: 'integer',
  minimum: 1,
  maximum: 86_400,
  default: 300,
  description:
    'For how long an answer counts for sessions that are open, in seconds: then it is asked again. To the web application each question may look like a visit that prolongs the session, so it should be longer than a visitor may be idle.',
} as const satisfies ConfigSchema;

export const redisTlsSchema = {
  type: 'object',
  section: 'Session store "redis": TLS',
  standsAt: 'auth.session.store.tls',
  absent: 'for `rediss://`: the authorities that Node.js trusts, and no certificate of our own',
  description: 'How Redis is recognised, and how we are. The files are read when the node starts.',
  additionalProperties: false,
  properties: {
    ca_certificates: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', is: 'file', minLength: 1, description: `A file (PEM). ${PATH}` },
      absent: 'the authorities that Node.js trusts by itself',
      description: 'Those who may have signed the certificate of Redis, and nobody else.',
    },
    certificate: {
      type: 'string',
      is: 'file',
      minLength: 1,
      absent: 'none',
      description: `The file of a certificate of our own (PEM). ${PATH}`,
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

export const redisSentinelSchema = {
  type: 'object',
  section: 'Session store "redis": Sentinel',
  standsAt: 'auth.session.store.sentinel',
  absent: 'Redis is where `url` says',
  description:
    'Sentinels say which Redis is the master. Host and port of `url` do not count then; changes are noticed by `check_interval` alone.',
  required: ['name', 'nodes'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 1, description: 'What the sentinels call the master.' },
    nodes: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: {
        type: 'string',
        pattern: '^[^\\s:]+:[1-9][0-9]{0,4}$|^\\[[0-9a-fA-F:]+\\]:[1-9][0-9]{0,4}$',
        allowed: '"host:port"',
        description: 'A sentinel, as `host:port`.',
      },
      description: 'Some of the sentinels.',
    },
  },
} as const satisfies ConfigSchema;

export const redisStoreSchema = {
  type: 'object',
  section: 'Session store "redis"',
  looks: 'session store',
  description:
    'Redis, as connect-redis writes it. Logouts and changes are seen at once (client tracking, Redis 6 and later). Needs the npm package `@redis/client`.',
  required: ['type', 'url'],
  rules: checkRedisStore,
  additionalProperties: false,
  properties: {
    type: { const: 'redis', description: 'The word for this store.' },
    url: secretSchema('Where Redis is: `redis://host:port/database`, or `rediss://` with TLS.'),
    username: {
      type: 'string',
      minLength: 1,
      absent: 'that of `url`, else `default`',
      description:
        'The user of Redis. It needs `+get +pttl +ping +hello +auth +select`, for `watch` also `+client|tracking`, and the keys with the prefix for reading (`%R~sess:*`).',
    },
    password: secretSchema('The password of that user.'),
    tls: redisTlsSchema,
    prefix: { type: 'string', default: 'sess:', description: 'What stands before the session id in the keys.' },
    watch: {
      type: 'boolean',
      default: true,
      description:
        'Lets Redis tell of changes. Off, for a Redis that forbids it: then they are noticed by `check_interval`.',
    },
    check_interval: {
      type: 'integer',
      minimum: 5,
      maximum: 3600,
      default: 60,
      description:
        'Seconds after which the web session of an open WAMP session is read again, whatever Redis told. Expiry is noticed at once all the same.',
    },
    timeout: timeoutKeywords,
    sentinel: redisSentinelSchema,
  },
} as const satisfies ConfigSchema;

export const fileSessionStoreSchema = {
  type: 'object',
  section: 'Session store "file"',
  looks: 'session store',
  description: 'A directory with a file for each session, as session-file-store writes it.',
  required: ['type', 'directory'],
  additionalProperties: false,
  properties: {
    type: { const: 'file', description: 'The word for this store.' },
    directory: {
      type: 'string',
      is: 'file',
      private: true,
      minLength: 1,
      description: `The directory. ${PATH}`,
    },
    ttl: {
      type: 'integer',
      minimum: 1,
      maximum: 31_536_000,
      default: 3600,
      description:
        'Seconds after the last visit when a session expires whose cookie has no `maxAge`: the `ttl` of session-file-store.',
    },
  },
} as const satisfies ConfigSchema;

export const httpStoreSchema = {
  type: 'object',
  section: 'Session store "http"',
  description:
    'The web application itself: it is asked with the cookie of the client, and answers 200 with the session as JSON, or 401 or `null` for nobody. For every framework.',
  required: ['type', 'url'],
  rules: checkHttpStore,
  additionalProperties: false,
  properties: {
    type: { const: 'http', description: 'The word for this store.' },
    url: {
      type: 'string',
      pattern: '^https?://[^\\s@/]+(/\\S*)?$',
      allowed: 'a URL with http or https, without user and password',
      description: 'What is asked, with GET. Redirects are not followed.',
    },
    timeout: timeoutKeywords,
    max_age: maxAgeKeywords,
  },
} as const satisfies ConfigSchema;

const ofAuthenticator = dynamicSchema.properties;

export const dynamicStoreSchema = {
  type: 'object',
  section: 'Session store "dynamic"',
  description:
    'A procedure that gets the verified session id, and answers with the session as a dictionary, or null for nobody. It is called as an authenticator is, with the realm, null and details; `details.session_id` is the id.',
  required: ['type', 'authenticator', 'authenticator-realm'],
  additionalProperties: false,
  properties: {
    type: { const: 'dynamic', description: 'The word for this store.' },
    authenticator: {
      ...ofAuthenticator.authenticator,
      description:
        'The procedure. It has 5 seconds to answer, and its answer goes through `authid`, `role` and `extra` as every session does.',
    },
    'authenticator-realm': {
      type: 'string',
      is: 'realm',
      ifAbsent: REFUSED,
      description: 'The realm on which the procedure is registered. The worker must have it.',
    },
    'authenticator-role': ofAuthenticator['authenticator-role'],
    'authenticator-callee-role': ofAuthenticator['authenticator-callee-role'],
    max_age: maxAgeKeywords,
  },
} as const satisfies ConfigSchema;

export const sessionStoreSchema = {
  type: 'object',
  section: 'Session store',
  standsAt: 'auth.session.store',
  description: 'Where the sessions of the web application are. They are read, and never written.',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [redisStoreSchema, fileSessionStoreSchema, httpStoreSchema, dynamicStoreSchema],
} as const satisfies ConfigSchema;

/** A checked section; the secrets are there, wherever they came from. */
export type RedisStoreConfig = Omit<Checked<typeof redisStoreSchema>, 'url' | 'password'> & {
  readonly url: string;
  readonly password?: string;
};
/** `directory` is absolute. */
export type FileSessionStoreConfig = Checked<typeof fileSessionStoreSchema>;
export type HttpStoreConfig = Checked<typeof httpStoreSchema>;
export type DynamicStoreConfig = Checked<typeof dynamicStoreSchema>;
/** A checked `store` of the section `session`. */
export type SessionStoreConfig = RedisStoreConfig | FileSessionStoreConfig | HttpStoreConfig | DynamicStoreConfig;
