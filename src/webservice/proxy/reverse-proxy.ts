/**
 * `reverseproxy`: the requests of a path, answered by another HTTP server; WebSockets, too. What it does to requests and answers is in
 * `headers.ts`, `cookies.ts` and `places.ts`, how they go through in `forward.ts` and `tunnel.ts`.
 *
 *     request -> too many: 503 -> cookie of ours (`TrackedService`): 503 -> `forward`
 *     upgrade -> too many: 503 -> `tunnel`
 */
import type { Socket } from 'node:net';
import { sendStatus } from '../../http/answer.js';
import { headOfFront } from '../../http/front-head.js';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest, WebService, WebUpgrade } from '../../http/service.js';
import { RepeatedLog } from '../../log/repeated.js';
import { RefusalLog, loggedPath, refuse } from '../../transport/refusal.js';
import { TrackedService } from '../cookies.js';
import type { WebServiceDeps } from '../service.js';
import { httpBackend } from './backend-of.js';
import type { Backend } from './backend.js';
import { adaptedSetCookie } from './cookies.js';
import type { Failure } from './forward.js';
import { mapHeader, withoutHops } from './headers.js';
import type { HeaderList } from './headers.js';
import { Places } from './places.js';
import { requestHead } from './request-head.js';
import { PROXIED_METHODS, ProxiedRequests } from './requests.js';
import type { ReverseProxyConfig } from './schema.js';
import { Tunnel } from './tunnel.js';
import { Tunnels } from './tunnels.js';

const NOT_RUNNING = { status: 503, text: 'The node is starting.' } as const;

const TOO_MANY_WEBSOCKETS = {
  status: 503,
  text: 'Too many WebSockets are open.',
  kind: 'too many proxied WebSockets',
} as const;
const RETRY_LATER = { 'Retry-After': '5' };

class ReverseProxy implements WebService {
  readonly methods = PROXIED_METHODS;
  readonly #config: ReverseProxyConfig;
  readonly #deps: WebServiceDeps;
  readonly #hiddenCookies: ReadonlySet<string>;
  /** Answers plain requests, behind the `cookie` section in force. */
  readonly #plain: WebService;
  readonly #requests: ProxiedRequests;
  readonly #refusals: RefusalLog;
  readonly #failures: RepeatedLog;
  #backend: Backend | undefined;
  #tunnels: Tunnels | undefined;
  #places: Places | undefined;

  constructor(config: ReverseProxyConfig, deps: WebServiceDeps) {
    this.#config = config;
    this.#deps = deps;
    const { pass_cookie, max_requests: maxRequests, timeout, max_body: maxBytes = Infinity } = config.options;
    this.#hiddenCookies = hiddenCookies(pass_cookie, deps);
    this.#requests = new ProxiedRequests({ maxRequests, timeoutMs: timeout * 1000, maxBytes, log: deps.log });
    this.#refusals = new RefusalLog(deps.log);
    this.#failures = new RepeatedLog(deps.log);
    const plain: WebService = {
      methods: PROXIED_METHODS,
      handle: (request, res) => this.#forward(request, res),
    };
    this.#plain = deps.cookies === undefined ? plain : new TrackedService(plain, deps.cookies, deps.log);
  }

  async start(): Promise<void> {
    await this.#plain.start?.();
    this.#backend = await httpBackend(this.#config);
    this.#tunnels = new Tunnels(this.#deps.drain, this.#config.options.max_connections);
  }

  /** WebSockets go on as they are, and count as those of the successor; where there is none, they end one by one. */
  async retire(successor: WebService | undefined, answered: Promise<void>): Promise<void> {
    if (successor instanceof ReverseProxy && this.#tunnels !== undefined) {
      successor.#tunnels = this.#tunnels.insteadOf(successor.#tunnels);
      this.#tunnels = undefined;
    }
    await Promise.all([answered, this.dismiss()]);
  }

  async dismiss(): Promise<void> {
    await this.#tunnels?.dismiss();
  }

  async stop(): Promise<void> {
    this.#backend?.stop();
    await this.#tunnels?.stop();
    await this.#plain.stop?.();
    this.#requests.end();
    this.#refusals.end();
    this.#failures.end();
  }

  handle(request: WebRequest, res: WebResponse): void | Promise<void> {
    if (this.#requests.admits(request, res)) return this.#plain.handle(request, res);
  }

  upgrade(request: WebUpgrade, socket: Socket, head: Buffer): void {
    const [backend, tunnels] = [this.#backend, this.#tunnels];
    if (backend === undefined || tunnels === undefined) return refuse(socket, NOT_RUNNING.status, NOT_RUNNING.text);
    if (tunnels.stopping) return refuse(socket, 503, 'The node is stopping.');
    if (request.req.method !== 'GET')
      return refuse(socket, 405, 'A WebSocket is asked for with GET.', { Allow: 'GET' });
    if (tunnels.isFull) {
      this.#refusals.webSocket(request.req, TOO_MANY_WEBSOCKETS);
      return refuse(socket, TOO_MANY_WEBSOCKETS.status, TOO_MANY_WEBSOCKETS.text, RETRY_LATER);
    }
    const tunnel: Tunnel = new Tunnel(socket, {
      backend,
      target: this.#placesAt(request, backend).target(request.rest, request.query),
      headers: this.#head(request, backend),
      timeoutMs: this.#config.options.timeout * 1000,
      unreachable: 502,
      adapt: (headers) => this.#adapted(headers, this.#placesAt(request, backend)),
      failed: (failure) => this.#failed(request, failure, backend),
      closed: () => tunnels.delete(tunnel),
    });
    if (socket.destroyed) return;
    tunnels.add(tunnel);
    tunnel.open(head);
  }

  #forward(request: WebRequest, res: WebResponse): void {
    const backend = this.#backend;
    if (backend === undefined) {
      sendStatus(res, NOT_RUNNING.status, NOT_RUNNING.text);
      return;
    }
    const places = this.#placesAt(request, backend);
    this.#requests.forward(request, res, {
      backend,
      target: places.target(request.rest, request.query),
      headers: this.#head(request, backend),
      endsWithBackend: this.#config.isOtherHalf === true,
      adapt: (headers) => this.#adapted(headers, places),
      failed: (failure) => this.#failed(request, failure, backend),
    });
  }

  #head(request: WebUpgrade, { authority }: Backend): HeaderList {
    if (this.#config.isOtherHalf === true) {
      return headOfFront(request.req, request.client, withoutHops(request.req.rawHeaders));
    }
    const { forwarded_port: port, forwarded_proto: proto, options } = this.#config;
    return requestHead(request, {
      ...{ authority, port, proto },
      hiddenCookies: this.#hiddenCookies,
      forwarded: options.forwarded,
    });
  }

  /** A service has one mount, which it is told with its requests. */
  #placesAt({ mount }: WebUpgrade, { origin }: Backend): Places {
    this.#places ??= new Places(mount, this.#config.path, origin);
    return this.#places;
  }

  #adapted(headers: HeaderList, places: Places): HeaderList {
    if (this.#config.isOtherHalf === true) return headers;
    const located = mapHeader(headers, 'location', (value) => places.location(value));
    return this.#requests.withoutCookies(located, this.#hiddenCookies, (value) => adaptedSetCookie(value, places));
  }

  #failed({ req }: WebUpgrade, { status, reason }: Failure, { origin }: Backend): void {
    const facts = { backend: origin, method: req.method, path: loggedPath(req), status, reason };
    this.#failures.say('warn', facts, 'backend does not answer', reason.slice(0, 64));
  }
}

/** @returns the names of the cookies by which this node recognises browsers, unless the backend may see them. */
export function hiddenCookies(
  areShown: boolean,
  { cookies, cookieNames = new Set() }: Pick<WebServiceDeps, 'cookies' | 'cookieNames'>,
): ReadonlySet<string> {
  return new Set(areShown ? [] : [...cookieNames, ...(cookies === undefined ? [] : [cookies.config.name])]);
}

/** Tracks cookies behind the `cookie` section in force, plain requests only: a page comes before its WebSockets. */
export function createReverseProxy(config: ReverseProxyConfig, deps: WebServiceDeps): WebService {
  return new ReverseProxy(config, deps);
}
