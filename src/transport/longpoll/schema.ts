/**
 * How a place for long-poll behaves.
 */
import { authOptionsSchema } from '../../auth/options-schema.js';
import { authSchema } from '../../auth/schema.js';
import { cookieSchema } from '../../cookie/schema.js';
import {
  authenticateTimeoutSchema,
  connectionLimitKeys,
  debugWithoutEffect,
  maxUnsentBytesSchema,
  serializersSchema,
  slowConsumerSchema,
  timeout,
} from '../connection-schema.js';
import { websocketOptionsSchema } from '../websocket/schema.js';
import type { CookieConfig } from '../../cookie/schema.js';
import type { Checked, ConfigSchema } from '../../schema/dialect.js';

const { allowed_origins, allow_null_origin } = websocketOptionsSchema.properties;

export const longPollOptionsSchema = {
  type: 'object',
  section: 'Long-poll options',
  reload: 'new connections',
  standsAt: 'options of a long-poll',
  default: {},
  description: 'How long-poll behaves.',
  additionalProperties: false,
  properties: {
    request_timeout: {
      type: 'integer',
      minimum: 0,
      maximum: 86_400,
      allowed: 'seconds from 0 to 86400',
      default: 10,
      description:
        'Seconds until a request for messages is answered without one; 0 never does. autobahn-js takes a connection for lost after 12 seconds without an answer.',
    },
    session_timeout: {
      type: 'integer',
      minimum: 0,
      maximum: 86_400,
      allowed: 'seconds from 0 to 86400',
      default: 30,
      description:
        'Seconds until a client that makes no request any more is taken for gone; 0 never does. A request that waits for messages is a sign of life.',
    },
    queue_limit_bytes: {
      type: 'integer',
      minimum: 1,
      maximum: 1_073_741_824,
      absent: '`max_unsent_bytes` alone',
      description:
        'How many bytes of messages may wait for one client, where that is less than `max_unsent_bytes`. Crossbar.io reads it and does not apply it.',
    },
    queue_limit_messages: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      absent: 'no limit',
      description:
        'How many messages may wait for one client; one more, and it is disconnected. Crossbar.io reads it and does not apply it. A client without batches fetches one message with each request, some 30 in a second, so that 100 of them are little.',
    },
    max_message_size: {
      type: 'integer',
      minimum: 1,
      maximum: 67_108_864,
      default: 16_777_216,
      description:
        'Largest message, or batch of messages, in bytes. A client that sends more gets status 413, and its session ends. Before WELCOME a message may have 64 KiB, whatever stands here. An addition to the keys of Crossbar.io.',
    },
    allowed_origins,
    allow_null_origin,
    hello_timeout: timeout(
      5_000,
      'How long a client may be connected without having joined a realm. An addition to the keys of Crossbar.io.',
    ),
    authenticate_timeout: authenticateTimeoutSchema,
    ...authOptionsSchema.properties,
    max_unsent_bytes: maxUnsentBytesSchema,
    slow_consumer: slowConsumerSchema,
    ...connectionLimitKeys,
  },
  noEffect: {
    ...debugWithoutEffect,
    debug_transport_id: 'the ids of sessions are their passwords, and are always drawn at random',
  },
} as const satisfies ConfigSchema;

/** The keys of long-poll wherever it stands. */
export const longPollKeys = {
  serializers: serializersSchema,
  options: longPollOptionsSchema,
  auth: authSchema,
  cookie: cookieSchema,
} as const satisfies Readonly<Record<string, ConfigSchema>>;

type Shape = Checked<{
  readonly type: 'object';
  readonly additionalProperties: false;
  readonly required: readonly ['serializers', 'options'];
  readonly properties: Omit<typeof longPollKeys, 'cookie'>;
}>;

/** What a place for long-poll is configured with. */
export interface LongPollConfig extends Shape {
  readonly cookie?: CookieConfig;
}
