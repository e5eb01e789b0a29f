/** Configs and dependencies for tests of web services: what the checker would have made of a short config. */
import { NOBODY_TO_ASK } from './client.js';
import { FakeClock } from './realm.js';
import { ManagedCookies } from '../../src/cookie/management.js';
import type { CookieConfig } from '../../src/cookie/schema.js';
import { CookieStores } from '../../src/cookie/stores.js';
import { silentLogger } from '../../src/log/logger.js';
import { NodeMetrics } from '../../src/metrics/node-metrics.js';
import { Router } from '../../src/router/router.js';
import { Drain } from '../../src/transport/drain.js';
import { websocketOptionsSchema } from '../../src/transport/websocket/schema.js';
import type { WebSocketOptions } from '../../src/transport/websocket/schema.js';
import { createWebService } from '../../src/webservice/registry.js';
import type { PathsConfig, WebTransportConfig } from '../../src/webservice/schema.js';
import type { WebServiceDeps } from '../../src/webservice/service.js';
import type { StaticConfig } from '../../src/webservice/static/schema.js';
import type { WebSocketServiceConfig } from '../../src/webservice/websocket-schema.js';
import { SHIPPED } from '../../src/worker/registry.js';

export function cookieConfig(parts: Partial<CookieConfig> = {}): CookieConfig {
  return {
    name: 'cbtid',
    length: 24,
    max_age: 86_400,
    store: { type: 'memory' },
    same_site: 'Lax',
    path: '/',
    sliding: false,
    max_unreturned: 10_000,
    close_expired: false,
    rotate_grace: 60,
    ...parts,
  };
}

/** All options at their defaults but for `parts`. */
export function webSocketOptions(parts: Partial<WebSocketOptions> = {}): WebSocketOptions {
  const defaults = Object.entries(websocketOptionsSchema.properties).flatMap(([key, schema]) =>
    'default' in schema ? [[key, schema.default]] : [],
  );
  return { ...Object.fromEntries(defaults), ...parts };
}

export function webSocketConfig(parts: Partial<WebSocketServiceConfig> = {}): WebSocketServiceConfig {
  return { type: 'websocket', serializers: ['json'], options: webSocketOptions(), ...parts };
}

export function staticConfig(directory: string, options: Partial<StaticConfig['options']> = {}): StaticConfig {
  return {
    type: 'static',
    directory,
    options: {
      enable_directory_listing: false,
      mime_types: {},
      index: 'index.html',
      allow_cross_origin: false,
      ...options,
    },
  };
}

export function jsonConfig(value: unknown): PathsConfig[string] {
  return {
    type: 'json',
    value,
    options: { prettify: false, allow_cross_origin: false, discourage_caching: false },
  };
}

/** A web transport on a free loopback port. */
export function webConfig(
  paths: PathsConfig,
  parts: Partial<Omit<WebTransportConfig, 'options'>> & {
    readonly options?: Partial<WebTransportConfig['options']>;
  } = {},
): WebTransportConfig {
  const { options, ...rest } = parts;
  return {
    type: 'web',
    id: 'transport001',
    endpoint: { type: 'tcp', port: 0, interface: '127.0.0.1', backlog: 50, shared: false },
    paths,
    options: {
      access_log: false,
      display_tracebacks: false,
      hsts: false,
      hsts_max_age: 31_536_000,
      client_timeout: null,
      ...options,
    },
    ...rest,
  };
}

/** A router without realms: enough where no session is joined. */
export function emptyRouter(): Router {
  return new Router([], { randomId: () => 1, clock: Date.now, scheduler: new FakeClock() });
}

/** One that nobody runs. */
export function idleDrain(): Drain {
  return new Drain({
    log: silentLogger(),
    saysGoodbye: false,
    elapsed: () => performance.now(),
    wait: () => Promise.resolve(),
    random: Math.random,
  });
}

export function serviceDeps(parts: Partial<WebServiceDeps> = {}): WebServiceDeps {
  const log = parts.log ?? silentLogger();
  return {
    router: emptyRouter(),
    load: NOBODY_TO_ASK.load,
    logins: NOBODY_TO_ASK.logins,
    families: SHIPPED,
    stores: new CookieStores({ clock: Date.now, log }),
    managedCookies: new ManagedCookies(),
    log,
    drain: idleDrain(),
    metrics: new NodeMetrics(),
    clock: Date.now,
    cookies: undefined,
    nodeInfo: {},
    webSocketPaths: [],
    privatePaths: [],
    createService: createWebService,
    ...parts,
  };
}
