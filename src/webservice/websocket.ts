/**
 * `websocket`: WAMP over WebSocket on a path. The work is done by `WebSocketAcceptor`; this is its place in the tree.
 *
 * Cookies are tracked at the upgrade. A plain request here gets a status page and no cookie: load balancers and
 * monitors poll it, and each poll would leave a record behind.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createSessionDeps } from '../session/deps.js';
import type { LiveSessionDeps } from '../session/deps.js';
import { refuse } from '../transport/refusal.js';
import { WebSocketAcceptor } from '../transport/websocket/websocket.js';
import type { WebSocketServiceConfig } from './websocket-schema.js';
import { READ_ONLY } from '../http/methods.js';
import type { WebRequest, WebService, WebUpgrade } from '../http/service.js';
import type { WebServiceDeps, WebServiceType } from './service.js';

class WebSocketService implements WebService {
  /** Of plain requests; an upgrade has rules of its own. */
  readonly methods = READ_ONLY;
  readonly #config: WebSocketServiceConfig;
  readonly #deps: WebServiceDeps;
  #acceptor: WebSocketAcceptor | undefined;
  #sessions: LiveSessionDeps | undefined;
  /** What was here before, as long as it has connections. */
  readonly #before = new Set<WebSocketService>();

  constructor(config: WebSocketServiceConfig, deps: WebServiceDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const { router, load, families, logins, cookies, log, drain, nodeInfo, share, counts } = this.#deps;
    const { atFront, behindFronts } = this.#deps;
    const parts = { router, load, log, families, logins, counts };
    const own = atFront?.sessionsAt(this.#config) ?? (await createSessionDeps(this.#config, parts));
    this.#sessions = own;
    const tracker = await cookies?.tracker();
    this.#acceptor = new WebSocketAcceptor(this.#config, {
      sessions: share?.(this.#config, own) ?? own,
      serializers: families.serializers,
      tracker,
      entrance: atFront?.entranceAt(this.#config),
      log,
      drain,
      ...(nodeInfo.version !== undefined && { version: nodeInfo.version }),
    });
    behindFronts?.offer(this.#config, this.#acceptor.place);
  }

  /** Connections go on as they are, where the path has a WebSocket; else they end one by one. */
  async retire(successor: WebService | undefined): Promise<void> {
    if (!(successor instanceof WebSocketService)) return this.dismiss();
    const [sessions, acceptor] = [successor.#sessions, successor.#acceptor];
    if (sessions === undefined || acceptor === undefined) return this.dismiss();
    this.#sessions?.follow(sessions);
    successor.#before.add(this);
    await this.#acceptor?.retire(acceptor);
    successor.#before.delete(this);
  }

  async dismiss(): Promise<void> {
    const before = [...this.#before].map(async (service) => {
      await service.dismiss();
      await service.stop();
    });
    await Promise.all([this.#acceptor?.dismiss(), ...before]);
  }

  async stop(): Promise<void> {
    await this.#acceptor?.stop();
  }

  handle({ req }: WebRequest, res: ServerResponse): void {
    if (this.#acceptor === undefined) throw new Error('a websocket service was asked before it was started');
    this.#acceptor.handlePlain(req, res);
  }

  upgrade({ req }: WebUpgrade, socket: Socket, head: Buffer): void {
    if (this.#acceptor === undefined) refuse(socket, 503, 'The node is starting.');
    else this.#acceptor.accept(req, socket, head);
  }
}

/** Its own `cookie` section, or the one inherited from a path above, decides who is recognised. */
export const webSocketServiceType: WebServiceType<WebSocketServiceConfig> = {
  type: 'websocket',
  atFront: 'always',
  times: ({ options }) => ({ headersMs: options.open_handshake_timeout }),
  create: (config, deps) => new WebSocketService(config, deps),
};
