/**
 * The key set of an issuer at a URL. It is fetched by a timer of our own, and keys that are there stay when that fails: an
 * issuer that is down keeps nobody out whose key is known.
 *
 *     start --> fetched: again after `refresh`
 *           --> failed:  again after `cooldown`
 *     a token with an unknown key --> fetched, unless it was tried within `cooldown`
 *
 * The cooldown holds after failures, too: anybody can send tokens with unknown keys, and they are looked for before a
 * signature is checked. (jose's own remote key set has no cooldown after failures, and refuses known keys when they are old.)
 */
import { sayRepeated } from '../../log/repeated.js';
import { messageOf } from '../../system/error.js';
import { fetchKeySet, KeySetError } from './key-fetch.js';
import { KeysMissing } from './keys.js';
import type { LeaseTimes } from '../lease.js';
import type { RepeatedLogDeps } from '../../log/repeated.js';
import type { CryptoKey, FlattenedJWSInput, JSONWebKeySet, JWTHeaderParameters } from 'jose';
import type { IssuerConfig } from './schema.js';
import type { IssuerKeys, Jose } from './keys.js';

export interface RemoteKeysDeps extends RepeatedLogDeps, LeaseTimes {
  readonly jose: Jose;
}

type RemoteKeysConfig = Pick<IssuerConfig, 'issuer' | 'refresh' | 'cooldown' | 'timeout'> & { readonly jwks: string };

export class RemoteKeys implements IssuerKeys {
  readonly #config: RemoteKeysConfig;
  readonly #deps: RemoteKeysDeps;
  readonly #stopping = new AbortController();
  #keys: ReturnType<Jose['createLocalJWKSet']> | undefined;
  #pending: Promise<boolean> | undefined;
  /** When the last fetch was over, in milliseconds since 1970. */
  #triedAt = -Infinity;
  #hasFailed = false;
  #stopTimer = (): void => undefined;

  constructor(config: RemoteKeysConfig, deps: RemoteKeysDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  start(): void {
    void this.#fetch();
  }

  stop(): void {
    this.#stopTimer();
    this.#stopping.abort();
  }

  async find(header: JWTHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    if (this.#keys === undefined && !(await this.#fetchUnlessCooling())) throw new KeysMissing('no keys yet');
    try {
      return await this.#known(header, token);
    } catch (error) {
      const { JWKSNoMatchingKey } = this.#deps.jose.errors;
      if (!(error instanceof JWKSNoMatchingKey) || !(await this.#fetchUnlessCooling())) throw error;
      return this.#known(header, token);
    }
  }

  #known(header: JWTHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    if (this.#keys === undefined) throw new KeysMissing('no keys yet');
    return this.#keys(header, token);
  }

  /** @returns whether there are new keys. */
  async #fetchUnlessCooling(): Promise<boolean> {
    const elapsed = this.#deps.clock() - this.#triedAt;
    // A clock that was set back does not prolong the cooldown.
    const isCooling = elapsed >= 0 && elapsed < this.#config.cooldown * 1000;
    if (this.#pending === undefined && isCooling) return false;
    return this.#fetch();
  }

  /** One at a time. @returns whether there are new keys; never rejects. */
  #fetch(): Promise<boolean> {
    if (this.#stopping.signal.aborted) return Promise.resolve(false);
    this.#stopTimer();
    this.#pending ??= this.#load().then((isLoaded) => {
      this.#pending = undefined;
      this.#triedAt = this.#deps.clock();
      if (!this.#stopping.signal.aborted) this.#fetchLater(isLoaded ? this.#config.refresh : this.#config.cooldown);
      return isLoaded;
    });
    return this.#pending;
  }

  #fetchLater(seconds: number): void {
    this.#stopTimer = this.#deps.after(seconds * 1000, () => void this.#fetch());
  }

  async #load(): Promise<boolean> {
    const { jwks, timeout, issuer } = this.#config;
    const { jose, log } = this.#deps;
    const isFirst = this.#keys === undefined;
    try {
      const json = await fetchKeySet(jwks, timeout, this.#stopping.signal);
      this.#keys = localKeys(jose, json);
      const keys = this.#keys.jwks().keys.length;
      if (keys === 0) log.warn({ issuer }, 'key set of a token issuer is empty');
      else if (isFirst || this.#hasFailed) log.info({ issuer, keys }, 'key set of a token issuer fetched');
      this.#hasFailed = false;
      return true;
    } catch (error) {
      if (this.#stopping.signal.aborted) return false;
      this.#hasFailed = true;
      this.#sayFailed(error, isFirst);
      return false;
    }
  }

  #sayFailed(error: unknown, isFirst: boolean): void {
    const facts = { issuer: this.#config.issuer, fault: messageOf(error) };
    const message = isFirst
      ? 'key set of a token issuer cannot be fetched, its clients are to come back'
      : 'key set of a token issuer cannot be fetched, the known keys go on';
    sayRepeated(this.#deps, 'warn', facts, message, `${message} ${this.#config.issuer}`);
  }
}

function localKeys(jose: Jose, json: unknown): ReturnType<Jose['createLocalJWKSet']> {
  try {
    return jose.createLocalJWKSet(json as JSONWebKeySet);
  } catch (cause) {
    throw new KeySetError('the answer is no key set', { cause });
  }
}
