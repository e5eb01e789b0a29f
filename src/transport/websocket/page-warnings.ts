/**
 * What the operator is told of the pages that connect, where nothing is refused: once for each kind, because it is a matter of the
 * config and comes with every visitor.
 */
import { misfitOf } from './cookie-fit.js';
import type { Logger } from '../../log/logger.js';
import type { RequestHead } from '../request-head.js';

/** One for each place where pages connect. */
export class PageWarnings {
  readonly #log: Logger;
  /** What is said once. */
  readonly #told = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /**
   * Such a page is not refused: a proxy on this machine that passes `Host` on and nothing else looks the same, and the page
   * has no cookie of a visitor to this node.
   */
  plantedHost({ headers: { host, origin } }: RequestHead): void {
    const kind = 'planted host';
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    this.#log.warn(
      {
        host: host?.slice(0, 256),
        origin: origin?.slice(0, 256),
        remedy:
          'if this is your site, name its origin in "allowed_origins"; if not, somebody pointed a name at this machine: replace "self" by the origins that you mean',
      },
      'a page was taken for one of this host by its Host header alone',
    );
  }

  /** Says whether the cookie that a browser is given fits its page. @param setCookie the value of the header. */
  misfit(setCookie: string, { headers }: RequestHead): void {
    const misfit = misfitOf(setCookie, headers);
    if (misfit === undefined || this.#told.has(misfit.reason)) return;
    this.#told.add(misfit.reason);
    this.#log.warn({ origin: headers.origin, ...misfit }, 'cookie does not fit the page');
  }
}
