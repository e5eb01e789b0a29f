/**
 * Accepts WebSocket connections of WAMP on behalf of one path or port. `Upgrades` has their handshake; from then on a `TransportHost`
 * watches over the connections.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { unsentLimits } from '../outbox/outbox.js';
import { statusPage } from './status-page.js';
import { TransportHost } from '../transport-host.js';
import { handshakeRules, negotiate } from './handshake.js';
import { controlFrame, PING_FRAME } from './framing.js';
import { Upgrades } from './upgrades.js';
import { WampWebSocket, WebSocketWire } from './wire.js';
import type { Place } from '../apart/apart.js';
import type { Drain } from '../drain.js';
import type { RequestHead } from '../request-head.js';
import type { SerializerTypes } from '../../serializer/registry.js';
import type { WebSocketConfig } from './schema.js';
import type { Agreement, HandshakeRules } from './handshake.js';
import type { UpgradeDeps } from './upgrades.js';

export interface WebSocketDeps extends UpgradeDeps {
  readonly serializers: SerializerTypes;
  /** What ends the connections of the node. */
  readonly drain: Drain;
}

/** Takes WebSocket handshakes over from HTTP and makes WAMP connections of them. */
export class WebSocketAcceptor {
  readonly #config: WebSocketConfig;
  readonly #deps: WebSocketDeps;
  readonly #rules: HandshakeRules;
  readonly #host: TransportHost;
  readonly #upgrades: Upgrades<WampWebSocket, Agreement>;

  constructor(config: WebSocketConfig, deps: WebSocketDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#rules = handshakeRules(config, deps.serializers);
    const { options } = config;
    const manners = {
      echoesClose: options.echo_close_codereason,
      failsByDrop: options.fail_by_drop,
      maxFrameBytes: options.max_frame_size,
      maxMessageBytes: options.max_message_size,
    };
    const host = new TransportHost(
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
    this.#host = host;
    this.#upgrades = new Upgrades(
      options,
      {
        WebSocket: WampWebSocket,
        allowsOrigin: this.#rules.allowsOrigin,
        negotiate: (req) => negotiate(req, this.#rules),
        open: ({ ws, socket, client, agreement: { serializer } }) =>
          new WebSocketWire(ws, { socket, serializer, client, ...manners }, host).connection,
      },
      host,
      deps,
    );
  }

  /** Where clients of fronts come in. */
  get place(): Place {
    const { sessions, tracker, serializers } = this.#deps;
    return { host: this.#host, sessions, tracker, serializers };
  }

  /** How many connections are open. */
  get size(): number {
    return this.#host.size;
  }

  /** Takes the socket of an upgrade request: it is answered, one way or the other. Never throws. */
  accept(req: RequestHead, socket: Socket, head: Buffer): void {
    this.#upgrades.accept(req, socket, head);
  }

  /** Answers a plain GET or HEAD: a browser that was pointed at a WebSocket. */
  handlePlain(req: IncomingMessage, res: ServerResponse): void {
    if (this.#upgrades.answerPlain(req, res)) return;
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
    this.#upgrades.end();
  }
}
