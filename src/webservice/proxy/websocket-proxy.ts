/**
 * `websocket-reverseproxy`: the WebSockets of a path, passed on to another server (`tunnel.ts`). Cookies are tracked at the upgrade, as
 * on the service `websocket`: the 101 of the backend gets our `Set-Cookie`.
 *
 *     upgrade -> no WebSocket: 4xx | origin: 403 | too many: 503 -> cookie of ours: 503 -> `tunnel`
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { CookieStoreError } from '../../cookie/error.js';
import type { CookieTracker } from '../../cookie/tracker.js';
import { READ_ONLY } from '../../http/methods.js';
import type { WebRequest, WebService, WebUpgrade } from '../../http/service.js';
import { RepeatedLog } from '../../log/repeated.js';
import { RefusalLog, loggedPath, refuse } from '../../transport/refusal.js';
import { refusalOf } from '../../transport/websocket/handshake.js';
import { originCheck } from '../../transport/websocket/origin.js';
import type { OriginCheck } from '../../transport/websocket/origin.js';
import type { WebServiceDeps } from '../service.js';
import { webSocketBackend } from './backend-of.js';
import type { Backend } from './backend.js';
import { requestHead } from './request-head.js';
import { hiddenCookies } from './reverse-proxy.js';
import type { WebSocketReverseProxyConfig } from './schema.js';
import { Tunnel } from './tunnel.js';
import { Tunnels } from './tunnels.js';

const TOO_MANY = { status: 503, text: 'Too many WebSockets are open.', kind: 'too many proxied WebSockets' } as const;
const RETRY_LATER = { 'Retry-After': '5' };

class WebSocketReverseProxy implements WebService {
  /** Of plain requests; an upgrade has rules of its own. */
  readonly methods = READ_ONLY;
  readonly #config: WebSocketReverseProxyConfig;
  readonly #deps: WebServiceDeps;
  readonly #allowsOrigin: OriginCheck;
  readonly #hiddenCookies: ReadonlySet<string>;
  readonly #target: string;
  readonly #refusals: RefusalLog;
  readonly #failures: RepeatedLog;
  #backend: Backend | undefined;
  #tunnels: Tunnels | undefined;
  #tracker: CookieTracker | undefined;

  constructor(config: WebSocketReverseProxyConfig, deps: WebServiceDeps) {
    this.#config = config;
    this.#deps = deps;
    const { allowed_origins, allow_null_origin, pass_cookie } = config.options;
    this.#allowsOrigin = originCheck(allowed_origins, allow_null_origin);
    this.#hiddenCookies = hiddenCookies(pass_cookie, deps);
    const { pathname, search } = new URL(config.backend.url);
    this.#target = `${pathname}${search}`;
    this.#refusals = new RefusalLog(deps.log);
    this.#failures = new RepeatedLog(deps.log);
  }

  async start(): Promise<void> {
    this.#tracker = await this.#deps.cookies?.tracker();
    this.#backend = await webSocketBackend(this.#config);
    this.#tunnels = new Tunnels(this.#deps.drain, this.#config.options.max_connections);
  }

  /** WebSockets go on as they are, and count as those of the successor; where there is none, they end one by one. */
  async retire(successor: WebService | undefined, answered: Promise<void>): Promise<void> {
    if (successor instanceof WebSocketReverseProxy && this.#tunnels !== undefined) {
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
    this.#refusals.end();
    this.#failures.end();
  }

  handle(_request: WebRequest, res: ServerResponse): void {
    res.writeHead(426, {
      Upgrade: 'websocket',
      Connection: 'Upgrade, close',
      'Content-Type': 'text/plain; charset=utf-8',
      'Cache-Control': 'no-store',
    });
    res.end('this is a WebSocket\n');
  }

  upgrade(request: WebUpgrade, socket: Socket, head: Buffer): void {
    const [backend, tunnels] = [this.#backend, this.#tunnels];
    if (backend === undefined || tunnels === undefined) return refuse(socket, 503, 'The node is starting.');
    const refusal = refusalOf(request.req, { allowsOrigin: this.#allowsOrigin });
    if (refusal !== undefined) {
      this.#refusals.webSocket(request.req, refusal);
      return refuse(socket, refusal.status, refusal.text, refusal.headers);
    }
    if (tunnels.stopping) return refuse(socket, 503, 'The node is stopping.');
    if (tunnels.isFull) {
      this.#refusals.webSocket(request.req, TOO_MANY);
      return refuse(socket, TOO_MANY.status, TOO_MANY.text, RETRY_LATER);
    }
    const tunnel = this.#tunnelOf(request, socket, { backend, tunnels });
    if (socket.destroyed) return;
    // From now on it is counted: also while the cookie store is asked.
    tunnels.add(tunnel.tunnel);
    socket.once('close', () => tunnels.delete(tunnel.tunnel));
    void this.#open(request, socket, head, tunnel);
  }

  async #open(
    { req }: WebUpgrade,
    socket: Socket,
    head: Buffer,
    { tunnel, answer }: { readonly tunnel: Tunnel; readonly answer: string[] },
  ): Promise<void> {
    try {
      const tracked = await this.#tracker?.resolve(req);
      if (tracked?.setCookie !== undefined) answer.push('Set-Cookie', tracked.setCookie);
      if (!socket.destroyed) tunnel.open(head);
    } catch (error) {
      this.#deps.log.error({ err: error }, 'cookie store failed, connection refused');
      if (error instanceof CookieStoreError) refuse(socket, 503, 'the cookie store is not available');
      else socket.destroy();
    }
  }

  #tunnelOf(
    request: WebUpgrade,
    socket: Socket,
    { backend, tunnels }: { readonly backend: Backend; readonly tunnels: Tunnels },
  ): { readonly tunnel: Tunnel; readonly answer: string[] } {
    const { authority } = backend;
    const answer: string[] = [];
    const tunnel: Tunnel = new Tunnel(socket, {
      backend,
      target: this.#target,
      headers: requestHead(request, { authority, hiddenCookies: this.#hiddenCookies, forwarded: false }),
      timeoutMs: this.#config.options.open_handshake_timeout,
      unreachable: 503,
      adapt: (headers) => [...headers, ...answer],
      failed: ({ status, reason }) => {
        const facts = { backend: backend.origin, path: loggedPath(request.req), status, reason };
        this.#failures.say('warn', facts, 'backend does not answer', reason.slice(0, 64));
      },
      closed: () => tunnels.delete(tunnel),
    });
    return { tunnel, answer };
  }
}

/** Its own `cookie` section, or the one inherited from a path above, decides who is recognised. */
export function createWebSocketReverseProxy(config: WebSocketReverseProxyConfig, deps: WebServiceDeps): WebService {
  return new WebSocketReverseProxy(config, deps);
}
