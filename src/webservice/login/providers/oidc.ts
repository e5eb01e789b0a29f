/** A provider of OpenID Connect (OpenID Connect Core 1.0, section 3.1: authorization code flow). */
import * as client from 'openid-client';
import { ProviderAnswerError } from './bounded-fetch.js';
import { clientAuthenticationOf } from './client-authentication.js';
import { failureOf } from './failure.js';
import { Kept } from './kept.js';
import { LogoutTokens } from './logout-token.js';
import type { Identity, IdentityProvider, IdentityProviderDeps, ProviderLogout, SignIn } from './identity-provider.js';
import type { OidcProviderConfig } from './schema.js';

/** Providers change their endpoints seldom, and without telling. */
const METADATA_GOOD_MS = 86_400_000;
/** Below what the page asks the user to wait. */
const METADATA_BAD_MS = 5000;

interface Discovered {
  readonly configuration: client.Configuration;
  readonly logoutTokens: LogoutTokens | undefined;
}

export class OidcProvider implements IdentityProvider {
  readonly authmethod = 'oidc';
  readonly issuer: string;
  readonly #config: OidcProviderConfig;
  readonly #deps: IdentityProviderDeps;
  readonly #discovered: Kept<Discovered>;

  constructor(config: OidcProviderConfig, deps: IdentityProviderDeps) {
    this.issuer = config.issuer;
    this.#config = config;
    this.#deps = deps;
    const load = (): Promise<Discovered> => this.#load();
    this.#discovered = new Kept({ load, goodMs: METADATA_GOOD_MS, badMs: METADATA_BAD_MS, clock: deps.clock });
  }

  async signInUrl({ redirectUri, state, nonce, verifier }: SignIn): Promise<URL> {
    const { scope, prompt, max_age: maxAge } = this.#config;
    const { configuration } = await this.#discovered.get();
    return client.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      response_type: 'code',
      // With `form_post` the browser would come back by a POST of another site, without our cookie.
      response_mode: 'query',
      scope: scope.join(' '),
      state,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(prompt !== undefined && { prompt }),
      ...(maxAge !== undefined && { max_age: String(maxAge) }),
    });
  }

  async identify(callback: URL, { state, nonce, verifier }: SignIn): Promise<Identity> {
    const { userinfo, max_age: maxAge } = this.#config;
    const { configuration } = await this.#discovered.get();
    const tokens = await client.authorizationCodeGrant(configuration, callback, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
      ...(maxAge !== undefined && { maxAge }),
    });
    const claims = tokens.claims();
    if (claims === undefined) throw new TypeError('a checked ID token has no claims');
    const more = userinfo ? await client.fetchUserInfo(configuration, tokens.access_token, claims.sub) : {};
    const { sub, sid } = claims;
    // The ID token is signed.
    return { user: { ...more, ...claims }, subject: sub, ...(typeof sid === 'string' && { sid }) };
  }

  async signOutUrl(returnTo: string): Promise<URL | undefined> {
    if (!this.#config.end_session) return undefined;
    const { configuration } = await this.#discovered.get();
    if (configuration.serverMetadata().end_session_endpoint === undefined) return undefined;
    // No `id_token_hint`: no token is kept. The provider asks the user.
    return client.buildEndSessionUrl(configuration, { post_logout_redirect_uri: returnTo });
  }

  async verifyLogout(token: string): Promise<ProviderLogout> {
    const { logoutTokens } = await this.#discovered.get();
    if (logoutTokens === undefined) throw new TypeError('the provider has no keys');
    return logoutTokens.verify(token);
  }

  /** Whatever is wrong with its metadata, without them the provider cannot be asked. */
  async #load(): Promise<Discovered> {
    try {
      return await this.#discover();
    } catch (error) {
      throw new ProviderAnswerError(`no metadata: ${failureOf(error).reason}`, { cause: error });
    }
  }

  async #discover(): Promise<Discovered> {
    const { issuer, client_id: clientId, leeway, timeout } = this.#config;
    const { fetch, clock } = this.#deps;
    const isPlain = issuer.startsWith('http:');
    const configuration = await client.discovery(
      new URL(issuer),
      clientId,
      { [client.clockTolerance]: leeway },
      clientAuthenticationOf(this.#config),
      {
        // Without the first, any ID token that came from the token endpoint would do, whoever signed it.
        execute: [client.enableNonRepudiationChecks, ...(isPlain ? [allowPlainHttp] : [])],
        timeout: timeout / 1000,
        [client.customFetch]: (url, options) => fetch(url, options as RequestInit),
      },
    );
    const { issuer: name, jwks_uri: keys } = configuration.serverMetadata();
    const logoutTokens =
      keys === undefined
        ? undefined
        : new LogoutTokens({ issuer: name, clientId, keys, leeway, timeout }, { fetch, clock });
    return { configuration, logoutTokens };
  }
}

/** The name warns of it: the config allows it for this machine only, and so does `boundedFetch`. */
// eslint-disable-next-line @typescript-eslint/no-deprecated
const allowPlainHttp = client.allowInsecureRequests;
