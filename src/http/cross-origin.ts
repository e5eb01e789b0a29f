/**
 * Pages at services that act for whoever asks them: which origins may ask, and what browsers want to be told before a page may read
 * the answer (CORS). A page can post without asking first, so the origin is looked at before anything is done.
 */
import { originCheck } from '../transport/websocket/origin.js';
import { sendEmpty } from './answer.js';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { OriginCheck } from '../transport/websocket/origin.js';
import type { Refusal } from '../transport/refusal.js';
import type { WebResponse } from './response.js';

/** The keys of a service's config. */
export interface OriginOptions {
  readonly allowed_origins: readonly string[];
  readonly allow_null_origin: boolean;
}

/** In seconds: for so long a browser does not ask again. */
export const PREFLIGHT_AGE = '600';

/** One for each service. */
export class CrossOrigin {
  readonly #allows: OriginCheck;
  /** The methods of the service. */
  readonly #methods: string;

  constructor({ allowed_origins, allow_null_origin }: OriginOptions, methods: readonly string[]) {
    this.#allows = originCheck(allowed_origins, allow_null_origin);
    this.#methods = methods.join(', ');
  }

  /**
   * Judges the page that a request comes from, and lets it read the answer, a refusal too.
   *
   * @returns undefined for a page that may ask, and for clients that are no browsers.
   */
  admit({ headers: { origin, host } }: IncomingMessage, res: WebResponse): Refusal | undefined {
    res.appendHeader('Vary', 'Origin');
    if (origin === undefined) return undefined;
    if (this.#allows(origin, host)) {
      allowReading(res, origin);
      return undefined;
    }
    return {
      status: 403,
      text: `pages of the origin "${origin}" may not ask this service`,
      kind: 'origin of a request',
      remedy: `add "${origin}" to the "allowed_origins" of this service`,
      facts: { origin },
    };
  }

  /**
   * Answers OPTIONS: a browser asks before a page sends what no form could.
   *
   * @returns why the page may not ask: the browser will send nothing else, so nothing else tells the operator.
   */
  preflight(req: IncomingMessage, res: WebResponse, status = 204): Refusal | undefined {
    const asked = req.headers['access-control-request-headers'];
    const refusal = this.admit(req, res);
    const isAllowed = req.headers.origin !== undefined && refusal === undefined;
    const told: OutgoingHttpHeaders = {
      'Access-Control-Allow-Methods': this.#methods,
      'Access-Control-Allow-Headers': asked,
      'Access-Control-Max-Age': PREFLIGHT_AGE,
    };
    const length = status === 204 ? undefined : 0;
    sendEmpty(res, status, {
      Allow: `${this.#methods}, OPTIONS`,
      'Content-Length': length,
      ...(isAllowed && told),
    });
    return refusal;
  }
}

/** Lets a page of another origin read the answer. Never `*`, which browsers do not take together with cookies. */
export function allowReading(res: WebResponse, origin: string): void {
  res.setHeader('Access-Control-Allow-Origin', origin);
  res.setHeader('Access-Control-Allow-Credentials', 'true');
}
