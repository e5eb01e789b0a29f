/**
 * SCRAM (section "Salted Challenge Response Authentication Mechanism") as a client, in the dialect of Crossbar.io. Node.js has no
 * Argon2, so the router has to hash with PBKDF2.
 */
import { createHash, createHmac, pbkdf2 as derive, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

import { exclusiveOr } from '../auth/constant-time.js';
import { SCRAM_DIALECTS, serverSignature } from '../auth/scram/proof.js';
import { saslprep } from '../auth/scram/saslprep.js';
import type { ClientAuthConfig } from './auth-schema.js';
import { challengeText, count } from './challenge-fields.js';
import type { ClientMethod } from './client-method.js';

const pbkdf2 = promisify(derive);
const NONCE_BYTES = 16;
const KEY_BYTES = 32;

export function scramMethod({ authid, password }: NonNullable<ClientAuthConfig['scram']>): ClientMethod {
  const nonce = randomBytes(NONCE_BYTES).toString('base64');
  /** What the router has to prove with; none before a challenge. */
  let expected: string | undefined;
  return {
    authid,
    authextra: { nonce },
    async answer({ nonce: whole, salt, kdf, iterations }) {
      if (kdf !== 'pbkdf2')
        throw new Error(`the router hashes with "${String(kdf)}", which Node.js cannot (allowed: "pbkdf2")`);
      const exchange = {
        ...{ authid: saslprep(authid) ?? authid, clientNonce: nonce, binding: 'none' as const },
        ...{ nonce: challengeText(whole), salt: challengeText(salt), iterations: count(iterations) },
      };
      const text = SCRAM_DIALECTS['scram']?.authMessage(exchange) ?? '';
      const salted = await pbkdf2(
        password,
        Buffer.from(exchange.salt, 'base64'),
        exchange.iterations,
        KEY_BYTES,
        'sha256',
      );
      const clientKey = hmac(salted, 'Client Key');
      const storedKey = createHash('sha256').update(clientKey).digest();
      expected = serverSignature(hmac(salted, 'Server Key'), text);
      return Buffer.from(exclusiveOr(clientKey, hmac(storedKey, text))).toString('base64');
    },
    check({ scram_server_signature: signature }) {
      if (expected === undefined) return;
      const [given, right] = [Buffer.from(String(signature)), Buffer.from(expected)];
      if (given.length === right.length && timingSafeEqual(given, right)) return;
      throw new Error('the router does not know the password: it is not who it should be');
    },
  };
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}
