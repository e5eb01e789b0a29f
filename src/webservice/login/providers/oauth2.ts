/** A provider of plain OAuth 2.0 (RFC 6749, section 4.1), as GitHub is: no metadata, no ID token. */
import * as client from 'openid-client';
import { ProviderAnswerError } from './bounded-fetch.js';
import { clientAuthenticationOf } from './client-authentication.js';
import { valueAt } from '../../../auth/mapping/mapping.js';
import { isDict } from '../../../wamp/payload.js';
import type { Identity, IdentityProvider, IdentityProviderDeps, SignIn } from './identity-provider.js';
import type { OAuth2ProviderConfig } from './schema.js';

export class OAuth2Provider implements IdentityProvider {
  readonly authmethod = 'oauth2';
  readonly issuer: string;
  readonly #config: OAuth2ProviderConfig;
  readonly #configuration: client.Configuration;

  constructor(config: OAuth2ProviderConfig, { fetch }: IdentityProviderDeps) {
    const { authorization_endpoint, token_endpoint, client_id, timeout } = config;
    this.issuer = config.issuer ?? authorization_endpoint;
    this.#config = config;
    const server = { issuer: this.issuer, authorization_endpoint, token_endpoint };
    this.#configuration = new client.Configuration(server, client_id, {}, clientAuthenticationOf(config));
    this.#configuration.timeout = timeout / 1000;
    this.#configuration[client.customFetch] = (url, options) => fetch(url, options as RequestInit);
    if ([authorization_endpoint, token_endpoint, config.userinfo].some((url) => url.startsWith('http:'))) {
      // The config allows it for this machine only, and so does `boundedFetch`.
      // eslint-disable-next-line @typescript-eslint/no-deprecated
      client.allowInsecureRequests(this.#configuration);
    }
  }

  async signInUrl({ redirectUri, state, verifier }: SignIn): Promise<URL> {
    const { scope } = this.#config;
    return client.buildAuthorizationUrl(this.#configuration, {
      redirect_uri: redirectUri,
      response_type: 'code',
      state,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(scope.length > 0 && { scope: scope.join(' ') }),
    });
  }

  async identify(callback: URL, { state, verifier }: SignIn): Promise<Identity> {
    const { access_token: token } = await client.authorizationCodeGrant(
      this.#configuration,
      this.#withKnownIssuer(callback),
      {
        expectedState: state,
        pkceCodeVerifier: verifier,
      },
    );
    const user = await this.#user(token);
    const subject = valueAt(user, this.#config.authid);
    return { user, ...((typeof subject === 'string' || typeof subject === 'number') && { subject: String(subject) }) };
  }

  /** Each provider has a redirect URI of its own, so a name that nobody can compare is not needed against a mix-up. */
  #withKnownIssuer(callback: URL): URL {
    const known = new URL(callback);
    if (this.#config.issuer === undefined) known.searchParams.delete('iss');
    return known;
  }

  async #user(token: string): Promise<unknown> {
    const headers = new Headers({ Accept: 'application/json' });
    const url = new URL(this.#config.userinfo);
    const response = await client.fetchProtectedResource(this.#configuration, token, url, 'GET', undefined, headers);
    if (response.status !== 200) throw new ProviderAnswerError(`userinfo answers with ${response.status}`);
    const user = parsed(await response.text());
    if (!isDict(user)) throw new ProviderAnswerError('userinfo answers with something else than a JSON object');
    return user;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Pages of errors, mostly.
    return undefined;
  }
}
