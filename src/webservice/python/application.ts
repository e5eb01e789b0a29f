/**
 * `wsgi` and `resource`: the requests of a path, answered by an application of Python. It runs in the host of the worker, together with
 * the components, and listens on a socket file; on the way there requests go through what a reverse proxy has, too.
 *
 *     start: the application is loaded, and listens (`application-host.ts`)
 *     request -> too many: 503 -> `forward`, with the head of `head.ts`
 */
import { sendStatus } from '../../http/answer.js';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest, WebService } from '../../http/service.js';
import { RepeatedLog } from '../../log/repeated.js';
import { loggedPath } from '../../transport/refusal.js';
import { Backend } from '../proxy/backend.js';
import type { Failure } from '../proxy/forward.js';
import type { HeaderList } from '../proxy/headers.js';
import { PROXIED_METHODS, ProxiedRequests } from '../proxy/requests.js';
import { hiddenCookies } from '../proxy/reverse-proxy.js';
import type { WebServiceDeps } from '../service.js';
import type { ApplicationOrder } from './application-host.js';
import { applicationHead } from './head.js';
import type { ResourceConfig, WsgiConfig } from './schema.js';

/** How many of the largest bodies there is room for. */
const BODIES_IN_ALL = 16;

/** How long Python may take until it has taken a connection. */
const CONNECT_MS = 10_000;

class PythonApplication implements WebService {
  readonly methods = PROXIED_METHODS;
  readonly #order: ApplicationOrder;
  readonly #deps: WebServiceDeps;
  readonly #hiddenCookies: ReadonlySet<string>;
  readonly #requests: ProxiedRequests;
  readonly #failures: RepeatedLog;
  #backend: Backend | undefined;

  constructor({ options }: WsgiConfig | ResourceConfig, order: ApplicationOrder, deps: WebServiceDeps) {
    this.#order = order;
    this.#deps = deps;
    this.#hiddenCookies = hiddenCookies(options.pass_cookie, deps);
    this.#requests = new ProxiedRequests({
      maxRequests: options.max_requests,
      timeoutMs: options.timeout * 1000,
      maxBytes: options.max_body,
      maxBytesInAll: BODIES_IN_ALL * options.max_body,
      log: deps.log,
    });
    this.#failures = new RepeatedLog(deps.log);
  }

  async start(): Promise<void> {
    const { applications } = this.#deps;
    if (applications === undefined) throw new Error('no Python runs here');
    const path = await applications.start(this.#order);
    this.#backend = new Backend({ address: { path }, authority: 'localhost', connectMs: CONNECT_MS });
    await this.#backend.start();
  }

  /** Requests that are under way go on. */
  stop(): Promise<void> {
    this.#backend?.stop();
    this.#requests.end();
    this.#failures.end();
    return Promise.resolve();
  }

  handle(request: WebRequest, res: WebResponse): void {
    const backend = this.#backend;
    if (backend === undefined) return sendStatus(res, 503, 'The node is starting.');
    if (!this.#requests.admits(request, res)) return;
    const { mount, rest, query } = request;
    this.#requests.forward(request, res, {
      backend,
      target: `${mount === '/' ? '' : mount}${rest}${query}`,
      headers: applicationHead(request, this.#hiddenCookies),
      adapt: (headers) => this.#requests.withoutCookies(withoutServer(headers), this.#hiddenCookies),
      failed: (failure) => this.#failed(request, failure),
    });
  }

  #failed({ req }: WebRequest, { status, reason }: Failure): void {
    const facts = { ...this.#order.facts, method: req.method, path: loggedPath(req), status, reason };
    this.#failures.say('warn', facts, 'web application does not answer', reason.slice(0, 64));
  }
}

/** Twisted says which version it is, which is nobody's business; what an application says stays. */
function withoutServer(headers: HeaderList): string[] {
  const kept: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const [name = '', value = ''] = [headers[at], headers[at + 1]];
    if (name.toLowerCase() !== 'server' || !value.startsWith('TwistedWeb/')) kept.push(name, value);
  }
  return kept;
}

/** `wsgi`. */
export function createWsgi(config: WsgiConfig, deps: WebServiceDeps): WebService {
  const { type, module, object, minthreads, maxthreads, options } = config;
  const spec = { type, module, object, minthreads, maxthreads, max_requests: options.max_requests };
  return new PythonApplication(config, { spec, facts: { service: type, application: `${module}.${object}` } }, deps);
}

/** `resource`. */
export function createResource(config: ResourceConfig, deps: WebServiceDeps): WebService {
  const { type, classname, extra = {} } = config;
  const spec = { type, classname, extra };
  return new PythonApplication(config, { spec, facts: { service: type, application: classname } }, deps);
}
