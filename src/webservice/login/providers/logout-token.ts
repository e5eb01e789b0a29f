/** Logout tokens: a provider says that somebody has logged out there (OpenID Connect Back-Channel Logout 1.0, section 2.6). */
import { createHash } from 'node:crypto';
import { createRemoteJWKSet, customFetch, errors, jwtVerify } from 'jose';
import { isDict } from '../../../wamp/payload.js';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import type { IdentityProviderDeps, ProviderLogout } from './identity-provider.js';

/** A logout token is not what it has to be; the text is for the provider, which may show it to its operator. */
export class LogoutTokenError extends Error {
  readonly code = 'ERR_LOGOUT_TOKEN';
  override readonly name = 'LogoutTokenError';
}

/** Never `none`, and nothing that is signed with a secret. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** How old a token may be, in seconds. */
const MAX_AGE_S = 120;

/** Anybody can send tokens with made-up keys: after a look at the keys of the provider there is none for a while. */
const KEYS_COOLDOWN_MS = 30_000;

/** Only tokens with a good signature are remembered, so the provider alone can fill this. */
const MAX_REMEMBERED = 10_000;

export interface LogoutTokenRules {
  readonly issuer: string;
  readonly clientId: string;
  /** The URL of the keys. */
  readonly keys: string;
  /** By how many seconds the provider's clock may be wrong. */
  readonly leeway: number;
  /** In milliseconds. */
  readonly timeout: number;
}

/** Checks the logout tokens of one provider. */
export class LogoutTokens {
  readonly #rules: LogoutTokenRules;
  readonly #deps: IdentityProviderDeps;
  readonly #keys: JWTVerifyGetKey;
  // digest of the `jti` of a token -> until when it would be taken again, in milliseconds since 1970; oldest first
  readonly #taken = new Map<string, number>();
  #keysFailedMs = -Infinity;

  constructor(rules: LogoutTokenRules, deps: IdentityProviderDeps) {
    this.#rules = rules;
    this.#deps = deps;
    this.#keys = createRemoteJWKSet(new URL(rules.keys), {
      timeoutDuration: rules.timeout,
      cooldownDuration: KEYS_COOLDOWN_MS,
      [customFetch]: (url, options) => this.#fetchKeys(url, options),
    });
  }

  /**
   * @returns who has logged out. The same token is not taken twice.
   * @throws LogoutTokenError (rejects) when it is not what it should be; anything else when the keys of the provider cannot be had.
   */
  async verify(token: string): Promise<ProviderLogout> {
    const payload = await this.#signed(token);
    const { sub, sid, jti, events } = payload;
    if (!isDict(events) || !isDict(events[EVENT])) throw new LogoutTokenError('the token tells of no logout');
    if ('nonce' in payload) throw new LogoutTokenError('the token has a nonce');
    const logout = { subject: nameOf(sub), sid: nameOf(sid) };
    if (logout.subject === undefined && logout.sid === undefined) throw new LogoutTokenError('the token names nobody');
    if (typeof jti !== 'string' || !this.#take(jti)) throw new LogoutTokenError('the token was taken already');
    return logout;
  }

  async #signed(token: string): Promise<JWTPayload> {
    const { issuer, clientId, leeway } = this.#rules;
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer,
        audience: clientId,
        typ: 'logout+jwt',
        algorithms: ALGORITHMS,
        maxTokenAge: MAX_AGE_S,
        clockTolerance: leeway,
        requiredClaims: ['jti', 'events'],
        currentDate: new Date(this.#deps.clock()),
      });
      return payload;
    } catch (error) {
      if (isOfToken(error)) throw new LogoutTokenError('the token is not a good logout token', { cause: error });
      throw error;
    }
  }

  async #fetchKeys(url: string, options: RequestInit): Promise<Response> {
    const { fetch, clock } = this.#deps;
    if (clock() < this.#keysFailedMs + KEYS_COOLDOWN_MS)
      throw new Error('the keys of the provider could not be had a moment ago');
    try {
      const response = await fetch(url, options);
      if (response.status !== 200) this.#keysFailedMs = clock();
      return response;
    } catch (error) {
      this.#keysFailedMs = clock();
      throw error;
    }
  }

  /** @returns whether the token is new. */
  #take(jti: string): boolean {
    const now = this.#deps.clock();
    const digest = createHash('sha256').update(jti).digest('base64');
    for (const [known, untilMs] of this.#taken) {
      if (untilMs > now && this.#taken.size < MAX_REMEMBERED) break;
      this.#taken.delete(known);
    }
    if (this.#taken.has(digest)) return false;
    this.#taken.set(digest, now + (MAX_AGE_S + 2 * this.#rules.leeway) * 1000);
    return true;
  }
}

/** What is wrong with the keys of the provider, or with the way to them, and not with the token. */
const OF_KEYS: ReadonlySet<string> = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID']);

function isOfToken(error: unknown): boolean {
  return error instanceof errors.JOSEError && !OF_KEYS.has(error.code);
}

function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
