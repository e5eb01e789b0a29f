/**
 * A name for a cookie that may be shown to others: who knows it cannot come back as that browser, but sees that two
 * sessions are of the same one.
 */
import { createHash } from 'node:crypto';

/** Of the hash, in bytes: far more than there are cookies, far fewer than the cookie id has random bits to search. */
const DIGEST_BYTES = 12;

/** @returns 16 characters of Base64url, always the same for the same cookie id, from which it cannot be found. */
export function cookieDigest(cbtid: string): string {
  // The prefix keeps it apart from other hashes of the same id, such as those in somebody's log.
  const hash = createHash('sha256').update(`http_cbtid:${cbtid}`).digest();
  return hash.subarray(0, DIGEST_BYTES).toString('base64url');
}

/**
 * What an anonymous session is called where the cookie id is a password: other sessions see it, and cannot come back with it.
 * @returns as many characters of Base64url as the id has, always the same for the same id.
 */
export function derivedAuthid(cbtid: string): string {
  return createHash('sha256').update(`authid:${cbtid}`).digest('base64url').slice(0, cbtid.length);
}
