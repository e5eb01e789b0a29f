/** The key that WAMP-CRA makes of a password and a salt (section "Salted Passwords"): PBKDF2-HMAC-SHA256, in Base64. */
import { pbkdf2 } from 'node:crypto';

/** What clients use where CHALLENGE does not say, autobahn-js among them. */
export const DEFAULT_ITERATIONS = 1000;
/** The length of a key in bytes. */
export const DEFAULT_KEYLEN = 32;

/** How a key is derived. */
export interface Derivation {
  readonly salt: string;
  readonly iterations?: number;
  readonly keylen?: number;
}

/** @returns whether a secret is the Base64 text of exactly `keylen` bytes: then it is a key, and no password. */
export function isDerivedKey(secret: string, keylen: number = DEFAULT_KEYLEN): boolean {
  const bytes = Buffer.from(secret, 'base64');
  return bytes.length === keylen && bytes.toString('base64') === secret;
}

/** @param secret a key, which is the result, or a password. The event loop goes on meanwhile. */
export function derivedKey(secret: string, derivation: Derivation): Promise<string> {
  const { salt, iterations = DEFAULT_ITERATIONS, keylen = DEFAULT_KEYLEN } = derivation;
  if (isDerivedKey(secret, keylen)) return Promise.resolve(secret);
  return new Promise((resolve, reject) => {
    pbkdf2(secret, salt, iterations, keylen, 'sha256', (error, key) => {
      if (error === null) resolve(key.toString('base64'));
      else reject(error);
    });
  });
}
