/** Accepts WebSockets of clients of MQTT on a path. From then on a `TransportHost` watches over the connections. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { MqttConnection } from '../../mqtt/connection.js';
import { KeepAlives } from '../../mqtt/keep-alives.js';
import { MAX_OPENING_BYTES } from '../../session/opening.js';
import { unsentLimits } from '../../transport/outbox/outbox.js';
import { TransportHost } from '../../transport/transport-host.js';
import { controlFrame, PING_FRAME } from '../../transport/websocket/framing.js';
import { OctetWebSocket, WebSocketOctets } from '../../transport/websocket/octets.js';
import { originCheck } from '../../transport/websocket/origin.js';
import { Upgrades } from '../../transport/websocket/upgrades.js';
import { negotiateMqtt } from './handshake.js';
import type { MqttClients } from '../../mqtt/clients.js';
import type { ConnectionParts } from '../../mqtt/connection.js';
import type { PacketCodec } from '../../mqtt/packets/packet-codec.js';
import type { Drain } from '../../transport/drain.js';
import type { RequestHead } from '../../transport/request-head.js';
import type { UpgradeDeps } from '../../transport/websocket/upgrades.js';
import type { MqttAgreement } from './handshake.js';
import type { MqttServiceConfig } from './schema.js';

/** What an acceptor works with. */
export interface MqttUpgradeDeps extends UpgradeDeps {
  readonly codec: PacketCodec;
  /** What ends the connections of the node. */
  readonly drain: Drain;
}

/** Of a ping, in bytes. */
const PING_BYTES = 12;

const PLAIN = {
  'Content-Type': 'text/plain; charset=utf-8',
  'Cache-Control': 'no-store',
};

/** Takes handshakes over from HTTP and makes connections of MQTT of them. */
export class MqttWebSocketAcceptor {
  readonly #deps: MqttUpgradeDeps;
  readonly #host: TransportHost;
  readonly #parts: ConnectionParts & { clients: MqttClients };
  readonly #upgrades: Upgrades<OctetWebSocket, MqttAgreement>;

  constructor(options: MqttServiceConfig['options'], clients: MqttClients, deps: MqttUpgradeDeps) {
    this.#deps = deps;
    const host = new TransportHost(
      {
        protocol: 'mqtt',
        helloTimeoutMs: options.hello_timeout,
        // What a client can say is in its CONNECT: it has no time for more.
        authenticateTimeoutMs: 0,
        pingIntervalMs: options.auto_ping_interval,
        pongTimeoutMs: options.auto_ping_timeout,
        pingFrame: controlFrame(PING_FRAME, Buffer.alloc(PING_BYTES)),
        trafficIsLife: true,
        closeTimeoutMs: options.close_handshake_timeout,
        unsent: unsentLimits(options.max_unsent_bytes, true),
        connections: options,
      },
      deps,
    );
    const maxBytes = options.max_packet_size;
    const parts = {
      ...{ host, clients, codec: deps.codec },
      limits: { maxConnectBytes: MAX_OPENING_BYTES, maxBytes },
      keepAlives: new KeepAlives((connection: MqttConnection) => connection.silent()),
    };
    const allowsOrigin = originCheck(options.allowed_origins ?? ['*'], options.allow_null_origin ?? true);
    this.#host = host;
    this.#parts = parts;
    this.#upgrades = new Upgrades(
      // Messages have no limit: what counts are the packets in them.
      { ...options, max_message_size: Math.max(maxBytes, MAX_OPENING_BYTES), validate_utf8: false },
      {
        WebSocket: OctetWebSocket,
        allowsOrigin,
        negotiate: (req) => negotiateMqtt(req, allowsOrigin),
        open: (upgraded) => new MqttConnection(new WebSocketOctets({ ...upgraded, maxInflatedBytes: maxBytes }), parts),
      },
      host,
      deps,
    );
  }

  /** Whose connections the next ones are. */
  set clients(clients: MqttClients) {
    this.#parts.clients = clients;
  }

  /** Takes the socket of an upgrade request: it is answered, one way or the other. Never throws. */
  accept(req: RequestHead, socket: Socket, head: Buffer): void {
    this.#upgrades.accept(req, socket, head);
  }

  /** Answers a plain GET or HEAD: a browser that was pointed at a WebSocket. */
  handlePlain(req: IncomingMessage, res: ServerResponse): void {
    if (this.#upgrades.answerPlain(req, res)) return;
    const text = 'This is a WebSocket. It speaks MQTT, with the subprotocol "mqtt".\n';
    res.writeHead(200, { ...PLAIN, 'Content-Length': Buffer.byteLength(text) });
    res.end(req.method === 'HEAD' ? undefined : text);
  }

  /** Another acceptor gets the connections from now on, with one account of them all. Resolves when the last one of this one has gone. */
  retire(successor: MqttWebSocketAcceptor): Promise<void> {
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
