/** The public keys of an issuer in a file: a JWK set (RFC 7517), or one key or certificate in PEM. */
import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { errorCode, messageOf } from '../../system/error.js';
import { isDict } from '../../wamp/payload.js';
import type { JWK } from 'jose';
import type { IssuerKeys, Jose } from './keys.js';

/** A key file cannot be used; the text names it and says why. */
export class KeyFileError extends Error {
  readonly code = 'ERR_KEY_FILE';
  override readonly name = 'KeyFileError';
}

const ALLOWED = 'public keys: a JWK set, or one key or certificate in PEM';
const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----/g;
/** Shorter RSA keys can be broken; jose refuses them, too (RFC 7518, section 3.3). */
const MIN_RSA_BITS = 2048;

/** @throws KeyFileError (rejects) */
export async function readKeyFile(file: string, jose: Jose): Promise<IssuerKeys> {
  try {
    const text = await readFile(file, 'utf8');
    if (text.trimStart().startsWith('-----BEGIN ')) return onlyKey(jose, ofPem(text));
    const local = jose.createLocalJWKSet({ keys: ofJson(text) });
    return { find: (header, token) => local(header, token) };
  } catch (cause) {
    const reason = errorCode(cause) ?? '';
    const text = /^E[A-Z]+$/.test(reason) ? `cannot be read: ${reason}` : `${messageOf(cause)} (allowed: ${ALLOWED})`;
    throw new KeyFileError(`the key file ${JSON.stringify(file)} ${text}`, { cause });
  }
}

/** One key is meant whatever the token calls it: a PEM file has no names of keys. */
function onlyKey(jose: Jose, jwk: JWK): IssuerKeys {
  const local = jose.createLocalJWKSet({ keys: [jwk] });
  return { find: ({ alg }) => local({ alg }) };
}

function ofPem(text: string): JWK {
  const labels = [...text.matchAll(PEM_BLOCK)].map(([, label = '']) => label);
  if (labels.some((label) => label.includes('PRIVATE'))) throw new Error('holds a private key');
  if (labels.length > 1) throw new Error(`holds ${labels.length} blocks of PEM`);
  return usable(createPublicKey(text).export({ format: 'jwk' }));
}

function ofJson(text: string): JWK[] {
  const value = parsed(text);
  const keys: unknown = isDict(value) && 'kty' in value ? [value] : isDict(value) ? value['keys'] : undefined;
  if (!Array.isArray(keys) || !keys.every(isDict)) throw new Error('holds no keys');
  if (keys.some((key) => 'd' in key || 'k' in key)) throw new Error('holds a private or a symmetric key');
  // Keys of kinds that nobody knows yet are passed over (RFC 7517, section 5).
  const known = (keys as readonly JWK[]).filter(({ kty }) => ['RSA', 'EC', 'OKP'].includes(kty ?? ''));
  if (known.length === 0) throw new Error('holds no keys');
  return known.map(usable);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('holds neither JSON nor PEM');
  }
}

/** @throws Error for a key with which no token can be checked. */
function usable(jwk: JWK): JWK {
  const { asymmetricKeyDetails } = createPublicKey({ key: jwk as never, format: 'jwk' });
  const bits = asymmetricKeyDetails?.modulusLength ?? MIN_RSA_BITS;
  if (bits < MIN_RSA_BITS) throw new Error(`holds an RSA key of ${bits} bits, of at least ${MIN_RSA_BITS}`);
  return jwk;
}
