/** Cryptosign (section "Cryptosign-based Authentication") as a client: signs with a private key that never leaves the process. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';

import type { ClientAuthConfig } from './auth-schema.js';
import type { ClientMethod } from './client-method.js';

/** What stands before the 32 octets of a private key of Ed25519 (PKCS #8). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const CHALLENGE = /^[0-9a-f]{64}$/i;

/** @throws Error for a key that is none. */
export function cryptosignMethod({
  privkey,
  authextra,
  ...shown
}: NonNullable<ClientAuthConfig['cryptosign']>): ClientMethod {
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8, Buffer.from(privkey, 'hex')]),
    format: 'der',
    type: 'pkcs8',
  });
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  const pubkey = Buffer.from(x, 'base64url').toString('hex');
  return {
    ...shown,
    authextra: { ...authextra, pubkey },
    answer({ challenge }) {
      if (typeof challenge !== 'string' || !CHALLENGE.test(challenge)) {
        throw new Error('the challenge of the router is not 64 hex digits');
      }
      const octets = Buffer.from(challenge, 'hex');
      return sign(null, octets, key).toString('hex') + octets.toString('hex');
    },
  };
}
