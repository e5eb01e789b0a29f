/**
 * One issuer: what it signs, and who is meant by it. Everything here is the issuer's own: its keys, its audience, its rules.
 */
import { errorCode, messageOf } from '../../system/error.js';
import { isDict } from '../../wamp/payload.js';
import type { Dict } from '../../wamp/payload.js';
import { credentialFault, credentialMark } from '../credential.js';
import { mapUser } from '../mapping/mapping.js';
import type { MappedUser } from '../mapping/mapping.js';
import type { CookieAuth, LoginFault } from '../../cookie/store.js';
import { defaultAlgorithms } from './algorithms.js';
import { KeysMissing } from './keys.js';
import type { IssuerKeys, Jose } from './keys.js';
import type { IssuerConfig } from './schema.js';
import type { Turns } from '../../system/turns.js';
import type { JWTPayload, JWTVerifyOptions, JWTVerifyResult } from 'jose';

/** Whom a good token stands for, and until when. */
export interface TokenUser {
  readonly type: 'user';
  readonly issuer: string;
  /** Who it is at the issuer, for ever. */
  readonly subject: string;
  readonly user: MappedUser;
  /** When the token expires, in milliseconds since 1970. */
  readonly expiresMs: number;
  /** The same with the leeway: until then the token counts. */
  readonly countsUntilMs: number;
  /** What names the token, for those who may have denied it. */
  readonly claims: Pick<JWTPayload, 'jti' | 'sub' | 'iat' | 'exp'>;
  /** See `Principal.credential`. */
  readonly credential: string | undefined;
}

/** A token that does not count. */
export interface BadToken {
  readonly type: 'bad';
  /** For the log. */
  readonly fault: string;
  /** A constant, or one of few words. */
  readonly kind: string;
  /** The issuer has signed it, but its time is over. */
  readonly isExpired: boolean;
}

/** What a token is worth. */
export type Reading = TokenUser | BadToken | { readonly type: 'no keys' };

/** The same, of a token that says who somebody is. Longer ones are no names. */
const MAX_SUBJECT_CHARACTERS = 1024;

export interface IssuerDeps {
  readonly jose: Jose;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** For checking signatures; issuers share them. */
  readonly turns: Turns;
}

export class Issuer {
  readonly config: IssuerConfig;
  readonly #keys: IssuerKeys;
  readonly #jose: Jose;
  readonly #turns: Turns;
  readonly #clock: () => number;
  readonly #rules: JWTVerifyOptions;
  readonly #credential: string | undefined;

  constructor(config: IssuerConfig, keys: IssuerKeys, { jose, clock, turns }: IssuerDeps) {
    const { issuer, audience, algorithms, leeway, max_age, typ, secret } = config;
    this.config = config;
    this.#keys = keys;
    this.#jose = jose;
    this.#turns = turns;
    this.#clock = clock;
    this.#rules = {
      algorithms: [...(algorithms ?? defaultAlgorithms(secret !== undefined))],
      issuer,
      audience: typeof audience === 'string' ? audience : [...audience],
      clockTolerance: leeway,
      maxTokenAge: max_age,
      requiredClaims: ['exp'],
      ...(typ !== undefined && { typ }),
    };
    this.#credential = secret === undefined ? undefined : credentialMark('jwt', issuer, secret);
  }

  start(): void {
    this.#keys.start?.();
  }

  stop(): void {
    this.#keys.stop?.();
  }

  /** Never rejects, whatever the token is. */
  async read(token: string): Promise<Reading> {
    let giveBack = (): void => undefined;
    try {
      const rules = { ...this.#rules, currentDate: new Date(this.#clock()) };
      const keyOf: IssuerKeys['find'] = async (...asked) => {
        // Before the turn: a key that has to be fetched takes long, and others need not wait for it.
        const key = await this.#keys.find(...asked);
        giveBack = await this.#turns.take();
        return key;
      };
      return this.#judge(await this.#jose.jwtVerify(token, keyOf, rules));
    } catch (error) {
      if (error instanceof KeysMissing) return { type: 'no keys' };
      const isExpired = error instanceof this.#jose.errors.JWTExpired;
      return { type: 'bad', fault: messageOf(error), kind: errorCode(error) ?? 'other', isExpired };
    } finally {
      giveBack();
    }
  }

  /** @returns what is wrong with a login that somebody remembers; undefined when nothing is. */
  faultOf(login: CookieAuth): LoginFault | undefined {
    const { role, authid_prefix = '' } = this.config;
    const roles = typeof role === 'string' ? [role] : [...Object.values(role.map), role.default];
    if (!roles.includes(login.authrole) || !login.authid.startsWith(authid_prefix)) return 'no such principal';
    return credentialFault(login, this.#credential === undefined ? [] : [this.#credential]);
  }

  /** The signature and the claims of RFC 7519 are good. */
  #judge({ payload, protectedHeader }: JWTVerifyResult): TokenUser | BadToken {
    const { issuer, leeway, max_age } = this.config;
    if (isOfAnotherKind(payload, protectedHeader.typ)) return bad('it is for something else than a login');
    const user = mapUser(payload, this.config);
    if (user === undefined) return bad('it names nobody, or not with what the config requires');
    const { jti, sub, iat = 0, exp = 0 } = payload;
    const subject = sub ?? user.authid;
    if (!isName(subject)) return bad('its "sub" is no name');
    // Both are there, and numbers: jose has looked at them.
    const expiresMs = Math.min(exp, iat + max_age) * 1000;
    return {
      type: 'user',
      issuer,
      subject,
      user,
      expiresMs,
      countsUntilMs: expiresMs + leeway * 1000,
      claims: { iat, exp, ...(sub !== undefined && { sub }), ...(jti !== undefined && { jti }) },
      credential: this.#credential,
    };
  }
}

/** A claim of a stranger's making may have any type. */
function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= MAX_SUBJECT_CHARACTERS;
}

/**
 * Tokens that tell of events, such as a logout, are signed with the same keys, and have the same audience (RFC 8417; OpenID
 * Connect Back-Channel Logout, section 2.4).
 */
function isOfAnotherKind({ events }: Dict, typ: string | undefined): boolean {
  return isDict(events) || /^(?:application\/)?(?:logout|secevent)\+jwt$/i.test(typ ?? '');
}

function bad(fault: string): BadToken {
  return { type: 'bad', fault, kind: fault, isExpired: false };
}
