/**
 * How a WebSocket behaves, for the plain `websocket` transport and for the `websocket` service of a web transport alike.
 */
import { authOptionsSchema } from '../../auth/options-schema.js';
import { authSchema } from '../../auth/schema.js';
import { cookieSchema } from '../../cookie/schema.js';
import type { CookieConfig } from '../../cookie/schema.js';
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
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
import { atLeastTwelve, DEFAULT_MAX_MESSAGE_SIZE, nineInsteadOfEight, noteLargeFrames } from './option-forms.js';
import { endpointSchema, transportIdSchema } from '../endpoint-schema.js';
import type { EndpointConfig } from '../endpoint-schema.js';

export const deflateSchema = {
  type: 'object',
  section: 'Deflate',
  standsAt: 'options.compression.deflate',
  description: 'Compresses messages (permessage-deflate, RFC 7692) for clients that offer it.',
  additionalProperties: false,
  properties: {
    request_no_context_takeover: {
      type: 'boolean',
      default: false,
      description: 'Asks the client to start each message with an empty window: less memory here, less compression.',
    },
    request_max_window_bits: {
      type: 'integer',
      adapt: nineInsteadOfEight,
      enum: [0, 9, 10, 11, 12, 13, 14, 15],
      default: 0,
      description: 'Asks the client for a window of 2 to the power of this many bytes; 0 leaves it to the client.',
    },
    no_context_takeover: {
      type: 'boolean',
      default: false,
      description:
        'Starts each message that we send with an empty window: less memory per connection, less compression.',
    },
    max_window_bits: {
      type: 'integer',
      minimum: 9,
      maximum: 15,
      adapt: nineInsteadOfEight,
      absent: '15, or what the client asks for',
      description: 'Our own window: 2 to the power of this many bytes.',
    },
    memory_level: {
      type: 'integer',
      minimum: 1,
      maximum: 9,
      default: 8,
      description: "zlib's memory level: 1 is small and slow, 9 large and fast. 8 is zlib's own default.",
    },
  },
  unknownKeys: 'note',
} as const satisfies ConfigSchema;

const FLASH_IS_GONE = 'Flash is gone';

export const websocketOptionsSchema = {
  type: 'object',
  section: 'WebSocket options',
  reload: 'new connections',
  standsAt: 'options of a WebSocket',
  default: {},
  description: 'How the WebSocket behaves. The defaults suit browsers on the open Internet.',
  additionalProperties: false,
  properties: {
    allowed_origins: {
      type: 'array',
      items: {
        type: 'string',
        minLength: 1,
        description:
          'An origin: a scheme (any), a host and perhaps a port, such as `https://example.com:8443` or `capacitor://localhost`; `*` stands for any characters.',
      },
      absent: '`["self"]` where a `cookie` section or `auth.session` applies, else `["*"]` as in Crossbar.io',
      description:
        'The origins of pages that may connect. `*` stands for any characters. `self` is the host that the client asked for, with any port, by `http`, `https`, `ws` or `wss`; `localhost`, `127.0.0.1` and `[::1]` are one host. Behind a proxy that changes the `Host` header, name your sites instead. The owner of any name can point it at your address, also at 127.0.0.1, and so make his pages `self`: the names of your sites are safer. Clients that send no origin are no browsers and may connect.',
    },
    allow_null_origin: {
      type: 'boolean',
      absent: 'false where a `cookie` section or `auth.session` applies, else true',
      description:
        'Whether pages without an origin may connect: local files, sandboxed frames, and web views of apps whose origin is empty or begins with `file:` or `content:`.',
    },
    enable_hybi10: {
      const: true,
      default: true,
      noEffect: 'the library under us always speaks this draft, too',
      description: 'Accepts the WebSocket draft before RFC 6455 (version 8).',
    },
    enable_rfc6455: {
      const: true,
      default: true,
      because: 'every client of today speaks RFC 6455',
      description: 'Accepts WebSocket version 13, which is what RFC 6455 describes.',
    },
    open_handshake_timeout: timeout(
      10_000,
      'How long the HTTP request that opens the WebSocket may take. 10 seconds are plenty for slow phones and little for attackers.',
    ),
    close_handshake_timeout: timeout(
      2_000,
      'How long to wait for the answer to our close frame before the connection is cut.',
    ),
    hello_timeout: timeout(
      5_000,
      'How long a client may be connected without having joined a realm. An addition to the keys of Crossbar.io.',
    ),
    authenticate_timeout: authenticateTimeoutSchema,
    ...authOptionsSchema.properties,
    auto_ping_interval: timeout(
      30_000,
      'How often to ping. 30 seconds keep most proxies and mobile networks from dropping an idle connection.',
    ),
    auto_ping_timeout: timeout(20_000, 'How long to wait for the pong before the connection is taken for dead.'),
    auto_ping_size: {
      type: 'integer',
      minimum: 12,
      maximum: 125,
      adapt: atLeastTwelve,
      default: 12,
      description: 'Payload of a ping in bytes. 12 is the least.',
    },
    auto_ping_restart_on_any_traffic: {
      type: 'boolean',
      default: true,
      description: 'Whether anything that arrives counts as a sign of life, so that a busy client is not pinged.',
    },
    enable_webstatus: {
      type: 'boolean',
      default: true,
      description: 'Answers a browser that opens the URL of the WebSocket with a short page instead of an error.',
    },
    validate_utf8: {
      type: 'boolean',
      default: true,
      description: 'Refuses text messages that are not valid UTF-8, as RFC 6455 demands.',
    },
    mask_server_frames: {
      const: false,
      default: false,
      because: 'RFC 6455 forbids servers to mask',
      description: 'Masks the frames that we send.',
    },
    require_masked_client_frames: {
      const: true,
      default: true,
      noEffect: 'RFC 6455 obliges clients to mask, and others are refused',
      description: 'Refuses frames of clients that are not masked.',
    },
    apply_mask: {
      const: true,
      default: true,
      because: 'a masked frame cannot be read otherwise',
      description: 'Removes the mask from the frames of clients.',
    },
    max_frame_size: {
      type: 'integer',
      minimum: 0,
      maximum: 67_108_864,
      default: 0,
      adapt: noteLargeFrames,
      description:
        'Largest frame in bytes; a client that sends a larger one is disconnected (code 1009). 0 is no limit: `max_message_size` limits what a client can make us hold.',
    },
    max_message_size: {
      type: 'integer',
      minimum: 1,
      maximum: 67_108_864,
      default: DEFAULT_MAX_MESSAGE_SIZE,
      description:
        'Largest message in bytes; a client that sends more is disconnected, and the log says whose message it was. 16 MiB, where Crossbar.io has no limit: one client must not fill our memory. Before WELCOME a message may have 64 KiB, whatever stands here.',
    },
    max_unsent_bytes: maxUnsentBytesSchema,
    slow_consumer: slowConsumerSchema,
    ...connectionLimitKeys,
    auto_fragment_size: {
      const: 0,
      default: 0,
      noEffect: 'messages are sent whole',
      description: 'Splits what we send into frames of this many bytes; 0 sends each message in one frame.',
    },
    fail_by_drop: {
      type: 'boolean',
      default: false,
      description:
        'Cuts the connection of a client that breaks the protocol, or sends too much, without a close frame. Off, as in Crossbar.io, though not in Autobahn by itself: the client is told why by a close frame.',
    },
    echo_close_codereason: {
      type: 'boolean',
      default: false,
      description: "Answers a close frame with the client's own code and reason instead of 1000.",
    },
    tcp_nodelay: tcpNodelaySchema,
    show_server_version: {
      type: 'boolean',
      default: false,
      description: 'Adds the version to the `Server` header. Off: nobody needs to know.',
    },
    require_websocket_subprotocol: {
      type: 'boolean',
      default: true,
      description: 'Refuses clients that name no WAMP subprotocol. With false they are taken to speak `wamp.2.json`.',
    },
    enable_flash_policy: {
      const: false,
      default: false,
      noEffect: FLASH_IS_GONE,
      description: 'Answers requests for a Flash policy file.',
    },
    compression: {
      type: 'object',
      section: 'Compression',
      standsAt: 'options.compression',
      additionalProperties: false,
      unknownKeys: 'note',
      properties: { deflate: deflateSchema },
      absent: 'no compression',
      description: 'Compression of messages. Off: it costs memory and time for every connection.',
    },
  },
  noEffect: {
    external_port: 'the port that clients name in their handshake is not compared with ours',
    flash_policy: FLASH_IS_GONE,
    enable_hixie76: 'no browser of today speaks the drafts before version 8',
  },
} as const satisfies ConfigSchema;

/** The keys that a WebSocket has wherever it stands. */
export const websocketKeys = {
  url: {
    type: 'string',
    pattern: '^wss?://\\S+$',
    allowed: 'a URL beginning with ws:// or wss://',
    absent: 'made from the endpoint',
    reload: 'new connections',
    description: 'The URL under which clients reach the WebSocket, shown on its status page.',
  },
  serializers: serializersSchema,
  options: websocketOptionsSchema,
  auth: authSchema,
  cookie: cookieSchema,
} as const satisfies Readonly<Record<string, ConfigSchema>>;

export const websocketTransportSchema = {
  type: 'object',
  section: 'Transport "websocket"',
  standsAt: 'workers[].transports[]',
  description: 'A WebSocket that has a port to itself and answers on every path.',
  clients: { by: 'WebSocket', browsers: true },
  required: ['type', 'endpoint'],
  additionalProperties: false,
  properties: {
    type: { const: 'websocket', description: 'The word for this transport.' },
    id: transportIdSchema,
    endpoint: endpointSchema,
    ...websocketKeys,
  },
  noEffect: debugWithoutEffect,
} as const satisfies ConfigSchema;

export type DeflateConfig = Checked<typeof deflateSchema>;
export type WebSocketOptions = Checked<typeof websocketOptionsSchema>;

/** What a WebSocket is configured with, wherever it stands. */
export interface WebSocketConfig extends Pick<
  Checked<typeof websocketTransportSchema>,
  'url' | 'serializers' | 'options' | 'auth'
> {
  readonly cookie?: CookieConfig;
}

/** A checked transport of type `websocket`. */
export interface WebSocketTransportConfig extends WebSocketConfig {
  readonly type: 'websocket';
  readonly id: string;
  readonly endpoint: EndpointConfig;
}
