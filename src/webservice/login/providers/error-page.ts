/** The page that a browser gets when a login came to nothing. It has no script, and nothing of what the provider said. Pure. */
import { escapeHtml } from '../../../http/answer.js';
import type { Answer } from '../../../http/answer.js';

/** Headers of every answer about a provider: URLs have codes in them, and nobody else may keep an answer. */
export const PROVIDER_HEADERS = { 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' } as const;

/** Nothing is loaded, and no other page can frame it. */
const CSP = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Why there is no login. */
export interface LoginFailure {
  readonly status: number;
  /** One sentence for the user. */
  readonly text: string;
  /** In how many seconds it may be better. */
  readonly retryAfterS?: number;
}

/** @param retry the URL path at which the user tries again; undefined where that is of no use. */
export function errorPage({ status, text, retryAfterS }: LoginFailure, retry: string | undefined): Answer {
  const again = retry === undefined ? '' : `<p><a href="${escapeHtml(retry)}">Try again</a></p>\n`;
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Not logged in</title>
<h1>Not logged in</h1>
<p>${escapeHtml(text)}</p>
${again}</html>
`;
  const headers = {
    ...PROVIDER_HEADERS,
    'Content-Security-Policy': CSP,
    'X-Content-Type-Options': 'nosniff',
    ...(retryAfterS !== undefined && { 'Retry-After': String(retryAfterS) }),
  };
  return { status, type: 'text/html; charset=utf-8', body, headers };
}
