/**
 * Accepts WebSocket connections on behalf of one path or port: checks the handshake, resolves the cookie, answers with
 * the 101. From then on a `TransportHost` watches over the connections.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { PageWarnings } from './page-warnings.js';
import { unsentLimits } from '../outbox/outbox.js';
import { clientOf, isTls } from '../peer.js';
import { RefusalLog, SERVER_NAME, refuse } from '../refusal.js';
import { serverOptionsOf } from './server-options.js';
import { statusPage } from './status-page.js';
import { admitSocket } from '../admit.js';
import { TransportHost } from '../transport-host.js';
import { countRefusal } from '../../metrics/transport-counts.js';
import { endLater, visitorOf } from './visitor.js';
import { WITHOUT_UPGRADE, handshakeRules, isByPlantedHost, isWithoutUpgrade, negotiate } from './handshake.js';
import { controlFrame, PING_FRAME } from './framing.js';
import { WampWebSocket, WebSocketWire } from './wire.js';
import type { WebSocketTerms } from './wire.js';
import type { Drain } from '../drain.js';
import type { CookieTracker, Tracked } from '../../cookie/tracker.js';
import type { Logger } from '../../log/logger.js';
import type { SerializerTypes } from '../../serializer/registry.js';
import type { SessionDeps } from '../../session/deps.js';
import type { WebSocketConfig } from './schema.js';
import type { Agreement, HandshakeRules } from './handshake.js';

export interface WebSocketDeps {
  readonly sessions: SessionDeps;
  readonly serializers: SerializerTypes;
  /** What ends the connections of the node. */
  readonly drain: Drain;
  /** Who came back; undefined where cookies are not tracked. */
  readonly tracker: CookieTracker | undefined;
  readonly log: Logger;
  /** For the `Server` header, where `show_server_version` asks for it. */
  readonly version?: string;
}

/** In seconds. By then the connections that only wait are gone, at the default of `hello_timeout`. */
const RETRY_LATER = { 'Retry-After': '5' };

/** In how many pieces a frame may come, or a piece of one that the gate passes on (`frame-gate.ts`): of 16 bytes, on the average. */
const MAX_CHUNKS = 16_384;

/** Takes WebSocket handshakes over from HTTP and makes WAMP connections of them. */
export class WebSocketAcceptor {
  readonly #config: WebSocketConfig;
  readonly #deps: WebSocketDeps;
  readonly #rules: HandshakeRules;
  readonly #server: InstanceType<typeof WebSocketServer<typeof WampWebSocket>>;
  readonly #host: TransportHost;
  readonly #refusals: RefusalLog;
  readonly #manners: Pick<WebSocketTerms, 'echoesClose' | 'failsByDrop' | 'maxFrameBytes' | 'maxMessageBytes'>;
  readonly #pages: PageWarnings;
  /** What the 101 that is being written says beside the usual: `ws` asks for it before `handleUpgrade` returns. */
  #answer: { readonly subprotocol: string | undefined; readonly headers: readonly string[] } | undefined;

  constructor(config: WebSocketConfig, deps: WebSocketDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#rules = handshakeRules(config, deps.serializers);
    this.#refusals = new RefusalLog(deps.log);
    this.#pages = new PageWarnings(deps.log);
    const { options } = config;
    this.#manners = {
      echoesClose: options.echo_close_codereason,
      failsByDrop: options.fail_by_drop,
      maxFrameBytes: options.max_frame_size,
      maxMessageBytes: options.max_message_size,
    };
    this.#server = new WebSocketServer({
      ...serverOptionsOf(options),
      WebSocket: WampWebSocket,
      maxBufferedChunks: MAX_CHUNKS,
      handleProtocols: () => this.#answer?.subprotocol ?? false,
    });
    this.#server.on('headers', (headers) => headers.push(...(this.#answer?.headers ?? [])));
    this.#host = new TransportHost(
      {
        protocol: 'websocket',
        helloTimeoutMs: options.hello_timeout,
        authenticateTimeoutMs: options.authenticate_timeout,
        pingIntervalMs: options.auto_ping_interval,
        pongTimeoutMs: options.auto_ping_timeout,
        pingFrame: controlFrame(PING_FRAME, Buffer.alloc(options.auto_ping_size)),
        trafficIsLife: options.auto_ping_restart_on_any_traffic,
        closeTimeoutMs: options.close_handshake_timeout,
        unsent: unsentLimits(options.max_unsent_bytes, options.slow_consumer === 'drop_events'),
        connections: options,
      },
      deps,
    );
  }

  /** How many connections are open. */
  get size(): number {
    return this.#host.size;
  }

  /** Takes the socket of an upgrade request: it is answered, one way or the other. Never throws. */
  accept(req: IncomingMessage, socket: Socket, head: Buffer): void {
    const agreement = negotiate(req, this.#rules);
    if ('status' in agreement) {
      countRefusal(this.#deps.sessions.counts, agreement.kind);
      this.#refusals.webSocket(req, agreement);
      return refuse(socket, agreement.status, agreement.text, agreement.headers);
    }
    if (isByPlantedHost(req, this.#rules, socket)) this.#pages.plantedHost(req);
    if (this.#host.stopping) return refuse(socket, 503, 'the node is shutting down');
    if (!admitSocket(socket, this.#host)) {
      countRefusal(this.#deps.sessions.counts, 'too many');
      return refuse(socket, 503, 'too many connections', RETRY_LATER);
    }
    const { tracker } = this.#deps;
    if (tracker === undefined) return this.#upgrade(req, socket, head, agreement, undefined);
    tracker.resolve(req).then(
      (tracked) => {
        if (tracked.setCookie !== undefined) this.#pages.misfit(tracked.setCookie, req);
        this.#upgrade(req, socket, head, agreement, tracked);
      },
      (error: unknown) => {
        countRefusal(this.#deps.sessions.counts, 'cookie store');
        this.#deps.log.error({ err: error }, 'cookie store failed, connection refused');
        refuse(socket, 503, 'the cookie store is not available');
      },
    );
  }

  /** Answers a plain GET or HEAD: a browser that was pointed at a WebSocket. */
  handlePlain(req: IncomingMessage, res: ServerResponse): void {
    if (isWithoutUpgrade(req)) {
      countRefusal(this.#deps.sessions.counts, WITHOUT_UPGRADE.kind);
      this.#refusals.webSocket(req, { ...WITHOUT_UPGRADE, text: 'the handshake came without its upgrade' });
      const { status, text, headers } = WITHOUT_UPGRADE;
      res.writeHead(status, { ...headers, 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
      res.end(`${text}\n`);
      return;
    }
    if (!this.#config.options.enable_webstatus) {
      res.writeHead(426, {
        Upgrade: 'websocket',
        Connection: 'Upgrade, close',
        'Content-Type': 'text/plain; charset=utf-8',
      });
      res.end('this is a WebSocket\n');
      return;
    }
    const page = statusPage([...this.#rules.subprotocols.keys()], this.#config.url);
    res.writeHead(200, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Length': Buffer.byteLength(page),
      'Cache-Control': 'no-store',
    });
    res.end(req.method === 'HEAD' ? undefined : page);
  }

  /** Another acceptor gets the connections from now on, with one account of them all. Resolves when the last one of this one has gone. */
  retire(successor: WebSocketAcceptor): Promise<void> {
    return this.#host.retire(successor.#host);
  }

  /** Nobody new comes, and the connections end one by one. Resolves when each was told; never rejects. */
  dismiss(): Promise<void> {
    return this.#host.dismiss();
  }

  /** Closes every connection. Resolves when all are gone; idempotent. */
  async stop(): Promise<void> {
    await this.#host.stop();
    await this.#deps.sessions.stop?.();
    this.#refusals.end();
  }

  #upgrade(
    req: IncomingMessage,
    socket: Socket,
    head: Buffer,
    agreement: Agreement,
    tracked: Tracked | undefined,
  ): void {
    // While the store was asked the client may have left, and the node may have begun to stop.
    if (socket.destroyed) return;
    if (this.#host.stopping) return refuse(socket, 503, 'the node is shutting down');
    const { show_server_version, tcp_nodelay } = this.#config.options;
    const headers = [`Server: ${SERVER_NAME}${show_server_version ? `/${this.#deps.version ?? ''}` : ''}`];
    if (tracked?.setCookie !== undefined) headers.push(`Set-Cookie: ${tracked.setCookie}`);
    this.#answer = { subprotocol: agreement.subprotocol, headers };
    this.#server.handleUpgrade(req, socket, head, (ws) => {
      // `ws` has switched the delay off.
      if (!tcp_nodelay) socket.setNoDelay(false);
      endWithClient(socket);
      const liveCookie = tracked && this.#deps.tracker?.enter(tracked.record);
      const client = clientOf(socket, visitorOf(req, this.#deps.sessions, tracked, liveCookie));
      const terms = { socket, serializer: agreement.serializer, client, ...this.#manners };
      if (tracked?.setCookie !== undefined && tracked.record.rotated !== null) {
        // Whoever goes on has read the answer.
        ws.once('message', () => this.#deps.tracker?.delivered(tracked.record));
      }
      const { connection } = new WebSocketWire(ws, terms, this.#host);
      this.#host.opened(connection);
      if (tracked?.lastsMs !== undefined) endLater(connection, tracked.lastsMs);
    });
  }
}

/**
 * A client that ends its half of the connection is gone, with or without a closing handshake. `ws` would end our half,
 * which is one more system call, and then end its receiver twice, which makes an error that nobody sees: together a tenth
 * of what a connection costs.
 */
function endWithClient(socket: Socket): void {
  const [listener] = socket.listeners('end').slice(-1);
  if (listener !== undefined) socket.off('end', listener as () => void);
  socket.on('end', hangUp);
}

function hangUp(this: Socket): void {
  // What was written has to leave first, and with TLS the client is told.
  if (this.writableLength === 0 && !isTls(this)) this.destroy();
  else this.destroySoon();
}
