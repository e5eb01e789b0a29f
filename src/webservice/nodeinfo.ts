/**
 * `nodeinfo`: a small page about the node, as HTML for people and as JSON for programs that ask for it.
 *
 * It is public, so it tells no more than a visitor may know: what runs here and where its WebSocket paths are. Realms,
 * other paths, process and host details, and anything about visitors stay out.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { escapeHtml, etagOf, isFresh, sendAnswer, sendEmpty, sendStatus } from '../http/answer.js';
import { READ_ONLY } from '../http/methods.js';
import { qualityOf } from '../http/quality.js';
import type { NodeInfoConfig } from './nodeinfo-schema.js';
import type { WebRequest, WebService } from '../http/service.js';
import type { WebServiceDeps, WebServiceType } from './service.js';
import { isMountItself } from '../http/target.js';

interface Document {
  readonly type: string;
  readonly body: string;
  readonly etag: string;
}

class NodeInfoService implements WebService {
  readonly methods = READ_ONLY;
  readonly #html: Document;
  readonly #json: Document;

  constructor({ nodeInfo, webSocketPaths }: Pick<WebServiceDeps, 'nodeInfo' | 'webSocketPaths'>) {
    const facts = { product: 'crossbar-ts', ...nodeInfo, websocket: webSocketPaths };
    this.#json = document('application/json; charset=utf-8', `${JSON.stringify(facts, null, 2)}\n`);
    this.#html = document('text/html; charset=utf-8', page(nodeInfo, webSocketPaths));
  }

  handle({ req, rest }: WebRequest, res: ServerResponse): void {
    if (!isMountItself(rest)) sendStatus(res, 404, 'There is nothing here.');
    else this.#answer(req, res);
  }

  #answer(req: IncomingMessage, res: ServerResponse): void {
    const { type, body, etag } = prefersJson(req.headers.accept) ? this.#json : this.#html;
    const headers = {
      ETag: etag,
      Vary: 'Accept',
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
    };
    if (isFresh(req, etag)) sendEmpty(res, 304, headers);
    else sendAnswer(res, { status: 200, type, body, headers });
  }
}

/** Takes no keys of its own. */
export const nodeInfoServiceType: WebServiceType<NodeInfoConfig> = {
  type: 'nodeinfo',
  create: (_config, deps) => new NodeInfoService(deps),
};

function document(type: string, body: string): Document {
  return { type, body, etag: etagOf(body) };
}

/** Whether JSON is named and HTML is not wanted more; a browser, or a client without preference, gets HTML. */
function prefersJson(accept: string | undefined): boolean {
  return (qualityOf(accept, 'application/json') ?? 0) > (qualityOf(accept, 'text/html') ?? 0);
}

function page({ id, version }: WebServiceDeps['nodeInfo'], webSocketPaths: readonly string[]): string {
  const rows = [
    ...(id === undefined ? [] : [['Node', escapeHtml(id)]]),
    ['Software', escapeHtml(version === undefined ? 'crossbar-ts' : `crossbar-ts ${version}`)],
    ['WebSocket', webSocketPaths.map((path) => `<code>${escapeHtml(path)}</code>`).join(' ') || 'none'],
  ];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>crossbar-ts</title>
<style>
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto 0; padding: 0 1.5rem; color: #223; background: #f7f8fa }
  dl { display: grid; grid-template-columns: 8rem 1fr; gap: .4rem 1rem } dt { color: #667 } dd { margin: 0 }
  @media (prefers-color-scheme: dark) { body { color: #dde; background: #15171c } dt { color: #99a } }
</style>
<h1>This is a WAMP router.</h1>
<p>It carries remote calls and events between programs and browsers.</p>
<dl>
${rows.map(([term, text]) => `  <dt>${term ?? ''}</dt><dd>${text ?? ''}</dd>`).join('\n')}
</dl>
</html>
`;
}
