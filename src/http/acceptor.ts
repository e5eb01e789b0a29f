/**
 * HTTP on the connections of an endpoint: Node.js reads the requests, a path tree answers them. `dispatch.ts` says what
 * happens to a single request, `webservice/path.ts` which service it reaches.
 *
 *     start: services start -> connections are served
 *     stop:  connections on which nothing goes on end -> services stop -> responses end, or are cut after a grace
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from '../log/logger.js';
import type { RequestHead } from '../transport/request-head.js';
import type { Acceptor } from '../transport/endpoint.js';
import { askAfter } from '../transport/keep-alive.js';
import { openConnections } from '../transport/open-connections.js';
import { Dispatcher } from './dispatch.js';
import type { DispatcherOptions } from './dispatch.js';
import { FirstChunks } from './first-chunk.js';
import type { FirstChunkOwner } from './first-chunk.js';
import { LeavingServices } from './leaving.js';
import { MAX_HEADER_BYTES } from './parse-error.js';
import { WebResponse } from './response.js';
import type { WebService } from './service.js';

/** Without a byte in either direction during a response: a client that stopped reading. */
const STALLED_MS = 120_000;

/** How long responses may take to end after `stop` before they are cut. */
const RESPONSES_MS = 5_000;

/** How long they have at least when all else has ended, and how long WebSockets have. */
const STOP_GRACE_MS = 2_000;

/** How one server differs from another. */
export interface HttpAcceptorOptions {
  readonly root: WebService;
  readonly log: Logger;
  readonly http: ServerOptions;
  readonly dispatcher: Omit<DispatcherOptions, 'root' | 'leaving' | 'log' | 'parseAgain'>;
}

/** A service of a root that was replaced. */
export interface DepartingService {
  readonly service: WebService;
  /** Where it was: `/` or `/a/b`. */
  readonly mount: string;
  /** See {@link WebService.retire}. */
  readonly successor: WebService | undefined;
}

/** Speaks HTTP on the connections of an endpoint, and gives each request to the service of its path. */
export class HttpAcceptor implements Acceptor, FirstChunkOwner {
  #root: WebService;
  /** What is in no root any more, and not over yet. */
  readonly #retired = new Set<WebService>();
  /** Those of them that get requests of their last clients. */
  readonly #leaving = new LeavingServices();
  readonly #log: Logger;
  readonly #server: Server<typeof IncomingMessage, typeof WebResponse>;
  readonly #dispatcher: Dispatcher;
  /** Where connections begin. */
  readonly #first: FirstChunks;
  /** There is no time limit for the headers of a request, or between two requests. */
  #mayWaitForEver: boolean;
  /** How many connections there are, upgraded ones included, which the HTTP server itself forgets. */
  #connections = 0;
  /** A listener for all of them, which needs no closure for each. */
  readonly #forget: (this: Socket) => void;
  /** Resolves the wait of `stop` when the last connection has gone. */
  #onEmpty: (() => void) | undefined;

  constructor({ root, log, http, dispatcher }: HttpAcceptorOptions) {
    this.#root = root;
    this.#log = log;
    this.#dispatcher = new Dispatcher({
      ...dispatcher,
      ...{ root, log, leaving: this.#leaving, parseAgain: (socket: Socket) => this.#parse(socket) },
    });
    const forget = (socket: Socket): void => this.#closed(socket);
    this.#forget = function (this: Socket): void {
      forget(this);
    };
    // A request without a host is answered by the dispatcher, as all others are.
    this.#server = createServer({ ...http, requireHostHeader: false, ServerResponse: WebResponse });
    this.#server.timeout = STALLED_MS;
    // They have a limit in bytes. Of too many Node.js would hide the last ones, but not from its parser: a length of the body, a cookie.
    this.#server.maxHeadersCount = 0;
    this.#mayWaitForEver = this.#server.headersTimeout === 0 || this.#server.keepAliveTimeout === 0;
    const { maxHeaderSize = MAX_HEADER_BYTES } = http;
    const limits = { maxHeadBytes: maxHeaderSize, headMs: this.#server.headersTimeout, silentMs: STALLED_MS };
    this.#first = new FirstChunks(limits, this);
    this.#listen();
  }

  #listen(): void {
    const requests = this.#dispatcher;
    this.#server
      .on('request', (req, res) => this.#guard(req.socket, () => requests.request(this.#answering(req, res), res)))
      .on('checkContinue', (req, res) =>
        this.#guard(req.socket, () => requests.requestInAdvance(this.#answering(req, res), res)),
      )
      .on('checkExpectation', (req, res) =>
        this.#guard(req.socket, () => requests.expectation(this.#answering(req, res), res)),
      )
      .on('upgrade', (req, socket, head) => {
        this.#first.hasHead(req.socket);
        this.#guard(socket, () => requests.upgrade(req, socket, head));
      })
      .on('connect', (req: IncomingMessage, socket: Duplex) => {
        this.#first.hasHead(req.socket);
        this.#guard(socket, () => requests.connect(req, socket));
      })
      .on('clientError', (error, socket) => this.#guard(socket, () => requests.clientError(error, socket)));
  }

  async start(): Promise<void> {
    await this.#root.start?.();
    // The server has no port of its own; this is where Node.js begins to watch over its time limits.
    this.#server.emit('listening');
  }

  /**
   * Another root, other times and options, from the next request on, also on connections that are open. The root has been started.
   * @param departing the services of the root before that are not in this one: they are stopped when nothing goes on there any more.
   */
  renew({ root, http, dispatcher }: Omit<HttpAcceptorOptions, 'log'>, departing: readonly DepartingService[]): void {
    this.#root = root;
    for (const key of ['headersTimeout', 'requestTimeout', 'keepAliveTimeout'] as const) {
      const value = http[key];
      if (value !== undefined) this.#server[key] = value;
    }
    this.#mayWaitForEver = this.#server.headersTimeout === 0 || this.#server.keepAliveTimeout === 0;
    this.#first.limit(this.#server.headersTimeout);
    const answered = this.#dispatcher.renew({ ...dispatcher, root });
    for (const { service, mount, successor } of departing) {
      this.#retired.add(service);
      // A successor asks it itself.
      if (successor === undefined) this.#leaving.add(service, mount);
      this.#end(service, service.retire?.(successor, answered) ?? answered).catch((err: unknown) => {
        this.#log.error({ err }, 'what was replaced failed to end');
      });
    }
  }

  accept(socket: Socket): void {
    this.#connections += 1;
    socket.on('close', this.#forget);
    socket.setNoDelay(true);
    if (this.#mayWaitForEver) askAfter(socket);
    this.#first.accept(socket);
  }

  /** See {@link FirstChunkOwner.upgrade}. */
  upgrade(req: RequestHead, socket: Socket, head: Buffer): void {
    this.#guard(socket, () => this.#dispatcher.webSocket(req, socket, head));
  }

  /** See {@link FirstChunkOwner.parse}. */
  parse(socket: Socket): void {
    this.#guard(socket, () => this.#parse(socket));
  }

  /** See {@link FirstChunkOwner.failed}. */
  failed(error: NodeJS.ErrnoException, socket: Socket): void {
    this.#guard(socket, () => this.#dispatcher.clientError(error, socket));
  }

  /** Node.js documents this event as the way to give connections to an HTTP server. */
  #parse(socket: Socket): void {
    this.#server.emit('connection', socket);
    this.#dispatcher.opened(socket);
  }

  /** See {@link Acceptor.dismiss}. */
  async dismiss(): Promise<void> {
    this.#finish();
    const all = [this.#root, ...this.#retired].map(async (service) => service.dismiss?.());
    for (const result of await Promise.allSettled(all)) {
      if (result.status === 'rejected')
        this.#log.error({ err: result.reason as unknown }, 'web service failed to stop');
    }
  }

  async stop(): Promise<void> {
    const startedMs = performance.now();
    this.#finish();
    await this.#stopServices();
    // Ends the connections between two requests that services had kept till now.
    this.#server.close();
    await this.#emptyWithin(Math.max(RESPONSES_MS - (performance.now() - startedMs), STOP_GRACE_MS));
    this.#first.end();
  }

  #finish(): void {
    this.#first.finish();
    this.#dispatcher.finish();
  }

  /** The connection is in use as long as the response goes on, and then waits for another request. */
  #answering(req: IncomingMessage, res: WebResponse): IncomingMessage {
    this.#first.hasHead(req.socket);
    openConnections.responds(req.socket);
    res.on('close', answered);
    return req;
  }

  async #end(service: WebService, over: Promise<void>): Promise<void> {
    await over;
    if (this.#retired.delete(service)) await service.stop?.();
    this.#leaving.delete(service);
  }

  /** Nothing in Node.js catches what its listeners throw: a fault of ours would end the process. */
  #guard(socket: Duplex, listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#log.error({ err: error }, 'HTTP connection failed');
      socket.destroy();
    }
  }

  async #stopServices(): Promise<void> {
    try {
      const retired = [...this.#retired];
      this.#retired.clear();
      await Promise.all([this.#root, ...retired].map(async (service) => service.stop?.()));
    } catch (error) {
      // The rest of the shutdown does not depend on it: connections are cut one way or the other.
      this.#log.error({ err: error }, 'web service failed to stop');
    }
  }

  #closed(socket: Socket): void {
    this.#first.closed(socket);
    this.#dispatcher.closed(socket);
    this.#connections -= 1;
    if (this.#connections === 0) this.#onEmpty?.();
  }

  async #emptyWithin(ms: number): Promise<void> {
    if (this.#connections === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#onEmpty = undefined;
  }
}

function answered(this: WebResponse): void {
  openConnections.responded(this.req.socket);
}
