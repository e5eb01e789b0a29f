/**
 * Short complete answers: the words of HTTP that all services share. Nothing here decides what to answer.
 */
import { createHash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** A response that fits in memory. */
export interface Answer {
  readonly status: number;
  /** Media type of the body. */
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: OutgoingHttpHeaders;
}

/** Sends a complete response; of a HEAD request only the head. */
export function sendAnswer(res: ServerResponse, answer: Answer): void {
  prepareAnswer(res, answer);
  res.end(answer.body);
}

/** Sets the head of a response and sends nothing yet: the body is left to the caller. */
export function prepareAnswer(res: ServerResponse, { status, type, body, headers = {} }: Answer): void {
  res.statusCode = status;
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) res.setHeader(name, value);
  }
  res.setHeader('Content-Type', type);
  res.setHeader('Content-Length', Buffer.byteLength(body));
}

/** A page of one sentence for a status that needs no more; failures are not cached. */
export function statusAnswer(status: number, text?: string, headers: OutgoingHttpHeaders = {}): Answer {
  const cache = status >= 400 ? { 'Cache-Control': 'no-store' } : {};
  return {
    status,
    type: 'text/plain; charset=utf-8',
    body: `${String(status)} ${STATUS_CODES[status] ?? ''}${text === undefined ? '' : `\n${text}`}\n`,
    headers: { ...cache, ...headers },
  };
}

/** Sends the page of {@link statusAnswer}. */
export function sendStatus(res: ServerResponse, status: number, text?: string, headers?: OutgoingHttpHeaders): void {
  sendAnswer(res, statusAnswer(status, text, headers));
}

/** An answer without a body, such as 204 or 304. */
export function sendEmpty(res: ServerResponse, status: number, headers: OutgoingHttpHeaders = {}): void {
  res.statusCode = status;
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) res.setHeader(name, value);
  }
  res.end();
}

/** A strong validator of a small body. */
export function etagOf(body: string): string {
  return `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
}

/** Whether the client already has the body with this validator (If-None-Match; weak comparison, RFC 9110). */
export function isFresh(req: IncomingMessage, etag: string): boolean {
  const known = req.headers['if-none-match'];
  if (known === undefined) return false;
  const opaque = (tag: string): string => tag.trim().replace(/^W\//, '');
  return known.trim() === '*' || known.split(',').some((tag) => opaque(tag) === opaque(etag));
}

/** Text made harmless for HTML, attribute values included. */
export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
