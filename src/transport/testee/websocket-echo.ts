/**
 * A WebSocket that sends every message back as it is. No WAMP, no sessions, no cookies.
 *
 *     handshake --101--> echoing --the client closes, or the node stops--> closing --> gone
 *
 * What clients can make it keep is bounded: a connection is not read while more than a little waits to be sent to it, and is cut
 * when that takes too long, or when too much waits for all of them. For the limit of all connections of the process a connection
 * always waits, so it makes room for others.
 */
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { RepeatedLog } from '../../log/repeated.js';
import { ConnectionLimits } from '../connection-limits.js';
import { DeadlineQueue } from '../deadline-queue.js';
import { ENDINGS, faultOf } from '../endings.js';
import { addressOf, peerOf } from '../peer.js';
import { refuse, RefusalLog } from '../refusal.js';
import { refusalOf } from '../websocket/handshake.js';
import { originCheck } from '../websocket/origin.js';
import { Switching } from '../websocket/switching.js';
import { guardReceiver, limitFrames } from '../websocket/receiver-guard.js';
import type { Logger } from '../../log/logger.js';
import type { Fault } from '../endings.js';
import type { OriginCheck } from '../websocket/origin.js';
import type { ConnectionOwner } from '../connection-limits.js';
import type { RequestHead } from '../request-head.js';
import type { WebSocketOptions } from '../websocket/schema.js';
import { serverOptionsOf } from '../websocket/server-options.js';
import type { SwitchingAnswer } from '../websocket/switching.js';

/** Bytes that may wait for a client; beyond that nothing more is read of it. */
const MAX_WAITING_BYTES = 65_536;

/** Bytes that may wait for all of them together. */
const MAX_WAITING_IN_ALL = 134_217_728;

/** How long a client may leave unread what waits for it. */
const STALLED_MS = 30_000;

/** How long clients have to close when the node stops. */
const STOP_GRACE_MS = 1000;

/** Nothing is agreed on, and nothing said. */
const BARE: SwitchingAnswer = { subprotocol: undefined, headers: [] };

class EchoWebSocket extends WebSocket {
  peer = '';
  /** What its frames are closed for, where the code alone does not say it. */
  fault: Fault | undefined;
  manners: Pick<WebSocketOptions, 'fail_by_drop' | 'echo_close_codereason'> | undefined;

  /** As `WampWebSocket`: `ws` calls it with a code alone for a fault, and else to answer a close frame. */
  override close(code?: number, data?: string | Buffer): void {
    const isFault = code !== undefined && data === undefined;
    if (isFault && this.manners?.fail_by_drop === true) return this.terminate();
    if (isFault) return super.close(code, ENDINGS[this.fault ?? faultOf(code)].text);
    if (this.manners?.echo_close_codereason === true) super.close(code ?? 1000, data);
    else super.close(1000);
  }

  /** Ends it with a code of ours. */
  closeWith(code: number, text: string): void {
    super.close(code, text);
  }
}

/** A connection that has to make room is cut. */
const OWNER: ConnectionOwner = { evict: (connection) => (connection as Socket).destroy() };

/** Takes WebSocket handshakes over from HTTP, and sends back what comes then. */
export class WebSocketEcho {
  readonly #options: WebSocketOptions;
  readonly #allowsOrigin: OriginCheck;
  readonly #refusals: RefusalLog;
  readonly #repeated: RepeatedLog;
  readonly #switching: Switching<EchoWebSocket>;
  readonly #limits: ConnectionLimits;
  readonly #open = new Set<EchoWebSocket>();
  readonly #pings: DeadlineQueue<EchoWebSocket>;
  readonly #pongs: DeadlineQueue<EchoWebSocket>;
  readonly #stalls = new DeadlineQueue<EchoWebSocket>(STALLED_MS, (ws) => this.#cut(ws));
  /** For all of them. */
  #waitingBytes = 0;
  #onEmpty: (() => void) | undefined;
  #stopping = false;

  constructor(options: WebSocketOptions, log: Logger) {
    this.#options = options;
    this.#allowsOrigin = originCheck(options.allowed_origins ?? ['*'], options.allow_null_origin ?? true);
    this.#refusals = new RefusalLog(log);
    this.#repeated = new RepeatedLog(log);
    this.#switching = new Switching({
      ...serverOptionsOf(options),
      WebSocket: EchoWebSocket,
      // One message a turn of the event loop: nobody holds it for long.
      allowSynchronousEvents: false,
    });
    this.#limits = new ConnectionLimits(options, this.#repeated);
    this.#pings = new DeadlineQueue(options.auto_ping_interval, (ws) => this.#ping(ws));
    this.#pongs = new DeadlineQueue(options.auto_ping_timeout, (ws) => ws.terminate());
  }

  /** Takes the socket of an upgrade request: it is answered, one way or the other. Never throws. */
  accept(req: RequestHead, socket: Socket, head: Buffer): void {
    const refusal = refusalOf(req, { allowsOrigin: this.#allowsOrigin });
    if (refusal !== undefined) {
      this.#refusals.webSocket(req, refusal);
      return refuse(socket, refusal.status, refusal.text, refusal.headers);
    }
    if (this.#stopping) return refuse(socket, 503, 'the node is shutting down');
    if (socket.destroyed) return;
    if (!this.#limits.admit(socket, addressOf(socket).remoteAddress, OWNER)) {
      return refuse(socket, 503, 'too many connections');
    }
    socket.on('close', () => this.#limits.leave(socket));
    this.#switching.switch(req, socket, head, BARE, (ws) => this.#opened(ws, socket));
  }

  /** Closes every connection. Resolves when all are gone; idempotent. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const ws of this.#open) ws.closeWith(ENDINGS.system_shutdown.code, 'the node is shutting down');
    await this.#emptyWithin(STOP_GRACE_MS);
    for (const ws of this.#open) ws.terminate();
    this.#pings.clear();
    this.#pongs.clear();
    this.#stalls.clear();
    this.#refusals.end();
    this.#repeated.end();
  }

  #opened(ws: EchoWebSocket, socket: Socket): void {
    const { tcp_nodelay, max_frame_size, auto_ping_restart_on_any_traffic: trafficIsLife } = this.#options;
    ws.manners = this.#options;
    ws.peer = peerOf(socket);
    // `ws` has switched the delay off.
    if (!tcp_nodelay) socket.setNoDelay(false);
    if (ws.extensions !== '') guardReceiver(ws);
    if (max_frame_size > 0) limitFrames(ws, max_frame_size, () => (ws.fault = 'frame_too_large'));
    // There is no session that would come later.
    this.#limits.establish(socket);
    this.#open.add(ws);
    this.#pings.add(ws);
    ws.on('message', (data: Buffer, binary) => {
      if (trafficIsLife) this.#alive(ws);
      this.#reply(ws, data, (sent) => ws.send(data, { binary }, sent));
    });
    ws.on('ping', (payload) => this.#reply(ws, payload, (sent) => ws.pong(payload, false, sent)));
    ws.on('pong', () => this.#alive(ws));
    ws.on('error', ({ message: reason }) => this.#repeated.say('info', { peer: ws.peer, reason }, 'echo failed'));
    ws.on('close', () => this.#closed(ws));
  }

  #reply(ws: EchoWebSocket, { length }: Buffer, write: (sent: () => void) => void): void {
    if (ws.readyState !== WebSocket.OPEN) return;
    if (this.#waitingBytes > MAX_WAITING_IN_ALL) return this.#cut(ws);
    this.#waitingBytes += length;
    write(() => {
      this.#waitingBytes -= length;
      if (!ws.isPaused || ws.bufferedAmount > MAX_WAITING_BYTES) return;
      this.#stalls.delete(ws);
      ws.resume();
    });
    if (ws.isPaused || ws.bufferedAmount <= MAX_WAITING_BYTES) return;
    ws.pause();
    this.#stalls.add(ws);
  }

  #cut(ws: EchoWebSocket): void {
    this.#repeated.say('warn', { peer: ws.peer }, 'slow consumer of an echo disconnected');
    ws.terminate();
  }

  #ping(ws: EchoWebSocket): void {
    // Who is not read cannot answer.
    if (ws.isPaused) return this.#pings.add(ws);
    ws.ping(Buffer.alloc(this.#options.auto_ping_size));
    if (this.#options.auto_ping_timeout === 0) this.#pings.add(ws);
    else this.#pongs.add(ws);
  }

  #alive(ws: EchoWebSocket): void {
    this.#pongs.delete(ws);
    this.#pings.add(ws);
  }

  #closed(ws: EchoWebSocket): void {
    this.#open.delete(ws);
    this.#pings.delete(ws);
    this.#pongs.delete(ws);
    this.#stalls.delete(ws);
    if (this.#open.size === 0) this.#onEmpty?.();
  }

  async #emptyWithin(ms: number): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
