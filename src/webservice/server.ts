/**
 * From the config of a `web` or `websocket` transport to its server: the path tree, time limits and headers.
 */
import type { ServerOptions } from 'node:http';
import { ManagedCookies } from '../cookie/management.js';
import { EndpointServer } from '../transport/endpoint.js';
import { LiveServer } from '../transport/reload/live-server.js';
import type { NodeFacts, Prepared } from '../transport/reload/prepared.js';
import type { NodeInfo, TransportServer } from '../transport/transport-type.js';
import { SERVER_NAME } from '../transport/refusal.js';
import { trustedProxiesOf } from '../transport/proxies/trusted-proxies.js';
import type { ProxyTrustConfig } from '../transport/proxies/schema.js';
import type { SharedPort, SharedPorts } from '../transport/shared-port.js';
import type { WebSocketTesteeConfig } from '../transport/testee/schema.js';
import type { WebSocketTransportConfig } from '../transport/websocket/schema.js';
import { MAX_HEADER_BYTES } from '../http/parse-error.js';
import { HttpAcceptor } from '../http/acceptor.js';
import type { HttpAcceptorOptions } from '../http/acceptor.js';
import { SharedRoot } from '../http/shared-root.js';
import { NodeMetrics } from '../metrics/node-metrics.js';
import type { WebService } from '../http/service.js';
import { answeringServices, webSocketPathsOf } from './path-tree.js';
import { LiveWeb } from './reload/live-web.js';
import type { ServiceBook } from './reload/service-book.js';
import { TesteeService } from './testee.js';
import { longestTimes } from './request-times.js';
import type { ApplicationHost } from './python/application-host.js';
import type { RequestTimes } from './request-times.js';
import type { PathServiceConfig, WebTransportConfig } from './schema.js';
import type { ProgramDeps, WebServiceDeps, WebServiceType } from './service.js';

/** How often the times of requests are checked: a slow sender lives this much longer than allowed. */
const TIMEOUT_CHECK_MS = 500;

/** Between two requests of a connection, where `client_timeout` does not say otherwise. */
const KEEP_ALIVE_MS = 60_000;

export interface WebServerDeps extends Pick<
  WebServiceDeps,
  'router' | 'load' | 'logins' | 'families' | 'stores' | 'log' | 'drain' | 'atFront' | 'behindFronts'
> {
  /** The ports of the node that transports share; none by default. */
  readonly sharedPorts?: SharedPorts;
  /** Default: one of its own, which no command asks. */
  readonly managedCookies?: ManagedCookies;
  /** Whose headers tell where clients are, where a transport does not say it itself; nobody's by default. */
  readonly proxyTrust?: ProxyTrustConfig | undefined;
  /** What the node counts; nobody looks at it by default. */
  readonly metrics?: NodeMetrics;
  /** The names of all cookies by which the node recognises browsers; none by default. */
  readonly cookieNames?: ReadonlySet<string> | undefined;
  /** Milliseconds since 1970; `Date.now` by default. */
  readonly clock?: () => number;
  /** What services may tell of the node; nothing by default. */
  readonly nodeInfo?: NodeInfo;
  /** Files and directories that are never served, absolute; none by default. */
  readonly privatePaths?: readonly string[];
  /** The environment of the node; empty by default. */
  readonly env?: ProgramDeps['env'];
  /** Ends the programs of services when the node is gone; each has one of its own by default. */
  readonly warden?: ProgramDeps['warden'];
  /** Runs applications of Python; nobody by default. */
  readonly applications?: ApplicationHost;
}

/** The part of a `web` transport that is behind its endpoint. */
export type WebConfig = Pick<WebTransportConfig, 'id' | 'paths' | 'options' | 'cookie'>;

/** The server of a transport of type `web`. */
export function createWebServer(config: WebTransportConfig, deps: WebServerDeps): TransportServer {
  const shared = deps.sharedPorts?.of(config.endpoint);
  const web = createLiveWeb(config, deps, shared);
  const trustedProxies = trustedProxiesOf(config.options, deps.proxyTrust);
  const log = deps.log.child({ transport: config.id });
  const counts = deps.metrics?.transport(config.id);
  const server = new EndpointServer(config.endpoint, web.acceptor, log, { shared, trustedProxies, counts });
  // What several transports share cannot change for one of them.
  if (shared !== undefined) return server;
  const rebuild = async (next: WebTransportConfig, facts: NodeFacts): Promise<Prepared> => {
    const prepared = await web.prepare(next, facts);
    return {
      discard: () => prepared.discard(),
      commit: () => {
        prepared.commit();
        server.trust(trustedProxiesOf(next.options, deps.proxyTrust));
      },
    };
  };
  return new LiveServer<WebTransportConfig>(config, server, rebuild, factsOf(deps));
}

/** What answers on the connections of a `web` transport. @param shared where others have the same port */
export function createLiveWeb(config: WebConfig, deps: WebServerDeps, shared?: SharedPort): LiveWeb<WebConfig> {
  const build = (next: WebConfig, facts: NodeFacts, book: ServiceBook): HttpAcceptorOptions =>
    webOptions(next, { ...deps, ...facts }, book, shared);
  return new LiveWeb(config, factsOf(deps), build, ({ paths }) => paths);
}

function factsOf({ cookieNames = new Set(), privatePaths = [] }: WebServerDeps): NodeFacts {
  return { cookieNames, privatePaths };
}

function webOptions(
  config: WebConfig,
  deps: WebServerDeps,
  book: ServiceBook,
  shared: SharedPort | undefined,
): HttpAcceptorOptions {
  const { paths, options, cookie } = config;
  const services = answeringServices(paths);
  const tree: PathServiceConfig = { type: 'path', paths, ...(cookie && { cookie }) };
  const pathOf = new Map(services.map(({ path, service }) => [service, path]));
  const serviceDeps = serviceDepsOf(config.id, webSocketPathsOf(paths), deps, {
    book,
    share: sharedAt(shared, pathOf),
  });
  const root = book.create(tree, serviceDeps);
  const times = services.map(({ service }) => service);
  return {
    root: shared === undefined ? root : new SharedRoot(root, Object.keys(paths), shared),
    log: serviceDeps.log,
    http: httpOptions(timesOf(times, serviceDeps), options.client_timeout),
    dispatcher: {
      clock: serviceDeps.clock,
      headers: {
        ...commonHeaders(SERVER_NAME),
        ...(options.hsts && { 'Strict-Transport-Security': `max-age=${String(options.hsts_max_age)}` }),
      },
      http: deps.metrics?.http,
      accessLog: options.access_log,
      isEndNear: () => deps.drain.isNear,
      trustedProxies: trustedProxiesOf(options, deps.proxyTrust),
      isBehindFronts: deps.behindFronts !== undefined,
      displayTracebacks: options.display_tracebacks,
    },
  };
}

/** The server of a transport of type `websocket`: one WebSocket, whatever the path. */
export function createWebSocketServer(config: WebSocketTransportConfig, deps: WebServerDeps): TransportServer {
  const shared = deps.sharedPorts?.of(config.endpoint);
  const build = (next: WebSocketTransportConfig, facts: NodeFacts, book: ServiceBook): HttpAcceptorOptions => {
    const share = sharedAt(shared, new Map([[next, '/']]));
    const serviceDeps = serviceDepsOf(next.id, ['/'], { ...deps, ...facts }, { book, share });
    return optionsOfOne(book.create(next, serviceDeps), next, { ...deps, log: serviceDeps.log });
  };
  const web = new LiveWeb(config, factsOf(deps), build, (next) => ({ '/': next }));
  const around = {
    shared,
    trustedProxies: trustedProxiesOf({}, deps.proxyTrust),
    counts: deps.metrics?.transport(config.id),
  };
  const server = new EndpointServer(config.endpoint, web.acceptor, deps.log.child({ transport: config.id }), around);
  if (shared !== undefined) return server;
  return new LiveServer<WebSocketTransportConfig>(config, server, (...next) => web.prepare(...next), factsOf(deps));
}

/** The server of a transport of type `websocket.testee`: an echo, whatever the path. */
export function createTesteeServer(config: WebSocketTesteeConfig, deps: BareServerDeps): EndpointServer {
  const log = deps.log.child({ transport: config.id });
  const acceptor = new HttpAcceptor(optionsOfOne(new TesteeService(config, log), config, { ...deps, log }));
  return new EndpointServer(config.endpoint, acceptor, log, {
    shared: deps.sharedPorts?.of(config.endpoint),
    trustedProxies: trustedProxiesOf({}, deps.proxyTrust),
    counts: deps.metrics?.transport(config.id),
  });
}

/** What a server needs that has nothing to do with WAMP. */
export type BareServerDeps = Pick<
  WebServerDeps,
  'log' | 'clock' | 'nodeInfo' | 'sharedPorts' | 'proxyTrust' | 'metrics'
>;

/** What answers where one WebSocket is on all paths. */
function optionsOfOne(
  root: WebService,
  { options }: Pick<WebSocketTransportConfig, 'options'>,
  { log, clock = Date.now, nodeInfo, proxyTrust, metrics }: BareServerDeps,
): HttpAcceptorOptions {
  const trustedProxies = trustedProxiesOf({}, proxyTrust);
  const version = options.show_server_version ? nodeInfo?.version : undefined;
  return {
    root,
    log,
    http: httpOptions(longestTimes([{ headersMs: options.open_handshake_timeout }]), null),
    dispatcher: {
      clock,
      headers: commonHeaders(version === undefined ? SERVER_NAME : `${SERVER_NAME}/${version}`),
      http: metrics?.http,
      rootType: 'websocket',
      accessLog: false,
      trustedProxies,
      displayTracebacks: false,
    },
  };
}

/** @param pathOf service -> where it is */
function sharedAt(shared: SharedPort | undefined, pathOf: ReadonlyMap<object, string>): WebServiceDeps['share'] {
  if (shared === undefined) return undefined;
  return (service, sessions) => shared.share(pathOf.get(service) ?? '', sessions);
}

function serviceDepsOf(
  id: string,
  webSocketPaths: readonly string[],
  deps: WebServerDeps,
  { book, share }: { readonly book: ServiceBook; readonly share: WebServiceDeps['share'] },
): WebServiceDeps {
  return {
    share,
    router: deps.router,
    load: deps.load,
    logins: deps.logins,
    families: deps.families,
    stores: deps.stores,
    managedCookies: deps.managedCookies ?? new ManagedCookies(),
    log: deps.log.child({ transport: id }),
    drain: deps.drain,
    atFront: deps.atFront,
    behindFronts: deps.behindFronts,
    clock: deps.clock ?? Date.now,
    cookies: undefined,
    cookieNames: deps.cookieNames,
    nodeInfo: deps.nodeInfo ?? {},
    metrics: deps.metrics ?? new NodeMetrics(),
    counts: deps.metrics?.transport(id),
    webSocketPaths,
    privatePaths: deps.privatePaths ?? [],
    applications: deps.applications,
    ...(deps.env && deps.warden && { programs: { env: deps.env, warden: deps.warden } }),
    createService: book.create,
    sectionOf: book.section,
  };
}

/** @param clientTimeout in seconds, null for our default */
function httpOptions({ headersMs, bodyMs }: Required<RequestTimes>, clientTimeout: number | null): ServerOptions {
  return {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: headersMs,
    requestTimeout: headersMs === 0 ? 0 : headersMs + bodyMs,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    keepAliveTimeout: clientTimeout === null ? KEEP_ALIVE_MS : clientTimeout * 1000,
  };
}

function commonHeaders(server: string): Readonly<Record<string, string>> {
  // nosniff: a file is what its media type says, also if a visitor uploaded it.
  return { Server: server, 'X-Content-Type-Options': 'nosniff' };
}

function timesOf(
  services: readonly PathServiceConfig[],
  { families }: Pick<WebServiceDeps, 'families'>,
): Required<RequestTimes> {
  const times = services.map((service) => {
    const serviceType: WebServiceType = families.services[service.type];
    return serviceType.times?.(service) ?? {};
  });
  return longestTimes(times);
}
