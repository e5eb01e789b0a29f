/** The names of signature algorithms (RFC 7518, RFC 8037, RFC 9864). */

/** Both sides have the same key. Name -> how long it must be, in octets (RFC 7518, section 3.2). */
export const SYMMETRIC = { HS256: 32, HS384: 48, HS512: 64 } as const;

/** The issuer has a private key, and everybody the public one. */
export const ASYMMETRIC = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
] as const;

/** @returns what counts where the config names none. */
export function defaultAlgorithms(isSymmetric: boolean): readonly string[] {
  return isSymmetric ? ['HS256'] : ['RS256', 'ES256', 'EdDSA'];
}
