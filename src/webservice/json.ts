/**
 * `json`: a value from the config, served as a JSON document at exactly the path it is mounted on.
 */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { etagOf, isFresh, sendAnswer, sendEmpty, sendStatus } from '../http/answer.js';
import { READ_ONLY } from '../http/methods.js';
import type { JsonConfig } from './json-schema.js';
import type { WebRequest, WebService } from '../http/service.js';
import type { WebServiceType } from './service.js';
import { isMountItself } from '../http/target.js';

class JsonService implements WebService {
  readonly methods = READ_ONLY;
  readonly #body: string;
  readonly #etag: string;
  readonly #headers: OutgoingHttpHeaders;

  constructor({ value, options }: JsonConfig) {
    this.#body = `${JSON.stringify(value, null, options.prettify ? 2 : 0)}\n`;
    this.#etag = etagOf(this.#body);
    this.#headers = {
      ETag: this.#etag,
      ...(options.discourage_caching ? { 'Cache-Control': 'no-store' } : {}),
      // `*` and no credentials: any page may read the document, but not as the visitor it has before it. Crossbar.io
      // echoes the origin and allows credentials, which gives every page the visitor's standing.
      ...(options.allow_cross_origin ? { 'Access-Control-Allow-Origin': '*' } : {}),
    };
  }

  handle({ req, rest }: WebRequest, res: ServerResponse): void {
    if (!isMountItself(rest)) sendStatus(res, 404, 'There is nothing here.');
    else if (isFresh(req, this.#etag)) sendEmpty(res, 304, this.#headers);
    else {
      sendAnswer(res, {
        status: 200,
        type: 'application/json; charset=utf-8',
        body: this.#body,
        headers: this.#headers,
      });
    }
  }
}

/**
 * Options: `prettify` indents the document, `allow_cross_origin` lets pages of other origins read it,
 * `discourage_caching` forbids keeping it. All three work here; Crossbar.io checks them and then drops them.
 */
export const jsonServiceType: WebServiceType<JsonConfig> = {
  type: 'json',
  atFront: 'untracked',
  create: (config) => new JsonService(config),
};
