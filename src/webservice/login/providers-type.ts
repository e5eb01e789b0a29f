/**
 * What the service `login` knows of its providers: identity providers, to which the browser is sent. The code behind it is loaded only where the config
 * has some.
 */
import type { CookieAuth, LoginFault } from '../../cookie/store.js';
import type { CookieConfig } from '../../cookie/schema.js';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest } from '../../http/service.js';
import type { Logger } from '../../log/logger.js';
import type { LoginDesk } from './desk.js';
import type { LoginReports } from './report.js';

/** What providers get from the service. */
export interface ProvidersDeps {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly desk: LoginDesk;
  readonly reports: LoginReports;
  readonly log: Logger;
  /** The origin of the pages, without a slash at the end. Redirect URIs are made of it and the mount of the request. */
  readonly publicUrl: string;
  /** The realm of a provider that names none. */
  readonly realm: string;
  /** Where the browser goes after a login that names no page. */
  readonly returnTo: string;
  /** The section in force: its `secrets` seal what a browser keeps during a login, and `secure` holds for that cookie, too. */
  readonly cookie: CookieConfig;
}

/** All providers of one service. */
export interface Providers {
  /**
   * Answers what is below the mount of the service: `/<provider>/start` and so on, with any method.
   * @returns false for a path of no provider: nothing has been answered.
   */
  handle(request: WebRequest, res: WebResponse): Promise<boolean>;
  /** @returns what is wrong with a login whose source names a provider; `no such method` when there is none of this name. */
  faultOf(login: CookieAuth): LoginFault | undefined;
  /** @returns where the browser ends its session at the provider; undefined where there is no such place. */
  logoutUrl?(login: CookieAuth): string | undefined | Promise<string | undefined>;
  /** Releases what they hold. Idempotent. */
  stop(): void;
}

/** What the module with the code exports, as `createProviders`. `C` is the checked section. */
export type CreateProviders<C> = (providers: C, deps: ProvidersDeps) => Providers | Promise<Providers>;
