/**
 * `nodeinfo`: a small page about the node, as HTML for people and as JSON for programs that ask for it.
 *
 * It is public, so it tells what runs here and for how long, and no more. Browsers that are logged in with a role of the config
 * learn where it runs and what it consists of. Nobody learns anything about visitors.
 */
import { isFresh, etagOf, sendAnswer, sendEmpty, sendStatus } from '../../http/answer.js';
import { READ_ONLY } from '../../http/methods.js';
import { qualityOf } from '../../http/quality.js';
import { isMountItself } from '../../http/target.js';
import { admits } from '../../session/deps.js';
import { nodeInfoPage } from './page.js';
import type { NodeFacts } from './page.js';
import type { WebResponse } from '../../http/response.js';
import type { RequestCookie, WebRequest, WebService } from '../../http/service.js';
import type { NodeInfoConfig } from './schema.js';
import type { WebServiceDeps, WebServiceType } from '../service.js';

class NodeInfoService implements WebService {
  readonly methods = READ_ONLY;
  readonly #options: NodeInfoConfig['options'];
  readonly #deps: WebServiceDeps;

  constructor({ options }: NodeInfoConfig, deps: WebServiceDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  handle({ req, rest, cookie }: WebRequest, res: WebResponse): void {
    if (!isMountItself(rest)) {
      sendStatus(res, 404, 'There is nothing here.');
      return;
    }
    const facts = { ...this.#publicFacts(), ...(this.#mayKnowMore(cookie) && this.#privateFacts()) };
    const isJson = prefersJson(req.headers.accept);
    const body = isJson ? `${JSON.stringify(facts, null, 2)}\n` : nodeInfoPage(facts);
    const etag = etagOf(body);
    const headers = {
      ETag: etag,
      ...this.#caching,
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
    };
    const type = isJson ? 'application/json; charset=utf-8' : 'text/html; charset=utf-8';
    if (isFresh(req, etag)) sendEmpty(res, 304, headers);
    else sendAnswer(res, { status: 200, type, body, headers });
  }

  /** Where the answer depends on who asks, no cache may give it to others. */
  get #caching(): { readonly Vary: string; readonly 'Cache-Control': string } {
    return this.#options.roles.length === 0
      ? { Vary: 'Accept', 'Cache-Control': 'no-cache' }
      : { Vary: 'Accept, Cookie', 'Cache-Control': 'private, no-cache' };
  }

  #publicFacts(): NodeFacts {
    const { clock, nodeInfo } = this.#deps;
    const { version, startedMs } = nodeInfo;
    return {
      product: 'crossbar-ts',
      ...(version !== undefined && { version }),
      ...(startedMs !== undefined && { uptime: Math.max(0, Math.floor((clock() - startedMs) / 1000)) }),
    };
  }

  #privateFacts(): NodeFacts {
    const { nodeInfo, webSocketPaths } = this.#deps;
    const { id, startedMs, details } = nodeInfo;
    return {
      ...(id !== undefined && { id }),
      ...(startedMs !== undefined && { started: new Date(startedMs).toISOString() }),
      ...details?.(),
      websocket: webSocketPaths,
    };
  }

  /** A cookie that was replaced a moment ago may be in the hands of another. */
  #mayKnowMore(cookie: RequestCookie | undefined): boolean {
    const { realm, roles } = this.#options;
    const { isHeld, authrealm, authrole } = cookie ?? {};
    if (isHeld !== true || authrealm === undefined || authrole === undefined) return false;
    if (realm !== undefined && realm !== authrealm) return false;
    return roles.includes(authrole) && admits(this.#deps.router, authrealm, authrole);
  }
}

/** Options: `roles`, and the `realm` that they belong to. */
export const nodeInfoServiceType: WebServiceType<NodeInfoConfig> = {
  type: 'nodeinfo',
  create: (config, deps) => new NodeInfoService(config, deps),
};

/** Whether JSON is named and HTML is not wanted more; a browser, or a client without preference, gets HTML. */
function prefersJson(accept: string | undefined): boolean {
  return (qualityOf(accept, 'application/json') ?? 0) > (qualityOf(accept, 'text/html') ?? 0);
}
