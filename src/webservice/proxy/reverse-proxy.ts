/**
 * `reverseproxy`: the requests of a path, answered by another HTTP server; WebSockets, too. What it does to requests and answers is in
 * `headers.ts`, `cookies.ts` and `places.ts`, how they go through in `forward.ts` and `tunnel.ts`.
 *
 *     request -> too many: 503 -> cookie of ours (`TrackedService`): 503 -> `forward`
 *     upgrade -> too many: 503 -> `tunnel`
 */
import { METHODS } from 'node:http';
import type { Socket } from 'node:net';
import { sendStatus } from '../../http/answer.js';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest, WebService } from '../../http/service.js';
import { RepeatedLog } from '../../log/repeated.js';
import { RefusalLog, loggedPath, refuse } from '../../transport/refusal.js';
import { TrackedService } from '../cookies.js';
import type { WebServiceDeps, WebServiceType } from '../service.js';
import { httpBackend } from './backend-of.js';
import type { Backend } from './backend.js';
import { adaptedSetCookie, nameOf } from './cookies.js';
import { forward } from './forward.js';
import type { Failure } from './forward.js';
import { mapHeader } from './headers.js';
import type { HeaderList } from './headers.js';
import { Places } from './places.js';
import { requestHead } from './request-head.js';
import type { ReverseProxyConfig } from './schema.js';
import { Tunnel } from './tunnel.js';
import { Tunnels } from './tunnels.js';

/** All but those that ask for a tunnel of their own, or for what the proxy says itself. */
export const PROXIED_METHODS: readonly string[] = METHODS.filter(
  (method) => method !== 'CONNECT' && method !== 'TRACE',
);

/** A body may take so long to arrive: for large files by slow lines. One that stands still is cut earlier. */
const BODY_MS = 3_600_000;

const NOT_RUNNING = { status: 503, text: 'The node is starting.' } as const;

const TOO_MANY = { status: 503, text: 'Too many requests are under way.', kind: 'too many proxied requests' } as const;
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
  readonly #requests: WebService;
  readonly #refusals: RefusalLog;
  readonly #failures: RepeatedLog;
  #backend: Backend | undefined;
  #tunnels: Tunnels | undefined;
  #places: Places | undefined;
  #underWay = 0;

  constructor(config: ReverseProxyConfig, deps: WebServiceDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#hiddenCookies = hiddenCookies(config.options.pass_cookie, deps);
    this.#refusals = new RefusalLog(deps.log);
    this.#failures = new RepeatedLog(deps.log);
    const plain: WebService = {
      methods: PROXIED_METHODS,
      handle: (request, res) => this.#forward(request, res),
    };
    this.#requests = deps.cookies === undefined ? plain : new TrackedService(plain, deps.cookies, deps.log);
  }

  async start(): Promise<void> {
    await this.#requests.start?.();
    this.#backend = await httpBackend(this.#config);
    this.#tunnels = new Tunnels(this.#deps.drain, this.#config.options.max_connections);
  }

  async stop(): Promise<void> {
    this.#backend?.stop();
    await this.#tunnels?.stop();
    await this.#requests.stop?.();
    this.#refusals.end();
    this.#failures.end();
  }

  handle(request: WebRequest, res: WebResponse): void | Promise<void> {
    if (this.#underWay < this.#config.options.max_requests) return this.#requests.handle(request, res);
    this.#refusals.request(request.req, TOO_MANY);
    sendStatus(res, TOO_MANY.status, TOO_MANY.text, RETRY_LATER);
  }

  upgrade(request: WebRequest, socket: Socket, head: Buffer): void {
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
    if (res.closed) return;
    const { options } = this.#config;
    const timeoutMs = options.timeout * 1000;
    this.#underWay += 1;
    res.once('close', () => (this.#underWay -= 1));
    waitLonger(request, res, timeoutMs);
    const places = this.#placesAt(request, backend);
    forward(request.req, res, {
      backend,
      target: places.target(request.rest, request.query),
      headers: this.#head(request, backend),
      timeoutMs,
      maxBytes: options.max_body ?? Infinity,
      adapt: (headers) => this.#adapted(headers, places),
      failed: (failure) => this.#failed(request, failure, backend),
    });
  }

  #head(request: WebRequest, { authority }: Backend): HeaderList {
    const { forwarded_port: port, forwarded_proto: proto, options } = this.#config;
    return requestHead(request, {
      ...{ authority, port, proto },
      hiddenCookies: this.#hiddenCookies,
      forwarded: options.forwarded,
    });
  }

  /** A service has one mount, which it is told with its requests. */
  #placesAt({ mount }: WebRequest, { origin }: Backend): Places {
    this.#places ??= new Places(mount, this.#config.path, origin);
    return this.#places;
  }

  #adapted(headers: HeaderList, places: Places): HeaderList {
    const located = mapHeader(headers, 'location', (value) => places.location(value));
    return mapHeader(located, 'set-cookie', (value) => {
      if (!this.#hiddenCookies.has(nameOf(value))) return adaptedSetCookie(value, places);
      const facts = { cookie: nameOf(value), remedy: 'give one of the two another name' };
      this.#failures.say(
        'warn',
        facts,
        'a backend sets a cookie of the name by which this node recognises browsers, left out',
      );
      return undefined;
    });
  }

  #failed({ req }: WebRequest, { status, reason }: Failure, { origin }: Backend): void {
    const facts = { backend: origin, method: req.method, path: loggedPath(req), status, reason };
    this.#failures.say('warn', facts, 'backend does not answer', reason.slice(0, 64));
  }
}

/** A server cuts a connection on which nothing happens. @param timeoutMs for which nothing need happen here. */
function waitLonger({ req: { socket } }: WebRequest, res: WebResponse, timeoutMs: number): void {
  const usual = socket.timeout;
  if (usual === undefined || usual === 0 || timeoutMs < usual) return;
  socket.setTimeout(timeoutMs + usual);
  res.once('close', () => socket.setTimeout(usual));
}

/** @returns the names of the cookies by which this node recognises browsers, unless the backend may see them. */
export function hiddenCookies(
  areShown: boolean,
  { cookies, cookieNames = new Set() }: Pick<WebServiceDeps, 'cookies' | 'cookieNames'>,
): ReadonlySet<string> {
  return new Set(areShown ? [] : [...cookieNames, ...(cookies === undefined ? [] : [cookies.config.name])]);
}

/** Tracks cookies behind the `cookie` section in force, plain requests only: a page comes before its WebSockets. */
export const reverseProxyServiceType: WebServiceType<ReverseProxyConfig> = {
  type: 'reverseproxy',
  times: () => ({ bodyMs: BODY_MS }),
  create: (config, deps) => new ReverseProxy(config, deps),
};
