/** The answers of a login: JSON that no cache keeps, and what browsers want to know of other origins (CORS). */
import { sendAnswer, sendEmpty } from '../../http/answer.js';
import { PREFLIGHT_AGE } from '../../http/cross-origin.js';
import { ErrorUri } from '../../wamp/error.js';
import type { OutgoingHttpHeaders } from 'node:http';
import type { Deny, Unavailable } from '../../auth/method.js';
import type { Answer } from '../../http/answer.js';
import type { WebResponse } from '../../http/response.js';
import type { Dict } from '../../wamp/payload.js';

/** A refusal, as programs read it. */
export interface Failure {
  readonly status: number;
  /** A URI, as ABORT would have it. */
  readonly error: string;
  /** One sentence for people. */
  readonly message: string;
  readonly headers?: OutgoingHttpHeaders;
  /** What a form is told in `login_error`: an error code of OAuth 2.0 (RFC 6749, RFC 8628). Default: `access_denied`. */
  readonly code?: string;
}

const NO_STORE = { 'Cache-Control': 'no-store' };

/** In seconds: by then the disk, or whoever knows the passwords, may be back. */
const RETRY_LATER = { 'Retry-After': '5' };

export const STORE_FAILED: Failure = {
  status: 503,
  error: ErrorUri.UNAVAILABLE,
  message: 'no login or logout is possible at the moment, please try again later',
  headers: RETRY_LATER,
  code: 'temporarily_unavailable',
};

/** Nobody can be logged in who cannot be written down, where the config says so (`audit`, `required`). */
export const NOT_RECORDED: Failure = {
  ...STORE_FAILED,
  message: 'log-ins cannot be recorded, please try again later',
};

export function jsonAnswer(status: number, body: Dict, headers: OutgoingHttpHeaders = {}): Answer {
  const type = 'application/json; charset=utf-8';
  return { status, type, body: `${JSON.stringify(body)}\n`, headers: { ...NO_STORE, ...headers } };
}

export function sendJson(res: WebResponse, body: Dict, headers?: OutgoingHttpHeaders): void {
  sendAnswer(res, jsonAnswer(200, body, headers));
}

export function failureAnswer({ status, error, message, headers }: Failure): Answer {
  return jsonAnswer(status, { error, message }, headers);
}

/** @returns what HTTP says where WAMP would say ABORT, or close the connection. */
export function failureOf(verdict: Deny | Unavailable): Failure {
  const { message } = verdict;
  if (verdict.type === 'unavailable') return { ...STORE_FAILED, message };
  const { reason: error, retryAfterMs } = verdict;
  if (retryAfterMs === undefined) return { status: 401, error, message };
  const headers = { 'Retry-After': String(Math.ceil(retryAfterMs / 1000)) };
  return { status: 429, error, message, headers, code: 'slow_down' };
}

/** The browser goes on with a page (303: by GET). @param error is told to the page as `login_error`. */
export function redirect(res: WebResponse, to: string, error?: string): void {
  const [path = '', fragment] = to.split('#', 2);
  const query = error === undefined ? '' : `${path.includes('?') ? '&' : '?'}login_error=${error}`;
  const location = `${path}${query}${fragment === undefined ? '' : `#${fragment}`}`;
  sendEmpty(res, 303, { Location: location, 'Content-Length': 0, ...NO_STORE });
}

/** What a browser is told that asks before it posts. */
export const PREFLIGHT_HEADERS: OutgoingHttpHeaders = {
  'Access-Control-Allow-Methods': 'POST',
  'Access-Control-Allow-Headers': 'Content-Type',
  'Access-Control-Max-Age': PREFLIGHT_AGE,
};
