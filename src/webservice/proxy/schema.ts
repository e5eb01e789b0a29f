/** The services `reverseproxy` and `websocket-reverseproxy` in the config. */
import { clientEndpointSchema } from '../../remote/endpoint-schema.js';
import type { ClientEndpoint } from '../../remote/endpoint-schema.js';
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { flag, serviceIdSchema, serviceKeys } from '../service-schema.js';
import type { Service } from '../service-schema.js';
import { checkReverseProxy, checkWebSocketBackend } from './rules.js';

const OWN = 'An addition to the keys of Crossbar.io.';

const maxConnectionsSchema = {
  type: 'integer',
  minimum: 0,
  maximum: 2_147_483_647,
  default: 1000,
  description: `How many WebSockets there may be at once; one more is answered with 503. 0 is no limit. ${OWN}`,
} as const satisfies ConfigSchema;

const passCookieSchema = flag(
  `Lets the backend see the cookies by which this node recognises browsers. They are passwords, so they are taken out by default; those of the backend itself are passed on. ${OWN}`,
);

export const reverseProxySchema = {
  type: 'object',
  section: 'Service "reverseproxy"',
  description: 'Passes requests on to another HTTP server, WebSockets included, and its answers back.',
  required: ['type'],
  rules: checkReverseProxy,
  additionalProperties: false,
  properties: {
    type: { const: 'reverseproxy', description: 'The word for this service.' },
    ...serviceKeys,
    host: {
      type: 'string',
      pattern: '^[A-Za-z0-9._:\\-]{1,253}$',
      allowed: 'a host name or an address',
      absent: 'none; `endpoint` says where the backend is',
      description: 'The host name or address of the backend.',
    },
    port: { type: 'integer', minimum: 1, maximum: 65_535, absent: '80', description: 'The port of the backend.' },
    path: {
      type: 'string',
      pattern: '^/[\\x21\\x24-\\x3e\\x40-\\x7e]*$',
      allowed: 'a path that begins with "/"',
      default: '/',
      description: 'What stands below the path of this service is asked for below this path.',
    },
    forwarded_port: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      absent: 'the port that the client came to',
      description: 'What `X-Forwarded-Port` says.',
    },
    forwarded_proto: {
      type: 'string',
      enum: ['http', 'https'],
      absent: 'the scheme that the client came by',
      description: 'What `X-Forwarded-Proto` says.',
    },
    endpoint: {
      ...clientEndpointSchema,
      section: 'Endpoint of a backend',
      standsAt: '...paths.PATH.endpoint',
      absent: '`host` and `port`, without TLS',
      description: `Where the backend is, instead of \`host\` and \`port\`: with TLS, or a socket in the file system. ${OWN}`,
    },
    options: {
      type: 'object',
      section: 'Reverse proxy options',
      default: {},
      description: 'Limits, and what the backend is told.',
      additionalProperties: false,
      properties: {
        timeout: {
          type: 'integer',
          minimum: 1,
          maximum: 3600,
          default: 30,
          description: `How many seconds the backend may take to begin its answer, once it has the request; then the client gets 504. ${OWN}`,
        },
        max_requests: {
          type: 'integer',
          minimum: 1,
          maximum: 1_000_000,
          default: 1000,
          description: `How many requests may be under way at once; one more is answered with 503. ${OWN}`,
        },
        max_body: {
          type: 'integer',
          minimum: 0,
          maximum: 1_099_511_627_776,
          absent: 'no limit: bodies are passed on as they come, and not kept',
          description: `How many bytes the body of a request may have; a larger one is answered with 413. ${OWN}`,
        },
        max_connections: maxConnectionsSchema,
        pass_cookie: passCookieSchema,
        forwarded: flag(`Tells the backend of the client by \`Forwarded\` (RFC 7239), too. ${OWN}`),
      },
    },
  },
} as const satisfies ConfigSchema;

const AT_BACKEND = 'set it at the backend: bytes pass through as they are, and are not looked at here';
const PINGS = 'let the backend send pings: they go through to the client';

export const webSocketReverseProxySchema = {
  type: 'object',
  section: 'Service "websocket-reverseproxy"',
  description:
    'Passes WebSockets on to another server, whatever they carry. The backend gets the headers of the client, and the path of `backend.url`.',
  required: ['type', 'backend'],
  additionalProperties: false,
  properties: {
    type: { const: 'websocket-reverseproxy', description: 'The word for this service.' },
    id: serviceIdSchema,
    cookie: serviceKeys.cookie,
    url: {
      type: 'string',
      minLength: 1,
      absent: 'none',
      description: 'The URL by which clients connect. Only for people who read the config.',
    },
    backend: {
      type: 'object',
      section: 'Backend of WebSockets',
      standsAt: '...paths.PATH.backend',
      description: 'Where the WebSockets lead to.',
      required: ['type', 'url'],
      rules: checkWebSocketBackend,
      additionalProperties: false,
      properties: {
        type: { const: 'websocket', description: 'The word for a WebSocket.' },
        url: {
          type: 'string',
          pattern: '^wss?://.',
          allowed: 'a URL that begins with ws:// or wss://',
          description: 'What the backend is asked for: host, path and query. With `wss`, by TLS.',
        },
        endpoint: {
          ...clientEndpointSchema,
          section: 'Endpoint of a WebSocket backend',
          standsAt: '...paths.PATH.backend.endpoint',
        },
      },
      noEffect: {
        id: 'nothing refers to it',
        serializers: 'client and backend agree on one between themselves',
        options: 'client and backend talk to each other, and this node does not take part in it',
        debug: '"--loglevel" of the command sets how much the whole node logs',
      },
    },
    options: {
      type: 'object',
      section: 'Options of proxied WebSockets',
      default: {},
      description: 'Which pages may connect, and limits. What else a WebSocket can have is a matter of the backend.',
      additionalProperties: false,
      properties: {
        allowed_origins: {
          type: 'array',
          uniqueItems: true,
          default: ['*'],
          items: { type: 'string', minLength: 1, description: 'An origin; `*` stands for any characters; or `self`.' },
          description:
            'The origins of pages that may connect, as on a WebSocket of this node. The backend gets the origin, too, and may have rules of its own.',
        },
        allow_null_origin: {
          type: 'boolean',
          default: true,
          description: 'Lets pages without an origin connect: local files and sandboxed frames.',
        },
        open_handshake_timeout: {
          type: 'integer',
          minimum: 0,
          maximum: 2_147_483_647,
          default: 10_000,
          description: 'How long the backend may take to answer the handshake, in milliseconds; 0 is no limit.',
        },
        max_connections: maxConnectionsSchema,
        pass_cookie: passCookieSchema,
      },
      notYet: {
        external_port: AT_BACKEND,
        enable_hybi10: AT_BACKEND,
        enable_rfc6455: AT_BACKEND,
        close_handshake_timeout: AT_BACKEND,
        enable_webstatus: AT_BACKEND,
        validate_utf8: AT_BACKEND,
        mask_server_frames: AT_BACKEND,
        require_masked_client_frames: AT_BACKEND,
        apply_mask: AT_BACKEND,
        max_frame_size: AT_BACKEND,
        max_message_size: AT_BACKEND,
        auto_fragment_size: AT_BACKEND,
        fail_by_drop: AT_BACKEND,
        echo_close_codereason: AT_BACKEND,
        tcp_nodelay: AT_BACKEND,
        auto_ping_interval: PINGS,
        auto_ping_timeout: PINGS,
        auto_ping_size: PINGS,
        auto_ping_restart_on_any_traffic: PINGS,
        require_websocket_subprotocol: AT_BACKEND,
        show_server_version: AT_BACKEND,
        compression: AT_BACKEND,
        enable_flash_policy: 'leave it out, browsers have no Flash any more',
        flash_policy: 'leave it out, browsers have no Flash any more',
      },
    },
  },
} as const satisfies ConfigSchema;

/** A checked service; paths of files are absolute. */
export interface ReverseProxyConfig extends Omit<Service<Checked<typeof reverseProxySchema>>, 'endpoint'> {
  readonly endpoint?: ClientEndpoint;
  /** Of no file: the backend is the other half of this very transport, and its answers are as they have to be. */
  readonly isOtherHalf?: true;
}

type WebSocketShape = Service<Checked<typeof webSocketReverseProxySchema>>;

/** A checked service; paths of files are absolute. */
export interface WebSocketReverseProxyConfig extends Omit<WebSocketShape, 'backend'> {
  readonly backend: { readonly type: 'websocket'; readonly url: string; readonly endpoint?: ClientEndpoint };
}
