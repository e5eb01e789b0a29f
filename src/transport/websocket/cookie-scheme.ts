/**
 * Whether the cookie that a browser is given fits the page: who ends TLS in front of the node knows it, the node does not, and a
 * browser drops without a word what does not fit. The origin of the page tells. Pure.
 */
import { isSelf, isThisMachine } from './origin.js';

export interface SchemeFault {
  readonly reason: string;
  readonly remedy: string;
}

/**
 * @param setCookie the value of the header.
 * @param headers of the handshake that it answers.
 * @returns undefined when it fits, or nothing tells.
 */
export function schemeFault(
  setCookie: string,
  { origin, host }: { readonly origin?: string | undefined; readonly host?: string | undefined },
): SchemeFault | undefined {
  if (origin === undefined || !isSelf(origin, host)) return undefined;
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
