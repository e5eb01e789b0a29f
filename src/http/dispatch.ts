/**
 * Answers for each request, upgrade and broken connection of one HTTP server. It checks the target, sets the
 * headers that every response has, hands over to the root of the path tree and answers for what goes wrong there: a
 * fault of a service costs its visitor a 500, never the node.
 *
 *     request  -> target bad: 400/414 | method: 405 | root.handle -> the service answers | it fails: 500
 *     upgrade  -> not to WebSocket: as a request | root.upgrade -> the service takes the socket
 *     no HTTP  -> after the answer still due on that connection: 400/408/431, close | in a body that a service reads: it answers
 *
 * Requests of one connection come one after the other (`pipeline.ts`).
 */
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { InPlaceMap } from '../collections/in-place.js';
import type { Logger } from '../log/logger.js';
import type { HttpCounts } from '../metrics/http-counts.js';
import { peerOf, undecideAddress } from '../transport/peer.js';
import type { ClientAddress } from '../transport/peer.js';
import type { RequestHead } from '../transport/request-head.js';
import type { TrustedProxies } from '../transport/proxies/trusted-proxies.js';
import { RefusalLog, loggedPath, refuse } from '../transport/refusal.js';
import { sendEmpty, sendStatus } from './answer.js';
import { serve } from './methods.js';
import { clientAddressOf } from './client-address.js';
import { clientOfFront } from './front-head.js';
import { parseErrorOf } from './parse-error.js';
import type { ParseError } from './parse-error.js';
import { Pipeline } from './pipeline.js';
import { isKept, isKeptForOthers } from './kept-connections.js';
import type { LeavingServices } from './leaving.js';
import { WebResponse } from './response.js';
import type { ServerEnd } from './response.js';
import type { WebRequest, WebService, WebUpgrade } from './service.js';
import { parseTarget } from './target.js';
import type { Target } from './target.js';

/** Headers that a response keeps when the service that prepared it fails. */
const KEPT_ON_FAILURE = new Set(['server', 'x-content-type-options', 'strict-transport-security', 'set-cookie']);

const STOPPING = 'The node is stopping.';

export interface DispatcherOptions {
  readonly root: WebService;
  /** What is not below the root any more. */
  readonly leaving: LeavingServices;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Headers of every response. */
  readonly headers: Readonly<Record<string, string>>;
  /** Log requests at `info` instead of `debug`. */
  readonly accessLog: boolean;
  /** Where answers are counted; nowhere by default. */
  readonly http?: HttpCounts | undefined;
  /** What the root is counted as, where it has no paths: the type of the service. */
  readonly rootType?: string;
  /** Show the stack of a fault to the visitor. */
  readonly displayTracebacks: boolean;
  /** Gives a connection to the HTTP server once more: what is in the socket is parsed as if it had just come. */
  readonly parseAgain: (socket: Socket) => void;
  /** Whether the node is about to end, or has begun to: an answer is the last one of its connection. Never by default. */
  readonly isEndNear?: () => boolean;
  /** The proxies that tell where a client is; none by default. */
  readonly trustedProxies?: TrustedProxies | undefined;
  /** Whether all requests come from fronts, which say where the client is. */
  readonly isBehindFronts?: boolean;
}

export class Dispatcher implements ServerEnd {
  #options: DispatcherOptions;
  /** Name and value of each header that all responses have. */
  #headers: readonly (readonly [string, string])[];
  /** The connections that speak HTTP. One that was upgraded does no longer. */
  readonly #pipelines = new InPlaceMap<Duplex, Pipeline>();
  /** Connections already found broken: what else arrives on them is not looked at. */
  readonly #broken = new WeakSet<Duplex>();
  readonly #refusals: RefusalLog;
  #finishing = false;
  readonly #onFault = (error: unknown, socket: Socket): void => {
    this.#options.log.error({ err: error }, 'HTTP connection failed');
    socket.destroy();
  };
  readonly #onSocketError = (error: Error): void => this.#options.log.debug({ err: error }, 'connection failed');

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#headers = Object.entries(options.headers);
    this.#refusals = new RefusalLog(options.log);
  }

  /** From the next request on. @returns (resolves) when the responses under way have ended. */
  async renew(options: Partial<DispatcherOptions>): Promise<void> {
    this.#options = { ...this.#options, ...options };
    this.#headers = Object.entries(this.#options.headers);
    const due = [...this.#pipelines.values()].flatMap(({ due: response }) =>
      response === undefined ? [] : [response],
    );
    await Promise.all(due.map((response) => new Promise((resolve) => response.once('close', resolve))));
  }

  /** A connection that the HTTP server has just got. */
  opened(socket: Socket): void {
    this.#pipelines.set(socket, new Pipeline(socket, this.#onFault));
  }

  closed(socket: Socket): void {
    this.#pipelines.delete(socket);
  }

  request(req: IncomingMessage, res: WebResponse): void {
    this.#pipelines.get(req.socket)?.add(req, res);
    this.#enter(req, res);
    const client = this.#addressOf(req);
    if (req.headers.host === undefined && req.httpVersion === '1.1') {
      sendStatus(res, 400, 'The request has no Host header.', { Connection: 'close' });
      return;
    }
    if (req.method === 'OPTIONS' && req.url === '*') {
      sendEmpty(res, 204, { Allow: 'GET, HEAD, OPTIONS' });
      return;
    }
    const target = parseTarget(req.url ?? '');
    if ('status' in target) sendStatus(res, target.status, target.text);
    else if (this.#finishing && isKeptForOthers(req.socket, target.path)) sendStatus(res, 503, STOPPING);
    else void this.#serve(asWebRequest(req, target, client), res);
  }

  /** The client sends the body only when it is told that the service wants it. */
  requestInAdvance(req: IncomingMessage, res: WebResponse): void {
    res.awaitsContinue = true;
    this.request(req, res);
  }

  /** The client expects something that we do not do. */
  expectation(req: IncomingMessage, res: WebResponse): void {
    this.#pipelines.get(req.socket)?.add(req, res);
    this.#enter(req, res);
    sendStatus(res, 417);
  }

  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#takeOver(socket);
    if (!(socket instanceof Socket)) throw new TypeError('an HTTP connection that is no socket');
    if (isForWebSocket(req)) this.#toWebSocket(req, socket, head);
    else if (hasBody(req)) this.#parseWithoutUpgrade(req, socket, head);
    else this.#ignoreUpgrade(req, socket);
  }

  /** An upgrade to WebSocket on a connection that the HTTP server has never got. */
  webSocket(req: RequestHead, socket: Socket, head: Buffer): void {
    this.#takeOver(socket);
    this.#toWebSocket(req, socket, head);
  }

  /** CONNECT asks for a proxy, which this is not. */
  connect(_req: IncomingMessage, socket: Duplex): void {
    this.#takeOver(socket);
    const refusal = { status: 405, text: 'This is not a proxy.', kind: 'CONNECT' };
    if (socket instanceof Socket) this.#refusals.connection(socket, refusal);
    refuse(socket, refusal.status, refusal.text);
  }

  /** The HTTP parser gave up on a connection, or it took too long. */
  clientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    if (this.#broken.has(socket)) return;
    this.#broken.add(socket);
    const due = this.#pipelines.get(socket)?.due;
    // It is no client of the last request who is told of.
    if (due === undefined) undecideAddress(socket);
    const fault = parseErrorOf(error);
    const { status, text } = fault;
    if (socket instanceof Socket) this.#tellFault(error, socket, fault);
    if (due !== undefined && failBody(due, error)) return;
    // The refusal must not land in the middle of a response.
    if (due === undefined) refuse(socket, status, text);
    else due.once('close', () => refuse(socket, status, text));
  }

  /** A connection that was lost, or opened in advance and never used, is nothing to look into. */
  #tellFault({ code }: NodeJS.ErrnoException, socket: Socket, fault: ParseError): void {
    const isRefused = socket.writable && (code?.startsWith('HPE_') === true || socket.bytesRead > 0);
    if (isRefused) this.#refusals.connection(socket, fault);
    else this.#options.log.debug({ peer: peerOf(socket), code }, 'HTTP connection failed');
  }

  /**
   * From now on every response is the last one of its connection, and connections between two requests end; so do those that browsers
   * open in advance. All but those that a service has kept (`kept-connections.ts`).
   */
  finish(): void {
    this.#finishing = true;
    this.#refusals.end();
    for (const [socket, pipeline] of this.#pipelines) if (pipeline.isIdle && !isKept(socket)) socket.destroy();
  }

  isLastOf(socket: Socket): boolean {
    return (this.#finishing || this.#options.isEndNear?.() === true) && !isKept(socket);
  }

  async #serve(request: WebRequest, res: WebResponse): Promise<void> {
    try {
      const left = this.#options.leaving.find(request);
      await (left === undefined ? serve(this.#options.root, request, res) : serve(left.service, left.request, res));
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

  #toWebSocket(req: RequestHead, socket: Socket, head: Buffer): void {
    // `ws` takes no list.
    req.headers.upgrade = 'websocket';
    const client = this.#addressOf(req);
    const target = parseTarget(req.url ?? '');
    if ('status' in target) {
      this.#refusals.webSocket(req, { ...target, kind: 'target' });
      refuse(socket, target.status, target.text);
    } else if (this.#finishing) refuse(socket, 503, STOPPING);
    else this.#upgradeTo(asWebRequest(req, target, client), socket, head);
  }

  #upgradeTo(request: WebUpgrade, socket: Socket, head: Buffer): void {
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
  #ignoreUpgrade(req: IncomingMessage, socket: Socket): void {
    const res = new WebResponse(req);
    res.assignSocket(socket);
    res.shouldKeepAlive = false;
    // Node.js does this for connections of its own.
    socket.on('drain', () => res.emit('drain'));
    res.once('finish', () => socket.destroySoon());
    this.request(req, res);
  }

  /** The parser of Node.js takes no body behind an upgrade, so it gets the request once more, without. */
  #parseWithoutUpgrade(req: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.unshift(Buffer.concat([Buffer.from(headWithoutUpgrade(req), 'latin1'), head]));
    this.#options.parseAgain(socket);
  }

  #addressOf(req: RequestHead): ClientAddress {
    if (this.#options.isBehindFronts === true) return clientOfFront(req);
    return clientAddressOf(req, this.#options.trustedProxies);
  }

  #enter(req: IncomingMessage, res: WebResponse): void {
    const startedMs = this.#options.clock();
    if (this.#options.http?.isTimed === true) res.begunMs = performance.now();
    res.serverEnd = this;
    for (const [name, value] of this.#headers) res.setHeader(name, value);
    // A service that writes after it has ended. A client that leaves is no error of the response.
    res.on('error', (error) => this.#logFault(error, req));
    res.once('close', () => this.#leave(req, res, startedMs));
  }

  #leave(req: IncomingMessage, res: WebResponse, startedMs: number): void {
    this.#count(res);
    const level = this.#options.accessLog ? 'info' : 'debug';
    if (this.#options.log.isLevelEnabled(level))
      this.#options.log[level](this.#accessRecord(req, res, startedMs), 'request');
  }

  #count({ servedBy, statusCode, headersSent, begunMs }: WebResponse): void {
    const { http, rootType = 'path' } = this.#options;
    const seconds = begunMs === undefined ? undefined : (performance.now() - begunMs) / 1000;
    http?.count(servedBy ?? rootType, headersSent ? statusCode : undefined, seconds);
  }

  #accessRecord(req: IncomingMessage, res: WebResponse, startedMs: number): Readonly<Record<string, unknown>> {
    const hasBody = req.method !== 'HEAD' && res.headersSent && res.statusCode !== 304 && res.statusCode !== 204;
    return {
      method: req.method,
      path: loggedPath(req),
      status: res.headersSent ? res.statusCode : null,
      bytes: hasBody ? Number(res.getHeader('Content-Length') ?? 0) : 0,
      ms: this.#options.clock() - startedMs,
      ...(res.hasLeft ? {} : { aborted: true }),
    };
  }

  /**
   * Node.js has let go of the connection. It has also taken its error handler off; without another, a reset would end the
   * process.
   */
  #takeOver(socket: Duplex): void {
    socket.on('error', this.#onSocketError);
    this.#pipelines.get(socket)?.release();
    this.#pipelines.delete(socket);
  }
}

/**
 * Tells the service that reads the body of a request that the rest will not come: by an `error` of the request, as Node.js does
 * when a client leaves. @returns false when nobody reads it, or not yet.
 */
function failBody(due: WebResponse, error: NodeJS.ErrnoException): boolean {
  if (due.req.complete) return false;
  due.requestError = error;
  if (due.req.listenerCount('error') === 0) return false;
  due.shouldKeepAlive = false;
  due.req.emit('error', error);
  return true;
}

/** A list of protocols in order of preference (RFC 9110, section 7.8); some proxies add their own. */
function isForWebSocket(req: IncomingMessage): boolean {
  const { upgrade } = req.headers;
  if (upgrade === 'websocket') return true;
  const protocols = upgrade?.split(',') ?? [];
  return protocols.some((protocol) => protocol.trim().toLowerCase() === 'websocket');
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/** What speaks of another protocol. As for any upgrade that is ignored, the connection ends with the answer. */
const OF_UPGRADES: ReadonlySet<string> = new Set(['upgrade', 'http2-settings']);

/** What `Connection` says of the connection itself. All else there names headers that are for this node only. */
const OF_CONNECTIONS: ReadonlySet<string> = new Set([...OF_UPGRADES, 'close', 'keep-alive']);

function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${String(method)} ${String(url)} HTTP/${httpVersion}`, 'Connection: close'];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = [rawHeaders[at], rawHeaders[at + 1]];
    const key = name.toLowerCase();
    if (key === 'connection') lines[1] = [lines[1], ...namedBy(value)].join(', ');
    else if (!OF_UPGRADES.has(key)) lines.push(`${name}: ${value}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** @returns the headers that a `Connection` names; a service that passes the request on leaves them out. */
function namedBy(connection: string): string[] {
  return connection
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '' && !OF_CONNECTIONS.has(word.toLowerCase()));
}

function asWebRequest<R extends RequestHead>(
  req: R,
  { path, query }: Target,
  client: ClientAddress,
): WebUpgrade & { readonly req: R } {
  return { req, mount: '/', rest: path, query, client };
}
