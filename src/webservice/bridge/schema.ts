/** The services of the HTTP bridge in the config: `publisher`, `caller` and `webhook`. */
import { secretSchema } from '../../auth/secret-schema.js';
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { debugWithoutEffect } from '../../transport/connection-schema.js';
import { flag, originKeys, serviceIdSchema } from '../service-schema.js';
import type { WithCookie } from '../service-schema.js';
import { checkNetworks, checkSigned, checkTopic } from './rules.js';

/** No body may be larger, whatever the config says. */
export const MAX_BODY_BYTES = 16_777_216;

const bridgeKeys = {
  id: {
    ...serviceIdSchema,
    absent: 'none; the session has the type of the service as its `authid`',
    description: 'A name for this service, and the `authid` of its session.',
  },
  realm: { type: 'string', is: 'realm', description: 'The realm in which the service acts.' },
  role: {
    type: 'string',
    is: 'role',
    description: 'The role of the session by which the service acts: its permissions hold for everybody who asks.',
  },
} as const;

const bodyKeys = {
  post_body_limit: {
    type: 'integer',
    minimum: 0,
    maximum: MAX_BODY_BYTES,
    default: 0,
    description: 'How many bytes the body of a request may have. 0 means 16777216, which is the most there is.',
  },
  ...originKeys,
} as const;

const requestKeys = {
  key: {
    type: 'string',
    minLength: 1,
    absent: 'requests need not be signed',
    description: 'Names the `secret` in signed requests. With both, every request must be signed.',
  },
  secret: secretSchema('What client and node share: requests are signed with it (HMAC-SHA256).'),
  timestamp_delta_limit: {
    type: 'integer',
    minimum: 0,
    maximum: 86_400,
    default: 300,
    description:
      'How many seconds the `timestamp` of a request may be off. 0 means any, so that a request that somebody has overheard works again after five minutes.',
  },
  require_tls: flag('Refuses requests that do not come by TLS.'),
  require_ip: {
    type: 'array',
    absent: 'clients everywhere',
    items: {
      type: 'string',
      minLength: 1,
      description: 'An address or a network, such as `192.168.1.0/24`, `192.168.1.0/255.255.255.0` or `2001:db8::/32`.',
    },
    rules: checkNetworks,
    description: 'Where clients may be. Others are refused.',
  },
  ...bodyKeys,
} as const;

const errorStatusKey = {
  error_status: flag(
    'Answers errors of WAMP with a status of HTTP: 404 where there is no such procedure, 403 for what the role may not do, 504 for calls that took too long or were canceled, 500 for all others. Without it they come with 200, as with Crossbar.io. An addition to the keys of Crossbar.io.',
  ),
} as const;

export const publisherSchema = {
  type: 'object',
  section: 'Service "publisher"',
  description: 'Publishes what programs post by HTTP: `{"topic": ..., "args": [...], "kwargs": {...}}`.',
  required: ['type', 'realm', 'role'],
  additionalProperties: false,
  properties: {
    type: { const: 'publisher', description: 'The word for this service.' },
    ...bridgeKeys,
    options: {
      type: 'object',
      section: 'Publisher options',
      default: {},
      description: 'Who may ask, and how.',
      rules: checkSigned,
      additionalProperties: false,
      properties: { ...requestKeys, ...errorStatusKey },
      noEffect: debugWithoutEffect,
    },
  },
} as const satisfies ConfigSchema;

export const callerSchema = {
  type: 'object',
  section: 'Service "caller"',
  description: 'Calls for programs that post by HTTP: `{"procedure": ..., "args": [...], "kwargs": {...}}`.',
  required: ['type', 'realm', 'role'],
  additionalProperties: false,
  properties: {
    type: { const: 'caller', description: 'The word for this service.' },
    ...bridgeKeys,
    options: {
      type: 'object',
      section: 'Caller options',
      default: {},
      description: 'Who may ask, and how.',
      rules: checkSigned,
      additionalProperties: false,
      properties: {
        ...requestKeys,
        ...errorStatusKey,
        timeout: {
          type: 'integer',
          minimum: 0,
          maximum: 86_400_000,
          default: 0,
          description:
            'Milliseconds that a call may take; 0 means as long as the client waits. An addition to the keys of Crossbar.io.',
        },
      },
      noEffect: debugWithoutEffect,
    },
  },
} as const satisfies ConfigSchema;

export const webhookSchema = {
  type: 'object',
  section: 'Service "webhook"',
  description:
    'Publishes whatever is posted, as `{"headers": {...}, "body": "..."}`: for services that call back by HTTP.',
  required: ['type', 'realm', 'role', 'options'],
  rules: checkTopic,
  additionalProperties: false,
  properties: {
    type: { const: 'webhook', description: 'The word for this service.' },
    ...bridgeKeys,
    options: {
      type: 'object',
      section: 'Webhook options',
      description: 'What is published, and what is answered.',
      required: ['topic'],
      additionalProperties: false,
      properties: {
        topic: { type: 'string', minLength: 1, description: 'The topic: a URI.' },
        success_response: {
          type: 'string',
          default: 'OK',
          description: 'The text of the answer when it has been published, with status 202.',
        },
        error_response: {
          type: 'string',
          default: 'NOT OK',
          description: 'The text of the answer when the router refused the publication, with status 500.',
        },
        github_secret: secretSchema(
          'The secret of a webhook of GitHub: requests without its signature (`X-Hub-Signature-256`, or else `X-Hub-Signature`) are refused.',
        ),
        secret_headers: {
          type: 'array',
          uniqueItems: true,
          default: [],
          items: { type: 'string', minLength: 1, description: 'The name of a header, in any case.' },
          description:
            'Headers that are published although they are secrets. `Authorization`, `Cookie`, `X-Hub-Signature` and `X-Hub-Signature-256` are left out otherwise. An addition to the keys of Crossbar.io, which publishes all.',
        },
        ...bodyKeys,
      },
      noEffect: debugWithoutEffect,
    },
  },
} as const satisfies ConfigSchema;

/** The secret is there, wherever it came from. */
type Signed<O> = Omit<O, 'secret'> & { readonly secret?: string };

type PublisherShape = Checked<typeof publisherSchema>;
type CallerShape = Checked<typeof callerSchema>;
type WebhookShape = Checked<typeof webhookSchema>;

/** A checked `publisher`. */
export interface PublisherConfig extends Omit<PublisherShape, 'options'>, WithCookie {
  readonly options: Signed<PublisherShape['options']>;
}

/** A checked `caller`. */
export interface CallerConfig extends Omit<CallerShape, 'options'>, WithCookie {
  readonly options: Signed<CallerShape['options']>;
}

/** A checked `webhook`. */
export interface WebhookConfig extends Omit<WebhookShape, 'options'>, WithCookie {
  readonly options: Omit<WebhookShape['options'], 'github_secret'> & { readonly github_secret?: string };
}
