/** One provider of a login, with all that belongs to it. Here is which class stands behind which `type`. */
import { Backchannel } from './backchannel.js';
import { SignInFlow } from './flow.js';
import { OAuth2Provider } from './oauth2.js';
import { OidcProvider } from './oidc.js';
import { settingsOf } from './settings.js';
import type { RepeatedLog } from '../../../log/repeated.js';
import type { ProvidersDeps } from '../providers-type.js';
import type { Fetch } from './bounded-fetch.js';
import type { IdentityProvider } from './identity-provider.js';
import type { ProviderConfig } from './schema.js';
import type { ProviderSettings } from './settings.js';
import type { TransactionCookies } from './transaction-cookies.js';

/** What the providers of a service share. */
export interface LoginProviderDeps extends ProvidersDeps {
  readonly repeated: RepeatedLog;
  readonly cookies: TransactionCookies;
  readonly fetch: Fetch;
}

export class LoginProvider {
  readonly identity: IdentityProvider;
  readonly settings: ProviderSettings;
  /** Undefined where the provider has none, or the config says no. */
  readonly backchannel: Backchannel | undefined;
  readonly flow: SignInFlow;

  constructor(name: string, config: ProviderConfig, deps: LoginProviderDeps) {
    const { desk, reports, repeated, cookies, log } = deps;
    const identity: IdentityProvider =
      config.type === 'oidc' ? new OidcProvider(config, deps) : new OAuth2Provider(config, deps);
    const settings = settingsOf(name, config, identity.issuer, deps);
    this.identity = identity;
    this.settings = settings;
    this.flow = new SignInFlow({ provider: identity, settings, cookies, log, repeated, desk, reports });
    const verify = identity.verifyLogout?.bind(identity);
    if (verify === undefined || config.type !== 'oidc' || !config.backchannel_logout) return;
    this.backchannel = new Backchannel({ name, log, repeated, desk, reports, issuer: identity.issuer, verify });
  }
}
