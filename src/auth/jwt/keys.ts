/** Where the keys of an issuer come from, for those who check tokens. */
import type * as jose from 'jose';
import type { CryptoKey, FlattenedJWSInput, JWTHeaderParameters } from 'jose';

/** The package, which is loaded only where tokens are checked. */
export type Jose = typeof jose;

/** The keys of one issuer. */
export interface IssuerKeys {
  /**
   * @returns the key for a token.
   * @throws (rejects) whatever jose throws where no key fits; {@link KeysMissing} where there are no keys at all.
   */
  find(header: JWTHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey | Uint8Array>;
  /** Keys that change are fetched from now on. */
  start?(): void;
  /** Idempotent. */
  stop?(): void;
}

/** The keys of the issuer have never been there, so nothing can be said of its tokens. */
export class KeysMissing extends Error {
  readonly code = 'ERR_KEYS_MISSING';
  override readonly name = 'KeysMissing';
}

/** @returns the one key that both sides have. */
export function sharedKey(secret: string): IssuerKeys {
  const key = new TextEncoder().encode(secret);
  return { find: () => Promise.resolve(key) };
}
