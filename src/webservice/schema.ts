/**
 * What may stand on a path, and the `web` transport: one port, and a tree of paths with a service on each. Every service has its
 * schema in a file of its own; here they are joined.
 */
import { archiveSchema } from './archive/schema.js';
import type { ArchiveConfig } from './archive/schema.js';
import { cookieSchema } from '../cookie/schema.js';
import type { Checked, ConfigSchema } from '../schema/dialect.js';
import { debugWithoutEffect } from '../transport/connection-schema.js';
import { endpointSchema, transportIdSchema } from '../transport/endpoint-schema.js';
import type { EndpointConfig } from '../transport/endpoint-schema.js';
import { callerSchema, publisherSchema, webhookSchema } from './bridge/schema.js';
import type { CallerConfig, PublisherConfig, WebhookConfig } from './bridge/schema.js';
import { webProxyKeys } from '../transport/proxies/schema.js';
import { cgiSchema } from './cgi/schema.js';
import type { CgiConfig } from './cgi/schema.js';
import { healthSchema, healthzSchema, readyzSchema } from './health/schema.js';
import type { HealthConfig, HealthzConfig, ReadyzConfig } from './health/schema.js';
import { jsonSchema } from './json-schema.js';
import type { JsonConfig } from './json-schema.js';
import { loginSchema } from './login/schema.js';
import type { LoginConfig } from './login/schema.js';
import { checkMonitors } from './monitor/rules.js';
import { monitorSchema } from './monitor/schema.js';
import type { MonitorServiceConfig } from './monitor/schema.js';
import { metricsSchema } from './metrics/schema.js';
import type { MetricsConfig } from './metrics/schema.js';
import { mqttServiceSchema } from './mqtt/schema.js';
import type { MqttServiceConfig } from './mqtt/schema.js';
import { nodeInfoSchema } from './nodeinfo/schema.js';
import type { NodeInfoConfig } from './nodeinfo/schema.js';
import { longPollSchema } from './longpoll/schema.js';
import type { LongPollServiceConfig } from './longpoll/schema.js';
import { noneSchema } from './none-schema.js';
import type { NoneConfig } from './none-schema.js';
import { pathSchema, pathsSchema } from './path-schema.js';
import type { NestedPaths } from './path-schema.js';
import { reverseProxySchema, webSocketReverseProxySchema } from './proxy/schema.js';
import type { ReverseProxyConfig, WebSocketReverseProxyConfig } from './proxy/schema.js';
import { resourceSchema, wsgiSchema } from './python/schema.js';
import type { ResourceConfig, WsgiConfig } from './python/schema.js';
import { redirectSchema } from './redirect-schema.js';
import type { RedirectConfig } from './redirect-schema.js';
import { flag } from './service-schema.js';
import type { WithCookie } from './service-schema.js';
import { staticSchema } from './static/schema.js';
import type { StaticConfig } from './static/schema.js';
import { uploadSchema } from './upload/schema.js';
import type { UploadConfig } from './upload/schema.js';
import { websocketServiceSchema } from './websocket-schema.js';
import type { WebSocketServiceConfig } from './websocket-schema.js';

export const pathServiceSchema = {
  type: 'object',
  section: 'Path service',
  standsAt: 'workers[].transports[].paths',
  description: 'What answers on a path.',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [
    websocketServiceSchema,
    staticSchema,
    archiveSchema,
    jsonSchema,
    redirectSchema,
    uploadSchema,
    loginSchema,
    publisherSchema,
    callerSchema,
    webhookSchema,
    reverseProxySchema,
    webSocketReverseProxySchema,
    longPollSchema,
    mqttServiceSchema,
    nodeInfoSchema,
    healthzSchema,
    readyzSchema,
    healthSchema,
    monitorSchema,
    metricsSchema,
    noneSchema,
    pathSchema,
    cgiSchema,
    wsgiSchema,
    resourceSchema,
  ],
  notYet: {
    wap: 'serve the page with "static", and let it call the procedure by WebSocket; for pages that a template makes, run a web application beside the node',
    catalog:
      'it shows schemas of FlatBuffers, which the node does not speak; write the pages as files, and serve the directory with "static"',
    flashpolicy: 'leave it out, Flash is gone',
  },
} as const satisfies ConfigSchema;

export const webTransportSchema = {
  type: 'object',
  section: 'Transport "web"',
  standsAt: 'workers[].transports[]',
  description: 'An HTTP server: pages, WebSockets and other services on one port.',
  rules: checkMonitors,
  required: ['type', 'endpoint', 'paths'],
  additionalProperties: false,
  properties: {
    type: { const: 'web', description: 'The word for this transport.' },
    id: transportIdSchema,
    endpoint: endpointSchema,
    paths: pathsSchema,
    options: {
      type: 'object',
      section: 'Web options',
      standsAt: 'workers[].transports[].options',
      default: {},
      reload: 'new requests',
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
        ...webProxyKeys,
      },
    },
    cookie: cookieSchema,
  },
  noEffect: debugWithoutEffect,
} as const satisfies ConfigSchema;

/** The services by path segment. */
export type PathsConfig = Readonly<Record<string, PathServiceConfig>>;

export type PathConfig = NestedPaths<PathServiceConfig>;

export type PathServiceConfig =
  | WebSocketServiceConfig
  | StaticConfig
  | ArchiveConfig
  | JsonConfig
  | RedirectConfig
  | UploadConfig
  | LoginConfig
  | PublisherConfig
  | CallerConfig
  | WebhookConfig
  | ReverseProxyConfig
  | WebSocketReverseProxyConfig
  | LongPollServiceConfig
  | MqttServiceConfig
  | NodeInfoConfig
  | HealthzConfig
  | ReadyzConfig
  | HealthConfig
  | MonitorServiceConfig
  | MetricsConfig
  | NoneConfig
  | PathConfig
  | CgiConfig
  | WsgiConfig
  | ResourceConfig;

/** A checked transport of type `web`. */
export interface WebTransportConfig extends WithCookie {
  readonly type: 'web';
  readonly id: string;
  readonly endpoint: EndpointConfig;
  readonly paths: PathsConfig;
  readonly options: Checked<typeof webTransportSchema>['options'];
}
