/**
 * The HTTP server of one `web` or `websocket` transport: a port, a path tree behind it, and their life together.
 *
 *     created -> start: services start, then the port opens -> stop: the port closes, services stop, what is left is cut
 *
 * What happens to a single request is told in `dispatch.ts`, which service it reaches in `path.ts`.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '../log/logger.js';
import { listen } from '../transport/listen.js';
import type { BoundAddress } from '../transport/listen.js';
import { SERVER_NAME } from '../transport/refusal.js';
import type { EndpointConfig } from '../transport/endpoint-schema.js';
import type { WebSocketTransportConfig } from '../transport/websocket-schema.js';
import { Dispatcher } from './dispatch.js';
import type { DispatcherOptions } from './dispatch.js';
import { createWebService } from './registry.js';
import { WebResponse } from './response.js';
import type { PathServiceConfig, PathsConfig, WebTransportConfig } from './schema.js';
import type { NodeInfo, WebService, WebServiceDeps } from './service.js';

/** For request line and headers together. */
const MAX_HEADER_BYTES = 16_384;

/** Until the headers are through, where no `open_handshake_timeout` says otherwise. */
const HEADERS_TIMEOUT_MS = 10_000;

/** What a request may take longer than its headers; bodies are read only to be dropped. */
const BODY_TIMEOUT_MS = 20_000;

/** How often the two above are checked: a slow sender lives this much longer than allowed. */
const TIMEOUT_CHECK_MS = 500;

/** Between two requests of a connection, where `client_timeout` does not say otherwise. */
const KEEP_ALIVE_MS = 60_000;

/** Without a byte in either direction during a response: a client that stopped reading. */
const STALLED_MS = 120_000;

/** How long responses and WebSockets may take to end after `stop` before they are cut. */
const STOP_GRACE_MS = 2_000;

export interface WebServerDeps extends Pick<WebServiceDeps, 'router' | 'stores' | 'log'> {
  /** Milliseconds since 1970; `Date.now` by default. */
  readonly clock?: () => number;
  /** What the `nodeinfo` service may tell; nothing by default. */
  readonly nodeInfo?: NodeInfo;
}

/** How one server differs from another. */
interface WebServerOptions {
  readonly endpoint: EndpointConfig;
  readonly root: WebService;
  readonly log: Logger;
  readonly http: ServerOptions;
  readonly dispatcher: Omit<DispatcherOptions, 'root' | 'log'>;
}

/** One listening transport. Made by {@link createWebServer} and {@link createWebSocketServer}. */
export class WebServer {
  readonly #endpoint: EndpointConfig;
  readonly #root: WebService;
  readonly #log: Logger;
  readonly #server: Server<typeof IncomingMessage, typeof WebResponse>;
  readonly #dispatcher: Dispatcher;
  /** All connections, upgraded ones included, which the HTTP server itself forgets. */
  readonly #connections = new Set<Socket>();
  #started: Promise<BoundAddress> | undefined;
  #stopped: Promise<void> | undefined;

  constructor({ endpoint, root, log, http, dispatcher }: WebServerOptions) {
    this.#endpoint = endpoint;
    this.#root = root;
    this.#log = log;
    this.#dispatcher = new Dispatcher({ ...dispatcher, root, log });
    this.#server = createServer({ ...http, ServerResponse: WebResponse });
    this.#server.timeout = STALLED_MS;
    this.#server
      .on('connection', (socket: Socket) => this.#remember(socket))
      .on('request', (req, res) => this.#dispatcher.request(req, res))
      .on('upgrade', (req, socket, head) => this.#dispatcher.upgrade(req, socket, head))
      .on('connect', (req: IncomingMessage, socket: Socket) => this.#dispatcher.connect(req, socket))
      .on('clientError', (error, socket) => this.#dispatcher.clientError(error, socket));
  }

  /**
   * Starts the services, then listens. What was started is stopped again when it fails.
   *
   * @returns where it listens; the port is a real one even if 0 was configured
   * @throws ListenError naming interface and port, or the error of the service that did not start
   */
  start(): Promise<BoundAddress> {
    if (this.#stopped !== undefined) throw new Error('a web server does not start again after it was stopped');
    this.#started ??= this.#startUp();
    return this.#started;
  }

  /**
   * Stops listening, lets services and responses end, and cuts what is left after a grace of two seconds. May be
   * called at any time and more than once; never rejects.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#shutDown();
    return this.#stopped;
  }

  async #startUp(): Promise<BoundAddress> {
    try {
      await this.#root.start?.();
      const bound = await listen(this.#server, this.#endpoint);
      this.#server.on('error', (error) => this.#log.error({ err: error }, 'listening socket failed'));
      this.#log.debug(bound, 'listening');
      return bound;
    } catch (error) {
      await this.#stopServices();
      throw error;
    }
  }

  async #shutDown(): Promise<void> {
    // A start under way is waited for: the port it is about to open has to be closed again.
    await Promise.allSettled([this.#started]);
    const closed = this.#close();
    this.#dispatcher.finish();
    await this.#stopServices();
    const grace = setTimeout(() => this.#cutConnections(), STOP_GRACE_MS);
    await closed;
    clearTimeout(grace);
    this.#log.debug('closed');
  }

  /** Stops listening and ends connections without a request; resolves when the last connection is gone. */
  #close(): Promise<void> {
    if (!this.#server.listening) return Promise.resolve();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      // Browsers connect in advance; Node.js ends only the connections that have asked for something before.
      for (const socket of this.#connections) if (socket.bytesRead === 0) socket.destroy();
    });
  }

  async #stopServices(): Promise<void> {
    try {
      await this.#root.stop?.();
    } catch (error) {
      // The rest of the shutdown does not depend on it: connections are cut one way or the other.
      this.#log.error({ err: error }, 'web service failed to stop');
    }
  }

  #cutConnections(): void {
    this.#log.debug({ connections: this.#connections.size }, 'connections cut');
    for (const socket of this.#connections) socket.destroy();
  }

  #remember(socket: Socket): void {
    this.#connections.add(socket);
    socket.once('close', () => this.#connections.delete(socket));
  }
}

/** The server of a transport of type `web`. */
export function createWebServer(config: WebTransportConfig, deps: WebServerDeps): WebServer {
  const { endpoint, paths, options, cookie } = config;
  const services = [...servicesOf(paths)];
  const tree: PathServiceConfig = { type: 'path', paths, ...(cookie && { cookie }) };
  const webSocketPaths = services.filter(({ service }) => service.type === 'websocket').map(({ path }) => path);
  const serviceDeps = serviceDepsOf(config.id, webSocketPaths, deps);
  return new WebServer({
    endpoint,
    root: createWebService(tree, serviceDeps),
    log: serviceDeps.log,
    http: httpOptions(headersTimeoutMs(services), options.client_timeout),
    dispatcher: {
      clock: serviceDeps.clock,
      headers: {
        ...commonHeaders(SERVER_NAME),
        ...(options.hsts && { 'Strict-Transport-Security': `max-age=${String(options.hsts_max_age)}` }),
      },
      accessLog: options.access_log,
      displayTracebacks: options.display_tracebacks,
    },
  });
}

/** The server of a transport of type `websocket`: one WebSocket, whatever the path. */
export function createWebSocketServer(config: WebSocketTransportConfig, deps: WebServerDeps): WebServer {
  const serviceDeps = serviceDepsOf(config.id, ['/'], deps);
  const version = config.options.show_server_version ? deps.nodeInfo?.version : undefined;
  return new WebServer({
    endpoint: config.endpoint,
    root: createWebService(config, serviceDeps),
    log: serviceDeps.log,
    http: httpOptions(config.options.open_handshake_timeout, null),
    dispatcher: {
      clock: serviceDeps.clock,
      headers: commonHeaders(version === undefined ? SERVER_NAME : `${SERVER_NAME}/${version}`),
      accessLog: false,
      displayTracebacks: false,
    },
  });
}

function serviceDepsOf(id: string, webSocketPaths: readonly string[], deps: WebServerDeps): WebServiceDeps {
  return {
    router: deps.router,
    stores: deps.stores,
    log: deps.log.child({ transport: id }),
    clock: deps.clock ?? Date.now,
    cookies: undefined,
    nodeInfo: deps.nodeInfo ?? {},
    webSocketPaths,
    createService: createWebService,
  };
}

/** @param headersTimeout in ms, 0 for none; @param clientTimeout in seconds, null for our default */
function httpOptions(headersTimeout: number, clientTimeout: number | null): ServerOptions {
  return {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout,
    requestTimeout: headersTimeout === 0 ? 0 : headersTimeout + BODY_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    keepAliveTimeout: clientTimeout === null ? KEEP_ALIVE_MS : clientTimeout * 1000,
  };
}

function commonHeaders(server: string): Readonly<Record<string, string>> {
  // nosniff: a file is what its media type says, also if a visitor uploaded it.
  return { Server: server, 'X-Content-Type-Options': 'nosniff' };
}

/** The most generous `open_handshake_timeout` of the paths: until the headers are through, nobody knows the path. */
function headersTimeoutMs(services: readonly MountedService[]): number {
  const timeouts = services.flatMap(({ service }) =>
    service.type === 'websocket' ? [service.options.open_handshake_timeout] : [],
  );
  if (timeouts.length === 0) return HEADERS_TIMEOUT_MS;
  return timeouts.includes(0) ? 0 : Math.max(...timeouts);
}

interface MountedService {
  readonly path: string;
  readonly service: PathServiceConfig;
}

/** All services of a path tree with the URL path each is mounted on. */
function* servicesOf(paths: PathsConfig, above = ''): Generator<MountedService> {
  for (const [key, service] of Object.entries(paths)) {
    const path = key === '/' ? above : `${above}/${key}`;
    if (service.type === 'path') yield* servicesOf(service.paths, path);
    else yield { path: path === '' ? '/' : path, service };
  }
}
