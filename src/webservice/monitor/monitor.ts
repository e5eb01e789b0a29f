/**
 * `monitor`: the page for operators. The page is a few files, which are public. What it shows comes by WAMP, over the WebSocket on
 * the path `ws` below, from procedures that only roles may call which the config names for it (`monitor/procedures.ts`).
 *
 *     GET <monitor>/                the page, monitor.js, monitor.css, icon.svg
 *     GET <monitor>/settings.json   {"realm", "methods"}: what the page needs to log somebody in
 *     GET <monitor>/ws              the WebSocket, with an `auth` section of its own; for pages of this host only
 */
import type { Socket } from 'node:net';
import { sendEmpty, sendStatus } from '../../http/answer.js';
import { READ_ONLY } from '../../http/methods.js';
import { MONITOR_PAGE } from '../../monitor/page-files.js';
import { authWordsOf, createSessionDeps } from '../../session/deps.js';
import { RefusalLog, refuse } from '../../transport/refusal.js';
import { WebSocketAcceptor } from '../../transport/websocket/websocket.js';
import { readPage, sendFile } from './page.js';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest, WebService, WebUpgrade } from '../../http/service.js';
import type { WebSocketConfig } from '../../transport/websocket/schema.js';
import type { WebServiceDeps } from '../service.js';
import type { PageFiles } from './page.js';
import type { MonitorServiceConfig } from './schema.js';

const WEBSOCKET = '/ws';
const NO_WEBSOCKET = { status: 404, text: 'The WebSocket of the monitor is at "ws" below.', kind: 'no WebSocket' };

class MonitorService implements WebService {
  readonly methods = READ_ONLY;
  readonly #config: MonitorServiceConfig;
  readonly #deps: WebServiceDeps;
  readonly #directory: string;
  readonly #refusals: RefusalLog;
  #files: PageFiles | undefined;
  #acceptor: WebSocketAcceptor | undefined;

  constructor(config: MonitorServiceConfig, deps: WebServiceDeps, directory: string) {
    this.#config = config;
    this.#deps = deps;
    this.#directory = directory;
    this.#refusals = new RefusalLog(deps.log);
  }

  async start(): Promise<void> {
    const { router, load, families, logins, cookies, log, drain } = this.#deps;
    const { realm } = this.#config;
    this.#files = await readPage(this.#directory, { realm, methods: authWordsOf(this.#config) });
    const socket = webSocketOf(this.#config);
    const sessions = await createSessionDeps(socket, { router, load, log, families, logins });
    const tracker = await cookies?.tracker();
    const { serializers } = families;
    this.#acceptor = new WebSocketAcceptor(socket, { sessions, serializers, tracker, log, drain });
  }

  async stop(): Promise<void> {
    await this.#acceptor?.stop();
    this.#refusals.end();
  }

  handle({ req, rest, mount, query }: WebRequest, res: WebResponse): void {
    if (this.#files === undefined || this.#acceptor === undefined) {
      throw new Error('a monitor was asked before it was started');
    }
    if (rest === WEBSOCKET) return this.#acceptor.handlePlain(req, res);
    // The page names its files relative to itself.
    if (rest === '' && mount !== '/')
      return sendEmpty(res, 308, { Location: `${mount}/${query}`, 'Content-Length': 0 });
    const file = this.#files.get(rest === '' ? '/' : rest);
    if (file === undefined) sendStatus(res, 404, 'There is nothing here.');
    else sendFile(req, res, file);
  }

  upgrade({ req, rest }: WebUpgrade, socket: Socket, head: Buffer): void {
    if (this.#acceptor === undefined) return refuse(socket, 503, 'The node is starting.');
    if (rest === WEBSOCKET) return this.#acceptor.accept(req, socket, head);
    this.#refusals.webSocket(req, NO_WEBSOCKET);
    refuse(socket, NO_WEBSOCKET.status, NO_WEBSOCKET.text);
  }
}

/** Pages of other hosts have no business here, unless the config names them. */
function webSocketOf({ auth, options }: MonitorServiceConfig): WebSocketConfig {
  const { allowed_origins: origins = ['self'], allow_null_origin: isOpen = false } = options;
  return {
    serializers: ['json'],
    auth,
    options: { ...options, allowed_origins: origins, allow_null_origin: isOpen },
  };
}

/**
 * Its own `cookie` section, or the one inherited from a path above, decides who is recognised.
 *
 * @param directory where the built page is.
 */
export function createMonitorService(
  config: MonitorServiceConfig,
  deps: WebServiceDeps,
  directory = MONITOR_PAGE,
): WebService {
  return new MonitorService(config, deps, directory);
}
