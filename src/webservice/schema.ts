/**
 * The `web` transport: one port, and a tree of paths with a service on each.
 */
import { cookieSchema } from '../cookie/schema.js';
import type { CookieConfig } from '../cookie/schema.js';
import type { Checked, ConfigSchema } from '../schema/dialect.js';
import { endpointSchema, transportIdSchema } from '../transport/endpoint-schema.js';
import type { EndpointConfig } from '../transport/endpoint-schema.js';
import { websocketKeys } from '../transport/websocket/schema.js';
import type { WebSocketConfig } from '../transport/websocket/schema.js';

const serviceIdSchema = {
  type: 'string',
  pattern: '^[a-z][a-z0-9_]{2,63}$',
  allowed: '3 to 64 of a-z, 0-9 and _, beginning with a letter',
  absent: 'none',
  description: 'A name for this service.',
} as const satisfies ConfigSchema;

/** Keys that every service may carry. */
const serviceKeys = { id: serviceIdSchema, cookie: cookieSchema } as const;

const flag = (description: string) => ({ type: 'boolean', default: false, description }) as const;

export const pathsSchema = {
  type: 'object',
  description:
    'The services by path segment; `/` answers what no other path does. Deeper paths are made with the service `path`.',
  propertyNames: {
    pattern: '^([a-z0-9A-Z_\\-]+|/)$',
    allowed: '"/" or one path segment of a-z, A-Z, 0-9, _ and -; nest deeper paths with the service "path"',
  },
  additionalProperties: { $ref: '#/definitions/pathService' },
} as const satisfies ConfigSchema;

export const staticSchema = {
  type: 'object',
  description: 'Serves the files of a directory.',
  required: ['type', 'directory'],
  additionalProperties: false,
  properties: {
    type: { const: 'static', description: 'The word for this service.' },
    ...serviceKeys,
    directory: {
      type: 'string',
      minLength: 1,
      description: 'The directory, absolute or relative to the node directory.',
    },
    options: {
      type: 'object',
      default: {},
      description: 'How the files are served.',
      additionalProperties: false,
      properties: {
        enable_directory_listing: flag(
          'Lists the files of a directory that has no default file. Off, so that nothing shows by accident.',
        ),
        mime_types: {
          type: 'object',
          allowed: 'an object such as {".md": "text/markdown"}',
          default: {},
          propertyNames: { pattern: '^\\.[^./]+$', allowed: 'a file extension such as ".md"' },
          additionalProperties: {
            type: 'string',
            pattern: '^[^/\\s]+/[^/\\s]+.*$',
            allowed: 'a media type such as "text/markdown"',
            description: 'A media type.',
          },
          description: 'More media types, by file extension with its dot.',
        },
        cache_timeout: {
          type: ['integer', 'null'],
          minimum: 0,
          maximum: 31_536_000,
          allowed: 'seconds from 0 to 31536000, or null',
          default: 43_200,
          description:
            'Seconds that a browser may keep a file without asking again; null sends no such header. 43200 are 12 hours.',
        },
        default_file: {
          type: 'string',
          pattern: '^[^/\\\\]+$',
          allowed: 'a file name without a directory',
          default: 'index.html',
          description: 'The file that answers for a directory.',
        },
      },
    },
  },
  notYet: ['package', 'resource'],
} as const satisfies ConfigSchema;

export const jsonSchema = {
  type: 'object',
  description: 'Serves a JSON value that stands here in the config.',
  required: ['type', 'value'],
  additionalProperties: false,
  properties: {
    type: { const: 'json', description: 'The word for this service.' },
    ...serviceKeys,
    value: { description: 'The value: anything that JSON can say.' },
    options: {
      type: 'object',
      default: {},
      description: 'How the value is served.',
      additionalProperties: false,
      properties: {
        prettify: flag('Indents the JSON for people.'),
        allow_cross_origin: flag('Lets pages of other sites read it.'),
        discourage_caching: flag('Tells browsers and proxies to ask every time.'),
      },
    },
  },
} as const satisfies ConfigSchema;

export const redirectSchema = {
  type: 'object',
  description: 'Sends the browser to another URL.',
  required: ['type', 'url'],
  additionalProperties: false,
  properties: {
    type: { const: 'redirect', description: 'The word for this service.' },
    ...serviceKeys,
    url: {
      type: 'string',
      // No other scheme: a browser would run what follows `javascript:`, on this site.
      pattern: '^([hH][tT][tT][pP][sS]?://|(?![A-Za-z][A-Za-z0-9+.-]*:))[\\x21-\\x7e]+$',
      allowed: 'a URL with http:// or https://, or a path, ASCII without space',
      description: 'Where to go: a URL, or a path of this site.',
    },
  },
} as const satisfies ConfigSchema;

export const nodeInfoSchema = {
  type: 'object',
  description: 'Serves a short page about the node.',
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { const: 'nodeinfo', description: 'The word for this service.' },
    ...serviceKeys,
  },
} as const satisfies ConfigSchema;

export const pathSchema = {
  type: 'object',
  description: 'Nests more services below this path.',
  required: ['type', 'paths'],
  additionalProperties: false,
  properties: {
    type: { const: 'path', description: 'The word for this service.' },
    ...serviceKeys,
    paths: pathsSchema,
  },
} as const satisfies ConfigSchema;

export const websocketServiceSchema = {
  type: 'object',
  description: 'Takes WebSocket connections on this path: this is where WAMP clients connect.',
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { const: 'websocket', description: 'The word for this service.' },
    id: serviceIdSchema,
    ...websocketKeys,
  },
  notYet: ['debug'],
} as const satisfies ConfigSchema;

export const pathServiceSchema = {
  type: 'object',
  description: 'What answers on a path.',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [websocketServiceSchema, staticSchema, jsonSchema, redirectSchema, nodeInfoSchema, pathSchema],
  notYet: [
    'websocket-reverseproxy',
    'longpoll',
    'publisher',
    'caller',
    'webhook',
    'reverseproxy',
    'cgi',
    'wsgi',
    'resource',
    'archive',
    'wap',
    'catalog',
    'upload',
    'none',
  ],
} as const satisfies ConfigSchema;

export const webTransportSchema = {
  type: 'object',
  description: 'An HTTP server: pages, WebSockets and other services on one port.',
  required: ['type', 'endpoint', 'paths'],
  additionalProperties: false,
  properties: {
    type: { const: 'web', description: 'The word for this transport.' },
    id: transportIdSchema,
    endpoint: endpointSchema,
    paths: pathsSchema,
    options: {
      type: 'object',
      default: {},
      description: 'Options for every path.',
      additionalProperties: false,
      properties: {
        access_log: flag('Logs every request.'),
        display_tracebacks: flag('Shows what went wrong inside to the browser. Only for development.'),
        hsts: flag(
          'Tells browsers to use TLS only (`Strict-Transport-Security`), for a node behind a proxy that terminates TLS.',
        ),
        hsts_max_age: {
          type: 'integer',
          minimum: 0,
          maximum: 2_147_483_647,
          default: 31_536_000,
          description: 'Seconds that browsers keep `hsts` in mind. 31536000 is one year.',
        },
        client_timeout: {
          type: ['integer', 'null'],
          minimum: 1,
          maximum: 86_400,
          allowed: 'seconds from 1 to 86400, or null',
          default: null,
          description: 'Seconds after which an idle HTTP connection is closed; null means 60 seconds.',
        },
      },
    },
    cookie: cookieSchema,
  },
} as const satisfies ConfigSchema;

/** Keys whose types `FromSchema` cannot or need not derive. */
interface WithCookie {
  /** For this service; without it the one of the transport applies. */
  readonly cookie?: CookieConfig;
}
type Service<S> = Omit<S, 'cookie'> & WithCookie;

export type StaticConfig = Service<Checked<typeof staticSchema>>;
export type JsonConfig = Service<Checked<typeof jsonSchema>>;
export type RedirectConfig = Service<Checked<typeof redirectSchema>>;
export type NodeInfoConfig = Service<Checked<typeof nodeInfoSchema>>;

export interface WebSocketServiceConfig extends WebSocketConfig {
  readonly type: 'websocket';
  readonly id?: string;
}

/** The services by path segment. */
export type PathsConfig = Readonly<Record<string, PathServiceConfig>>;

export interface PathConfig extends WithCookie {
  readonly type: 'path';
  readonly id?: string;
  readonly paths: PathsConfig;
}

export type PathServiceConfig =
  WebSocketServiceConfig | StaticConfig | JsonConfig | RedirectConfig | NodeInfoConfig | PathConfig;

/** A checked transport of type `web`. */
export interface WebTransportConfig extends WithCookie {
  readonly type: 'web';
  readonly id: string;
  readonly endpoint: EndpointConfig;
  readonly paths: PathsConfig;
  readonly options: Checked<typeof webTransportSchema>['options'];
}
