/**
 * Tokens of others (JWT, RFC 7519): an identity provider or a backend signs who somebody is, and until when.
 *
 *     HELLO `jwt` or `ticket`, `authextra.token`  -> verdict, without a round trip
 *     HELLO `jwt`                                 -> CHALLENGE `{}` -> AUTHENTICATE with the token
 *
 * The issuer's keys, audience and rules are chosen by the issuer that the token names, and nothing of another issuer is looked
 * at. No cookie remembers the login, because it ends with the token.
 */
import { optionalPackage } from '../../system/optional-package.js';
import { sayRepeated } from '../../log/repeated.js';
import { shown } from '../../log/logger.js';
import { verdictOf } from '../dynamic/answer.js';
import { accept, deny, denied } from '../verdict.js';
import { createDeniedQuestion } from './denied.js';
import { Issuer } from './issuer.js';
import { readKeyFile } from './key-file.js';
import { RemoteKeys } from './key-set.js';
import { sharedKey } from './keys.js';
import { expiryOf, tokenLease } from './lease.js';
import { claimedIssuer, isToken } from './token.js';
import { Turns } from '../../system/turns.js';
import type { CookieAuth, LoginFault } from '../../cookie/store.js';
import type { AuthDeps, AuthMethod, AuthMethodType, AuthRequest, Deny } from '../method.js';
import type { Pass, TicketReader, Unavailable, Verdict } from '../method.js';
import type { DeniedQuestion } from './denied.js';
import type { BadToken, TokenUser } from './issuer.js';
import type { IssuerKeys, Jose } from './keys.js';
import type { IssuerConfig, JwtConfig } from './schema.js';

const PASS: Pass = { type: 'pass' };

/** How many signatures are checked at a time: more than threads do it, so that these always have work. */
const MAX_CHECKING = 8;

const NOT_NOW: Unavailable = {
  type: 'unavailable',
  message: 'no login with a token at the moment, please try again later',
};

export const jwt: AuthMethodType<JwtConfig> = {
  type: 'jwt',

  async create(config, deps) {
    const jose = await loadJose();
    const question = config.denied === undefined ? undefined : await createDeniedQuestion(config.denied, deps);
    const parts = { jose, clock: deps.clock, turns: new Turns(MAX_CHECKING) };
    const issuers = await Promise.all(
      config.issuers.map(async (issuer) => new Issuer(issuer, await keysOf(issuer, jose, deps), parts)),
    );
    for (const issuer of issuers) issuer.start();
    return new TokenMethod(config, issuers, question, deps);
  },
};

/** @throws OptionalPackageError (rejects) */
export function loadJose(): Promise<Jose> {
  return optionalPackage('jose', 'a section "jwt"', () => import('jose'));
}

async function keysOf(config: IssuerConfig, jose: Jose, deps: AuthDeps): Promise<IssuerKeys> {
  const { jwks, keys, secret } = config;
  if (jwks !== undefined) return new RemoteKeys({ ...config, jwks }, { ...deps, jose });
  return keys === undefined ? sharedKey(secret ?? '') : readKeyFile(keys, jose);
}

class TokenMethod implements AuthMethod {
  readonly ticketReader: TicketReader;
  readonly #config: JwtConfig;
  readonly #question: DeniedQuestion | undefined;
  readonly #deps: AuthDeps;
  // `iss` -> issuer
  readonly #issuers: ReadonlyMap<string, Issuer>;
  #isStopped = false;

  constructor(config: JwtConfig, issuers: readonly Issuer[], question: DeniedQuestion | undefined, deps: AuthDeps) {
    this.#config = config;
    this.#question = question;
    this.#deps = deps;
    this.#issuers = new Map(issuers.map((issuer) => [issuer.config.issuer, issuer]));
    this.ticketReader = {
      read: (ticket, request) => (isToken(ticket, config.max_length) ? this.#judge(ticket, request) : PASS),
    };
  }

  start(request: AuthRequest): Verdict | Promise<Verdict> {
    const token = request.authextra?.['token'];
    if (typeof token === 'string') return this.#judge(token, request);
    return { type: 'challenge', authmethod: 'jwt', extra: {}, resume: (signature) => this.#judge(signature, request) };
  }

  faultOf(login: CookieAuth): LoginFault | undefined {
    const issuer = this.#issuers.get(login.source?.issuer ?? '');
    return issuer === undefined ? 'no such principal' : issuer.faultOf(login);
  }

  stop(): void {
    this.#isStopped = true;
    for (const issuer of this.#issuers.values()) issuer.stop();
  }

  async #judge(text: string, request: AuthRequest): Promise<Verdict> {
    const token = await this.#read(text, request.realm);
    return token.type === 'user' ? this.#accept(token, request) : token;
  }

  #accept(token: TokenUser, { realm: asked, authid: wanted }: AuthRequest): Verdict {
    const { issuer, subject, user, credential } = token;
    const { authid, authrole, realm = asked, authextra } = user;
    if (wanted !== undefined && wanted !== authid) return denied(this.#deps.uris);
    const closes = this.#config.expire === 'close';
    const { clock, after, logins } = this.#deps;
    const read = (text: string) => this.#readAgain(text, realm);
    return {
      ...accept({
        ...{ realm, authid, authrole, authmethod: 'jwt', authprovider: issuer },
        ...(authextra !== undefined && { authextra }),
        ...(credential !== undefined && { credential }),
      }),
      ...(closes && { proof: { expires: expiryOf(token) } }),
      lease: tokenLease(token, { closes, clock, after, renewals: logins.renewals, read }),
      source: { issuer, subject },
    };
  }

  /** For a session that is on: the config may have changed since it began. */
  #readAgain(text: string, realm: string): Promise<TokenUser | Deny | Unavailable> {
    if (!this.#isStopped) return this.#read(text, realm);
    const { denied: reason } = this.#deps.uris;
    return Promise.resolve(deny(reason, 'the config has changed since this session began, please connect again'));
  }

  /** Checks a token, and asks whether it is denied. */
  async #read(text: string, realm: string): Promise<TokenUser | Deny | Unavailable> {
    if (text.length > this.#config.max_length) return this.#refuse({ fault: 'it is too long', kind: 'too long' });
    const name = claimedIssuer(text);
    const issuer = name === undefined ? undefined : this.#issuers.get(name);
    if (issuer === undefined) return this.#refuse({ issuer: name, fault: 'its issuer is unknown', kind: 'unknown' });
    const token = await issuer.read(text);
    if (token.type === 'no keys') return NOT_NOW;
    if (token.type === 'bad') return this.#refuse({ issuer: name, ...token });
    const question = this.#question;
    if (question === undefined) return token;
    return verdictOf(this.#deps, async () =>
      (await question(token.user.realm ?? realm, token))
        ? this.#refuse({ issuer: name, fault: 'it is denied', kind: 'denied' })
        : token,
    );
  }

  #refuse({ issuer, fault, kind, isExpired = false }: Refusal): Deny {
    const facts = { issuer: issuer === undefined ? undefined : shown(issuer), fault: shown(fault) };
    sayRepeated(this.#deps, 'info', facts, 'token refused', `token refused: ${kind}`);
    const { uris } = this.#deps;
    return isExpired ? deny(uris.denied, 'authentication failed: the token has expired') : denied(uris);
  }
}

/** Why a token does not count. */
interface Refusal extends Pick<BadToken, 'fault' | 'kind'> {
  /** As the token says it. */
  readonly issuer?: string | undefined;
  readonly isExpired?: boolean;
}
