/**
 * Cookie tracking of plain HTTP requests: the page load already hands out the cookie that the WebSocket upgrade will
 * bring back. Finding and creating cookies is the tracker's business; here is only which tracker is in force on which
 * path, and that a visitor is answered with 503, never untracked, when its store fails.
 */
import type { ManagedCookies } from '../cookie/management.js';
import type { CookieConfig } from '../cookie/schema.js';
import { CookieStoreError } from '../cookie/error.js';
import type { CookieStores } from '../cookie/stores.js';
import { CookieTracker } from '../cookie/tracker.js';
import type { Logger } from '../log/logger.js';
import { isSecure } from '../transport/peer.js';
import { sendStatus } from '../http/answer.js';
import type { WebResponse } from '../http/response.js';
import type { RequestCookie, WebRequest, WebService } from '../http/service.js';

/** What a section needs of the node. */
export interface CookieSectionDeps {
  readonly stores: CookieStores;
  /** The cookies of the worker. */
  readonly managedCookies: ManagedCookies;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: Logger;
}

/**
 * One `cookie` section of the config. Every path it applies to shares its tracker, so a cookie handed out with a page
 * is known at the upgrade, also when the section keeps its cookies in memory.
 */
export class CookieSection {
  readonly config: CookieConfig;
  readonly #deps: CookieSectionDeps;
  #tracker: Promise<CookieTracker> | undefined;

  constructor(config: CookieConfig, deps: CookieSectionDeps) {
    this.config = config;
    this.#deps = deps;
  }

  /** The tracker; the first call acquires the store. Rejects when the store cannot be opened. */
  tracker(): Promise<CookieTracker> {
    this.#tracker ??= this.#acquire();
    return this.#tracker;
  }

  async #acquire(): Promise<CookieTracker> {
    const { stores, managedCookies, clock, log } = this.#deps;
    const liveCookies = await stores.join(this.config);
    managedCookies.add(liveCookies);
    return new CookieTracker({ config: this.config, liveCookies, clock, log, isSecure });
  }
}

/**
 * Puts a service behind a cookie section. OPTIONS requests pass untracked: a browser sends its CORS preflights without
 * cookies, and each would leave a new record behind.
 */
export class TrackedService implements WebService {
  readonly #inner: WebService;
  readonly #section: CookieSection;
  readonly #log: Logger;
  #tracker: CookieTracker | undefined;

  constructor(inner: WebService, section: CookieSection, log: Logger) {
    this.#inner = inner;
    this.#section = section;
    this.#log = log;
  }

  get methods(): WebService['methods'] {
    return this.#inner.methods;
  }

  async start(): Promise<void> {
    this.#tracker = await this.#section.tracker();
    await this.#inner.start?.();
  }

  async stop(): Promise<void> {
    await this.#inner.stop?.();
  }

  async dismiss(): Promise<void> {
    await this.#inner.dismiss?.();
  }

  async handle(request: WebRequest, res: WebResponse): Promise<void> {
    if (request.req.method === 'OPTIONS') {
      await this.#inner.handle(request, res);
      return;
    }
    const cookie = await this.#track(request, res);
    // The store may have taken its time, and the visitor may have left meanwhile.
    if (cookie !== undefined && !res.closed) await this.#inner.handle({ ...request, cookie }, res);
  }

  /** @returns undefined when the store failed; the request has been answered then */
  async #track({ req }: WebRequest, res: WebResponse): Promise<RequestCookie | undefined> {
    if (this.#tracker === undefined) throw new Error('a tracked service was asked before it was started');
    try {
      const { record, setCookie, lastsMs } = await this.#tracker.resolve(req);
      if (setCookie !== undefined) res.appendHeader('Set-Cookie', setCookie);
      const { authid, authrole, authrealm } = this.#tracker.loginOf(record) ?? {};
      return { cbtid: record.cbtid, authid, authrole, authrealm, isHeld: lastsMs === undefined };
    } catch (error) {
      if (!(error instanceof CookieStoreError)) throw error;
      this.#log.error({ err: error }, 'cookie store failed, request refused');
      sendStatus(res, 503, 'Visitors cannot be recognised at the moment. Please try again later.');
      return undefined;
    }
  }
}
