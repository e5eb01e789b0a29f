/**
 * What is posted to a login, once it is clear that a page of ours posts it. Each request goes through the same checks, in this
 * order, and what comes out of them is safe to act upon:
 *
 *     origin: 403 (`origin-check.ts`) -> media type: 415 -> body: 413, 408, 503 (`http/bodies.ts`) -> fields: 400
 *
 * A body without a type is refused as any other that is not JSON: pages of other sites can send it without asking first.
 */
import { sendAnswer, sendEmpty } from '../../http/answer.js';
import { BodyReader } from '../../http/bodies.js';
import { allowReading } from '../../http/cross-origin.js';
import { isSecure } from '../../transport/peer.js';
import { RefusalLog } from '../../transport/refusal.js';
import { ErrorUri } from '../../wamp/error.js';
import { failureAnswer, PREFLIGHT_HEADERS } from './answers.js';
import { FORM_TYPE, JSON_TYPE, fieldsOf, mediaTypeOf } from './credentials.js';
import { judgeOrigin } from './origin-check.js';
import type { IncomingMessage } from 'node:http';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest } from '../../http/service.js';
import type { Logger } from '../../log/logger.js';
import type { Refusal } from '../../transport/refusal.js';
import type { Dict } from '../../wamp/payload.js';
import type { Failure } from './answers.js';
import type { OriginRules } from './origin-check.js';
import type { LoginConfig } from './schema.js';

/** What a page has posted. */
export interface Post {
  readonly fields: Dict;
  /** The browser shows the answer itself, and goes on with another page. */
  readonly isForm: boolean;
}

/** How long a body may take to arrive, in milliseconds. */
const BODY_MS = 10_000;

const NO_FIELDS: Failure = {
  status: 400,
  error: ErrorUri.INVALID_ARGUMENT,
  message: 'the body is no JSON object, or no form in which each field is there once',
};

/** Reads what is posted to one service. */
export class LoginPosts {
  readonly #origins: OriginRules;
  readonly #mediaTypes: readonly string[];
  readonly #bodies: BodyReader;
  readonly #refusals: RefusalLog;

  constructor({ public_url, options }: Pick<LoginConfig, 'public_url' | 'options'>, log: Logger) {
    this.#origins = { publicOrigin: public_url, allowed: new Set(options.allowed_origins) };
    this.#mediaTypes = options.forms ? [JSON_TYPE, FORM_TYPE] : [JSON_TYPE];
    const rules = { maxBytes: options.max_body, timeoutMs: BODY_MS, mayBeEmpty: true, answer: answerOf };
    this.#bodies = new BodyReader(rules, { log });
    this.#refusals = new RefusalLog(log);
  }

  /** @returns undefined when the request was refused, and has its answer, or the client has left. */
  async read(request: WebRequest, res: WebResponse): Promise<Post | undefined> {
    const { req } = request;
    const refusal = this.#judge(req, res) ?? this.#refusalOfType(req);
    if (refusal !== undefined) {
      this.#refusals.request(req, refusal);
      sendAnswer(res, answerOf(refusal));
      return undefined;
    }
    const body = await this.#bodies.read(request, res);
    if (body === undefined || res.closed) return undefined;
    const mediaType = mediaTypeOf(req.headers['content-type']) ?? '';
    const fields = fieldsOf(body, mediaType);
    if (fields !== undefined) return { fields, isForm: mediaType === FORM_TYPE };
    sendAnswer(res, failureAnswer(NO_FIELDS));
    return undefined;
  }

  /** Answers OPTIONS: a browser asks before it posts JSON to another origin. */
  preflight({ req }: WebRequest, res: WebResponse, methods: readonly string[]): void {
    const isPost = methods.includes('POST');
    const refusal = isPost ? this.#judge(req, res) : undefined;
    if (refusal !== undefined) this.#refusals.request(req, refusal);
    const isAllowed = isPost && res.hasHeader('Access-Control-Allow-Origin');
    sendEmpty(res, 204, {
      Allow: [...methods, 'OPTIONS'].join(', '),
      ...(isAllowed && PREFLIGHT_HEADERS),
    });
  }

  /** Nothing more will be posted: tells what was left out of the log. */
  end(): void {
    this.#bodies.end();
    this.#refusals.end();
  }

  /** @returns whether a page of another origin may read the answer. */
  #admitReader(req: IncomingMessage, res: WebResponse): boolean {
    if (this.#origins.allowed.size > 0) res.appendHeader('Vary', 'Origin');
    const { origin } = req.headers;
    if (origin === undefined || judgeOrigin(req.headers, isSecure(req), this.#origins) !== 'other') return false;
    allowReading(res, origin);
    return true;
  }

  #judge(req: IncomingMessage, res: WebResponse): Refusal | undefined {
    this.#admitReader(req, res);
    if (judgeOrigin(req.headers, isSecure(req), this.#origins) !== 'refused') return undefined;
    const { origin = '(none)', host = '', 'sec-fetch-site': site } = req.headers;
    return {
      status: 403,
      text: `pages of the origin "${origin}" may not log their visitors in or out here`,
      kind: 'origin of a login',
      remedy: 'add it to the "allowed_origins" of this login, or name the origin of the pages in its "public_url"',
      facts: { origin, host, ...(typeof site === 'string' && { site }) },
    };
  }

  #refusalOfType({ headers }: IncomingMessage): Refusal | undefined {
    const type = headers['content-type'];
    if (this.#mediaTypes.includes(mediaTypeOf(type) ?? '')) return undefined;
    const accepted = this.#mediaTypes.join(', ');
    return {
      status: 415,
      text: `the Content-Type must be ${accepted}`,
      kind: 'media type of a login',
      headers: { Accept: accepted },
      facts: { type: type ?? '(none)' },
    };
  }
}

function answerOf({ status, text, headers = {} }: Refusal): ReturnType<typeof failureAnswer> {
  return failureAnswer({ status, error: URIS[status] ?? ErrorUri.INVALID_ARGUMENT, message: text, headers });
}

/** What WAMP calls it. */
const URIS: Readonly<Record<number, string>> = {
  403: ErrorUri.NOT_AUTHORIZED,
  408: ErrorUri.TIMEOUT,
  413: ErrorUri.PAYLOAD_SIZE_EXCEEDED,
  503: ErrorUri.UNAVAILABLE,
};
