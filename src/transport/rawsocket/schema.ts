/**
 * The `rawsocket` transport.
 */
import { authOptionsSchema } from '../../auth/options-schema.js';
import { authSchema } from '../../auth/schema.js';
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import type { Adapt } from '../../schema/rules.js';
import {
  authenticateTimeoutSchema,
  connectionLimitKeys,
  debugWithoutEffect,
  maxUnsentBytesSchema,
  serializersSchema,
  slowConsumerSchema,
  tcpNodelaySchema,
  timeout,
} from '../connection-schema.js';
import { endpointSchema, transportIdSchema } from '../endpoint-schema.js';
import type { EndpointConfig } from '../endpoint-schema.js';

/** What the length of a frame can say: 16 MiB. */
const LARGEST_MESSAGE = 16_777_216;
/** The checker of Crossbar.io accepts up to 64 MiB. */
const LARGEST_ACCEPTED = 67_108_864;

const noLargerThanFrames: Adapt = (size) => {
  if (typeof size !== 'number' || !Number.isInteger(size) || size <= LARGEST_MESSAGE || size > LARGEST_ACCEPTED) {
    return undefined;
  }
  return {
    value: LARGEST_MESSAGE,
    note: `found ${size}, taken as ${LARGEST_MESSAGE}: a frame of a RawSocket is no longer`,
  };
};

export const rawsocketOptionsSchema = {
  type: 'object',
  section: 'RawSocket options',
  reload: 'new connections',
  standsAt: 'workers[].transports[].options',
  default: {},
  description: 'How the RawSocket behaves.',
  additionalProperties: false,
  properties: {
    max_message_size: {
      type: 'integer',
      minimum: 1,
      maximum: LARGEST_MESSAGE,
      adapt: noLargerThanFrames,
      default: LARGEST_MESSAGE,
      description:
        'Largest message in bytes; a client that sends more is disconnected. It is announced to clients as a power of two, so it is rounded down to one, and 512 is the least. Before WELCOME a message may have 64 KiB, whatever stands here.',
    },
    hello_timeout: timeout(
      5_000,
      'How long a client may take for the opening octets, and then be connected without having joined a realm. An addition to the keys of Crossbar.io.',
    ),
    authenticate_timeout: authenticateTimeoutSchema,
    ...authOptionsSchema.properties,
    max_unsent_bytes: maxUnsentBytesSchema,
    slow_consumer: slowConsumerSchema,
    ...connectionLimitKeys,
    auto_ping_interval: timeout(
      0,
      'How often to ping. Off, because there are clients that do not know pings and take them for damage (autobahn-python on Twisted); a peer that vanished is missed without them, too: after a minute of silence the system asks after it (TCP keep-alive). An addition to the keys of Crossbar.io.',
    ),
    auto_ping_timeout: timeout(
      20_000,
      'How long to wait for the pong, or anything else, before the connection is taken for dead. An addition to the keys of Crossbar.io.',
    ),
    tcp_nodelay: {
      ...tcpNodelaySchema,
      description: `${tcpNodelaySchema.description} An addition to the keys of Crossbar.io.`,
    },
  },
} as const satisfies ConfigSchema;

/** Version 1 of the format had it beside `options`. */
const intoOptions: Adapt = (size, transport) => {
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 1 || size > LARGEST_ACCEPTED) return undefined;
  const at = ['options', 'max_message_size'];
  if (!transport.at(...at).missing) {
    return { value: undefined, note: `found ${size}, which has no effect: "max_message_size" of "options" counts` };
  }
  return { value: size, at, note: `found ${size} beside "options", taken as "max_message_size" of "options"` };
};

/** Connections to a router have one serializer. */
const intoSerializers: Adapt = (word, transport) => {
  if (!serializersSchema.items.enum.some((known) => known === word)) return undefined;
  if (!transport.get('serializers').missing) {
    return { value: undefined, note: `found "${String(word)}", which has no effect: "serializers" counts` };
  }
  return {
    value: [word],
    at: ['serializers'],
    note: `found "${String(word)}", taken as the only one of "serializers"`,
  };
};

/** The keys that a RawSocket has wherever it stands. */
export const rawsocketKeys = {
  serializers: serializersSchema,
  options: rawsocketOptionsSchema,
  auth: authSchema,
  max_message_size: {
    reload: 'new connections',
    type: 'integer',
    minimum: 1,
    maximum: LARGEST_ACCEPTED,
    adapt: intoOptions,
    absent: 'that of `options`',
    description: 'The `max_message_size` of `options`, where older configs have it.',
  },
  serializer: {
    reload: 'new connections',
    ...serializersSchema.items,
    adapt: intoSerializers,
    absent: '`serializers`',
    description: 'The only one of `serializers`, as for connections to a router.',
  },
} as const satisfies Readonly<Record<string, ConfigSchema>>;

export const rawsocketTransportSchema = {
  type: 'object',
  section: 'Transport "rawsocket"',
  standsAt: 'workers[].transports[]',
  description:
    'WAMP over plain TCP or a socket file (RawSocket), for programs: less work than a WebSocket, no browsers, no cookies.',
  clients: { by: 'RawSocket', browsers: false },
  required: ['type', 'endpoint'],
  additionalProperties: false,
  properties: {
    type: { const: 'rawsocket', description: 'The word for this transport.' },
    id: transportIdSchema,
    endpoint: endpointSchema,
    ...rawsocketKeys,
  },
  noEffect: debugWithoutEffect,
} as const satisfies ConfigSchema;

export type RawSocketOptions = Checked<typeof rawsocketOptionsSchema>;

/** What a RawSocket is configured with, wherever it stands. */
export type RawSocketConfig = Pick<Checked<typeof rawsocketTransportSchema>, 'serializers' | 'options' | 'auth'>;

/** A checked transport of type `rawsocket`. */
export interface RawSocketTransportConfig extends RawSocketConfig {
  readonly type: 'rawsocket';
  readonly id: string;
  readonly endpoint: EndpointConfig;
}
