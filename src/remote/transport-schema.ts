/** How a component of a container reaches its router (`transport`): the transports that connect instead of listening. */
import type { ConfigSchema } from '../schema/dialect.js';
import { serializersSchema, timeout } from '../transport/connection-schema.js';
import { clientEndpointSchema } from './endpoint-schema.js';
import type { ClientEndpoint } from './endpoint-schema.js';
import { checkRawSocketUrl, checkWebSocketUrl } from './transport-rules.js';

const OF_LISTENERS = 'it is for those who listen';
const AS_IT_IS = 'the library of the component decides';

const noEffect = {
  id: 'nothing refers to it',
  debug: '"--loglevel" of the command sets how much the whole node logs',
  debug_wamp: '"--loglevel" of the command sets how much the whole node logs',
} as const;

const maxMessageSizeSchema = {
  type: 'integer',
  minimum: 1,
  maximum: 67_108_864,
  default: 16_777_216,
  description:
    'Largest message in bytes that the router may send; after a larger one the connection ends. 16 MiB, the most that a RawSocket carries.',
} as const satisfies ConfigSchema;

export const websocketClientOptionsSchema = {
  type: 'object',
  section: 'WebSocket client options',
  standsAt: 'workers[].components[].transport.options',
  default: {},
  description: 'How the WebSocket of a component behaves.',
  additionalProperties: false,
  properties: {
    max_message_size: maxMessageSizeSchema,
    open_handshake_timeout: timeout(10_000, 'How long the server may take to answer the opening handshake.'),
    auto_ping_interval: timeout(30_000, 'How often to ping, so that a router that vanished is noticed.'),
    auto_ping_timeout: timeout(20_000, 'How long to wait for the pong before the connection is taken for dead.'),
  },
  noEffect: {
    allowed_origins: OF_LISTENERS,
    allow_null_origin: OF_LISTENERS,
    external_port: OF_LISTENERS,
    enable_webstatus: OF_LISTENERS,
    enable_hixie76: OF_LISTENERS,
    enable_hybi10: OF_LISTENERS,
    enable_rfc6455: OF_LISTENERS,
    require_masked_client_frames: OF_LISTENERS,
    require_websocket_subprotocol: OF_LISTENERS,
    mask_server_frames: OF_LISTENERS,
    show_server_version: OF_LISTENERS,
    enable_flash_policy: OF_LISTENERS,
    flash_policy: OF_LISTENERS,
    echo_close_codereason: OF_LISTENERS,
    validate_utf8: AS_IT_IS,
    apply_mask: AS_IT_IS,
    max_frame_size: AS_IT_IS,
    auto_fragment_size: AS_IT_IS,
    fail_by_drop: AS_IT_IS,
    close_handshake_timeout: AS_IT_IS,
    tcp_nodelay: AS_IT_IS,
    auto_ping_size: AS_IT_IS,
    auto_ping_restart_on_any_traffic: AS_IT_IS,
    compression: 'components connect without compression',
  },
} as const satisfies ConfigSchema;

export const websocketClientSchema = {
  type: 'object',
  section: 'Client transport "websocket"',
  standsAt: 'workers[].components[].transport',
  description: 'WAMP over a WebSocket.',
  required: ['type', 'url'],
  rules: checkWebSocketUrl,
  additionalProperties: false,
  properties: {
    type: { const: 'websocket', description: 'The word for this transport.' },
    url: {
      type: 'string',
      pattern: '^wss?://.',
      allowed: 'a URL that begins with ws:// or wss://',
      description: 'The URL of the WebSocket, which the handshake asks for.',
    },
    endpoint: clientEndpointSchema,
    serializers: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: serializersSchema.items,
      absent: 'all that the host of the component knows, CBOR first',
      description: 'The serializers that are offered, in this order: the router takes the first that it knows.',
    },
    options: websocketClientOptionsSchema,
  },
  noEffect,
} as const satisfies ConfigSchema;

export const rawsocketClientOptionsSchema = {
  type: 'object',
  section: 'RawSocket client options',
  standsAt: 'workers[].components[].transport.options',
  default: {},
  description: 'How the RawSocket of a component behaves.',
  additionalProperties: false,
  properties: { max_message_size: maxMessageSizeSchema },
} as const satisfies ConfigSchema;

export const rawsocketClientSchema = {
  type: 'object',
  section: 'Client transport "rawsocket"',
  standsAt: 'workers[].components[].transport',
  description: 'WAMP over plain TCP or a socket file (RawSocket).',
  required: ['type'],
  rules: checkRawSocketUrl,
  additionalProperties: false,
  properties: {
    type: { const: 'rawsocket', description: 'The word for this transport.' },
    url: {
      type: 'string',
      pattern: '^rss?://.',
      allowed: 'a URL that begins with rs:// or rss://',
      absent: 'none',
      description: 'Where to connect, as one text; counts only without `endpoint`.',
    },
    endpoint: clientEndpointSchema,
    serializer: {
      ...serializersSchema.items,
      absent: 'the first of `serializers`, else `cbor`',
      description: 'The serializer.',
    },
    serializers: {
      type: 'array',
      minItems: 1,
      items: serializersSchema.items,
      absent: 'none',
      description: 'Another way to say it: the first counts.',
    },
    options: rawsocketClientOptionsSchema,
  },
  noEffect,
} as const satisfies ConfigSchema;

export const clientTransportSchema = {
  type: 'object',
  section: 'Client transport',
  standsAt: 'workers[].components[].transport',
  description: 'How a component reaches its router, usually one of the same node.',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [websocketClientSchema, rawsocketClientSchema],
} as const satisfies ConfigSchema;

/** A checked transport of a component that connects by WebSocket. */
export interface WebSocketClientConfig {
  readonly type: 'websocket';
  readonly url: string;
  readonly endpoint?: ClientEndpoint;
  readonly serializers?: readonly string[];
  readonly options: {
    readonly max_message_size: number;
    readonly open_handshake_timeout: number;
    readonly auto_ping_interval: number;
    readonly auto_ping_timeout: number;
  };
}

/** A checked transport of a component that connects by RawSocket. */
export interface RawSocketClientConfig {
  readonly type: 'rawsocket';
  readonly url?: string;
  readonly endpoint?: ClientEndpoint;
  readonly serializer?: string;
  readonly serializers?: readonly string[];
  readonly options: { readonly max_message_size: number };
}

export type ClientTransportConfig = WebSocketClientConfig | RawSocketClientConfig;
