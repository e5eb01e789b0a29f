/**
 * What becomes of each request, upgrade and broken connection of one HTTP server. It checks the target, sets the
 * headers that every response has, hands over to the root of the path tree and answers for what goes wrong there: a
 * fault of a service costs its visitor a 500, never the node.
 *
 *     request  -> target bad: 400/414 | root.handle -> the service answers | it fails: 500
 *     upgrade  -> not to WebSocket: as a request | root.upgrade -> the service takes the socket
 *     no HTTP  -> 400/408/431, close
 *
 * On one connection each of them begins when the one before is through (`pipeline.ts`). Nothing is thrown out of here:
 * Node.js would take the process down.
 */
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from '../log/logger.js';
import { RepeatedLog } from '../log/repeated.js';
import { refuse } from '../transport/refusal.js';
import { sendEmpty, sendStatus } from './answer.js';
import { clientFault } from './client-fault.js';
import { MAX_WAITING_REQUESTS, Pipelines } from './pipeline.js';
import { WebResponse } from './response.js';
import type { WebRequest, WebService } from './service.js';
import { parseTarget } from './target.js';
import type { Target } from './target.js';

/** Headers that a response keeps when the service that prepared it fails. */
const KEPT_ON_FAILURE = new Set(['server', 'x-content-type-options', 'strict-transport-security', 'set-cookie']);

/** How much of an URL is logged. */
const LOGGED_PATH_LENGTH = 256;

export interface DispatcherOptions {
  readonly root: WebService;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Headers of every response. */
  readonly headers: Readonly<Record<string, string>>;
  /** Log requests at `info` instead of `debug`. */
  readonly accessLog: boolean;
  /** Show the stack of a fault to the visitor. */
  readonly displayTracebacks: boolean;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #pipelines = new Pipelines();
  /** connection -> its response that is under way */
  readonly #responses = new Map<Duplex, WebResponse>();
  /** Connections already given up: what else was read from them is not looked at. */
  readonly #broken = new WeakSet<Duplex>();
  readonly #repeated: RepeatedLog;
  #finishing = false;
  readonly #onSocketError = (error: Error): void => this.#options.log.debug({ err: error }, 'connection failed');

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#repeated = new RepeatedLog(options.log);
  }

  request(req: IncomingMessage, res: WebResponse): void {
    this.#inTurn(req.socket, (done) => {
      res.once('close', done);
      this.#answer(req, res);
    });
  }

  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#watch(socket);
    this.#inTurn(socket, (done) => {
      if (!(socket instanceof Socket)) throw new TypeError('an HTTP connection that is no socket');
      if (isForWebSocket(req)) {
        // `ws` takes no list.
        req.headers.upgrade = 'websocket';
        done();
        this.#handOver(req, socket, head);
      } else {
        this.#ignoreUpgrade(req, socket, done);
      }
    });
  }

  /** CONNECT asks for a proxy, which this is not. */
  connect(_req: IncomingMessage, socket: Duplex): void {
    this.#watch(socket);
    this.#inTurn(socket, (done) => {
      done();
      refuse(socket, 405, 'This is not a proxy.');
    });
  }

  /** The HTTP parser gave up on a connection, or it took too long. */
  clientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    if (this.#broken.has(socket)) return;
    const { status, text } = clientFault(error.code);
    this.#options.log.debug({ code: error.code, status }, 'connection does not speak HTTP');
    this.#inTurn(socket, (done) => {
      done();
      refuse(socket, status, text);
    });
    this.#broken.add(socket);
  }

  /** The connection is closed. Node.js tells only the response that it was writing. */
  gone(connection: Duplex): void {
    this.#pipelines.drop(connection);
    this.#responses.get(connection)?.destroy();
  }

  /** From now on every response is the last one of its connection. */
  finish(): void {
    this.#finishing = true;
    for (const res of this.#responses.values()) res.shouldKeepAlive = false;
  }

  /** @returns how many connections have something under way. */
  get size(): number {
    return this.#pipelines.size;
  }

  #inTurn(connection: Duplex, turn: (done: () => void) => void): void {
    if (this.#broken.has(connection)) return;
    const isTaken = this.#pipelines.add(connection, (done) => {
      try {
        turn(done);
      } catch (error) {
        this.#options.log.error({ err: error }, 'request failed, connection closed');
        connection.destroy();
      }
    });
    if (isTaken) return;
    // What waits keeps memory, and Node.js has read more of it already.
    this.#broken.add(connection);
    const address = connection instanceof Socket ? connection.remoteAddress : undefined;
    const facts = { address: address ?? 'unix', allowed: MAX_WAITING_REQUESTS };
    this.#repeated.say('warn', facts, 'too many requests at once, connection closed');
    connection.destroy();
  }

  #answer(req: IncomingMessage, res: WebResponse): void {
    this.#enter(req, res);
    if (req.method === 'OPTIONS' && req.url === '*') {
      sendEmpty(res, 204, { Allow: 'GET, HEAD, OPTIONS' });
      return;
    }
    const target = parseTarget(req.url ?? '');
    if ('status' in target) sendStatus(res, target.status, target.text);
    else void this.#serve(asWebRequest(req, target), res);
  }

  #handOver(req: IncomingMessage, socket: Socket, head: Buffer): void {
    const target = parseTarget(req.url ?? '');
    if ('status' in target) refuse(socket, target.status, target.text);
    else if (this.#finishing) refuse(socket, 503, 'The node is stopping.');
    else this.#upgradeTo(asWebRequest(req, target), socket, head);
  }

  async #serve(request: WebRequest, res: WebResponse): Promise<void> {
    try {
      await this.#options.root.handle(request, res);
    } catch (error) {
      this.#fail(error, request.req, res);
    }
  }

  #fail(error: unknown, req: IncomingMessage, res: WebResponse): void {
    this.#logFault(error, req);
    if (res.headersSent) {
      // Half a response cannot be taken back; cutting the connection at least shows that it is half.
      res.destroy();
      return;
    }
    for (const name of res.getHeaderNames()) if (!KEPT_ON_FAILURE.has(name)) res.removeHeader(name);
    const stack = error instanceof Error ? error.stack : String(error);
    sendStatus(res, 500, this.#options.displayTracebacks ? stack : 'Something went wrong in the node.');
  }

  #logFault(error: unknown, req: IncomingMessage): void {
    this.#options.log.error({ err: error, method: req.method, path: loggedPath(req) }, 'web service failed');
  }

  #upgradeTo(request: WebRequest, socket: Socket, head: Buffer): void {
    const { root, log } = this.#options;
    if (root.upgrade === undefined) {
      refuse(socket, 400, 'There is no WebSocket at this path.');
      return;
    }
    try {
      root.upgrade(request, socket, head);
    } catch (error) {
      log.error({ err: error, path: loggedPath(request.req) }, 'web service failed at an upgrade');
      socket.destroy();
    }
  }

  /**
   * RFC 9110 lets a server ignore an upgrade it does not want, and some HTTP clients offer `h2c` with every request.
   * Node.js has let go of the connection by now, so it serves this one response and closes.
   */
  #ignoreUpgrade(req: IncomingMessage, socket: Socket, done: () => void): void {
    const res = new WebResponse(req);
    res.assignSocket(socket);
    res.shouldKeepAlive = false;
    res.once('finish', () => socket.destroySoon());
    res.once('close', done);
    this.#answer(req, res);
  }

  #enter(req: IncomingMessage, res: WebResponse): void {
    const { clock, headers } = this.#options;
    const startedMs = clock();
    this.#responses.set(req.socket, res);
    if (this.#finishing) res.shouldKeepAlive = false;
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    // A service that writes after it has ended. A client that leaves is no error of the response.
    res.on('error', (error) => this.#logFault(error, req));
    res.once('close', () => this.#leave(req, res, startedMs));
  }

  #leave(req: IncomingMessage, res: WebResponse, startedMs: number): void {
    this.#responses.delete(req.socket);
    const level = this.#options.accessLog ? 'info' : 'debug';
    if (this.#options.log.isLevelEnabled(level))
      this.#options.log[level](this.#accessRecord(req, res, startedMs), 'request');
  }

  #accessRecord(req: IncomingMessage, res: WebResponse, startedMs: number): Readonly<Record<string, unknown>> {
    const hasBody = req.method !== 'HEAD' && res.headersSent && res.statusCode !== 304 && res.statusCode !== 204;
    return {
      method: req.method,
      path: loggedPath(req),
      status: res.headersSent ? res.statusCode : null,
      bytes: hasBody ? Number(res.getHeader('Content-Length') ?? 0) : 0,
      ms: this.#options.clock() - startedMs,
      ...(res.writableFinished ? {} : { aborted: true }),
    };
  }

  /** Node.js takes its own error handler off an upgraded connection; without another, a reset would end the process. */
  #watch(socket: Duplex): void {
    socket.on('error', this.#onSocketError);
  }
}

/** A list of protocols in order of preference (RFC 9110, section 7.8); some proxies add their own. */
function isForWebSocket(req: IncomingMessage): boolean {
  const protocols = req.headers.upgrade?.split(',') ?? [];
  return protocols.some((protocol) => protocol.trim().toLowerCase() === 'websocket');
}

function asWebRequest(req: IncomingMessage, { path, query }: Target): WebRequest {
  return { req, mount: '/', rest: path, query };
}

/** Without the query, which may hold what is nobody's business. */
function loggedPath(req: IncomingMessage): string {
  return (req.url ?? '').split('?', 1).join('').slice(0, LOGGED_PATH_LENGTH);
}
