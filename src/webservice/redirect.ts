/**
 * `redirect`: sends everybody who asks for its path, or for anything below it, to another URL.
 */
import type { ServerResponse } from 'node:http';
import { escapeHtml, sendAnswer } from '../http/answer.js';
import type { RedirectConfig } from './redirect-schema.js';
import type { WebRequest, WebService } from '../http/service.js';
import type { WebServiceType } from './service.js';

class RedirectService implements WebService {
  /** POST too, as in Crossbar.io: with 302 a browser goes on with GET. */
  readonly methods = ['GET', 'HEAD', 'POST'];
  readonly #url: string;

  constructor({ url }: RedirectConfig) {
    this.#url = url;
  }

  handle(_request: WebRequest, res: ServerResponse): void {
    const shown = escapeHtml(this.#url);
    sendAnswer(res, {
      status: 302,
      type: 'text/html; charset=utf-8',
      body: `<!doctype html><title>Elsewhere</title><p>See <a href="${shown}">${shown}</a>.</p>\n`,
      headers: { Location: this.#url, 'Content-Security-Policy': "default-src 'none'" },
    });
  }
}

/** `url` is absolute, or relative to the node; nothing of the request's own URL is added to it. */
export const redirectServiceType: WebServiceType<RedirectConfig> = {
  type: 'redirect',
  atFront: 'untracked',
  create: (config) => new RedirectService(config),
};
