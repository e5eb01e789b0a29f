/**
 * Signatures of requests: that of Crossbar.io's HTTP bridge in the query, and those of GitHub in headers. They are compared in a time
 * that does not depend on the secret. A large body is taken in slices: it is a stranger's until its signature has been found right.
 */
import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { SecretText, sameBytes } from '../../auth/constant-time.js';
import type { RequestQuery } from './query.js';

/** The parts of a query that is signed. */
export type SignedQuery = { readonly [N in keyof RequestQuery]: string };

/** Both alphabets, the last sign may be left out. */
const DIGEST_BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/;

/** HMAC-SHA256 of `key + timestamp + seq + nonce + body`, in Base64. */
export class RequestSignature {
  readonly #key: SecretText;
  readonly #secret: string;

  constructor(key: string, secret: string) {
    this.#key = new SecretText(key);
    this.#secret = secret;
  }

  /** @returns the signature, 32 octets, when it fits; the same for a wrong key and a wrong signature. */
  async verify({ key, timestamp, seq, nonce, signature }: SignedQuery, body: Buffer): Promise<Buffer | undefined> {
    const hmac = createHmac('sha256', this.#secret).update(key + timestamp + seq + nonce, 'utf8');
    const expected = await digestOf(hmac, body);
    const given = DIGEST_BASE64.test(signature) ? Buffer.from(signature, 'base64') : Buffer.alloc(0);
    const fits = sameBytes(given, expected);
    const isKnown = this.#key.equals(key);
    return fits && isKnown ? expected : undefined;
  }
}

/** Whether GitHub has signed a body with the secret: by the better one of its two headers, where there are both. */
export async function isFromGithub({ headers, body, secret }: Hook): Promise<boolean> {
  const better = headers['x-hub-signature-256'];
  const header = better ?? headers['x-hub-signature'];
  const [hash, digits] = better === undefined ? ['sha1', 40] : ['sha256', 64];
  if (typeof header !== 'string' || !header.startsWith(`${hash}=`)) return false;
  const given = header.slice(hash.length + 1);
  const expected = await digestOf(createHmac(hash, secret), body);
  return given.length === digits && sameBytes(Buffer.from(given, 'hex'), expected);
}

/** So many bytes take some milliseconds on a slow machine. */
const SLICE_BYTES = 1_048_576;

/** @returns what an HMAC says when a body has gone through it; others have their turn between two slices. */
async function digestOf(hmac: ReturnType<typeof createHmac>, body: Buffer): Promise<Buffer> {
  for (let at = 0; at < body.length; at += SLICE_BYTES) {
    if (at > 0) await new Promise((resolve) => setImmediate(resolve));
    hmac.update(body.subarray(at, at + SLICE_BYTES));
  }
  return hmac.digest();
}

/** What is looked at of a webhook. */
export interface Hook {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly secret: string;
}
