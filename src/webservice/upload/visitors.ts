/**
 * Who uploads: whether they may, by the login of their cookie, and what tells their uploads from those of others. Without a cookie it
 * is the address, which many may have in common.
 */
import { countedAddress } from '../../transport/connection-limits.js';
import { admits } from '../../session/deps.js';
import { CookieStoreError } from '../../cookie/error.js';
import { LoginDesk } from '../login/desk.js';
import { RETRY_LATER } from './refused-upload.js';
import type { WebRequest } from '../../http/service.js';
import type { Refusal } from '../../transport/refusal.js';
import type { WebServiceDeps } from '../service.js';
import type { UploadConfig } from './schema.js';

const STORE_FAILED: Refusal = {
  status: 503,
  text: 'logins cannot be looked up at the moment',
  kind: 'cookie store of an upload',
  headers: RETRY_LATER,
};

/** Knows the visitors of one service. */
export class Visitors {
  readonly #config: Pick<UploadConfig, 'realm' | 'options'>;
  readonly #deps: WebServiceDeps;
  #desk: LoginDesk | undefined;

  constructor(config: Pick<UploadConfig, 'realm' | 'options'>, deps: WebServiceDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  async start(): Promise<void> {
    if (this.#config.options.require_role === undefined) return;
    const { cookies, clock, router } = this.#deps;
    if (cookies === undefined)
      throw new Error('"require_role" without a cookie section, which the config check refuses');
    const tracker = await cookies.tracker();
    this.#desk = new LoginDesk({ tracker, clock, admits: (realm, role) => admits(router, realm, role) });
  }

  /**
   * 400, because resumable.js would send the piece again and again.
   * @returns why the visitor may not upload; undefined when they may.
   */
  async judge(request: WebRequest): Promise<Refusal | undefined> {
    const { realm, options } = this.#config;
    const { require_role: role } = options;
    if (role === undefined) return undefined;
    if (this.#desk === undefined) throw new Error('an upload was asked before it was started');
    try {
      const login = await this.#desk.whoami(request);
      if (login?.authrealm === realm && login.authrole === role) return undefined;
    } catch (error) {
      if (!(error instanceof CookieStoreError)) throw error;
      this.#deps.log.error({ err: error }, 'cookie store failed, upload refused');
      return STORE_FAILED;
    }
    return {
      status: 400,
      text: 'only visitors who are logged in with a certain role may upload here',
      kind: 'role of an upload',
      remedy: `let the visitor log in on the realm "${realm}" with the role "${role}"`,
    };
  }

  /** @returns what is the same at each request of a visitor: it tells a cookie, and is never shown or logged. */
  nameOf({ cookie, client }: WebRequest): string {
    return cookie === undefined ? `address ${client.remoteAddress ?? ''}` : `cookie ${cookie.cbtid}`;
  }
}

/**
 * Whose share of the room an upload takes: that of an address, also of visitors with cookies, because whoever wants another cookie gets
 * one. @returns undefined where there is none: on a socket of the file system, behind a proxy that is not trusted to tell it.
 */
export function addressOf({ client }: WebRequest): string | undefined {
  return countedAddress(client.remoteAddress);
}
