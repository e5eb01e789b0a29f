/**
 * Whether the cookie that a browser is given fits the page: who ends TLS in front of the node knows it, the node does not, and a
 * browser drops without a word what does not fit. The origin of the page tells. Pure.
 */
import { isSameName, isSelf, isThisMachine } from './origin.js';

export interface Misfit {
  readonly reason: string;
  readonly remedy: string;
}

/**
 * @param setCookie the value of the header.
 * @param headers of the handshake that it answers.
 * @returns undefined when it fits, or nothing tells.
 */
export function misfitOf(
  setCookie: string,
  { origin, host }: { readonly origin?: string | undefined; readonly host?: string | undefined },
): Misfit | undefined {
  if (origin === undefined || !isSelf(origin, host)) return undefined;
  if (!isSameName(origin, host) && !/; *SameSite=None(?:;|$)/i.test(setCookie)) return OTHER_NAME;
  const isSecure = /; *Secure(?:;|$)/i.test(setCookie);
  const [scheme = ''] = origin.toLowerCase().split('://', 1);
  // Browsers take this machine for safe.
  if (scheme === 'http' && isSecure && !isThisMachine(host)) {
    return {
      reason: 'the cookie is for https, but the page came by http: browsers drop it, and each visit makes a new record',
      remedy: 'serve the page by https, or set "secure": false in the "cookie" section',
    };
  }
  if (scheme === 'https' && !isSecure) {
    return {
      reason:
        'the page came by https, but the cookie is also for http: it is not kept apart from what plain http sets, or sees',
      remedy: 'set "secure": true in the "cookie" section',
    };
  }
  return undefined;
}

/** For the origin both names are this machine. For cookies they are two sites, and `SameSite` keeps a cookie from crossing. */
const OTHER_NAME: Misfit = {
  reason:
    'the page has another name of this machine than the node was asked by: browsers drop the cookie, and each visit makes a new record',
  remedy: 'open the page and the WebSocket by the same name: both by "localhost", or both by "127.0.0.1"',
};
