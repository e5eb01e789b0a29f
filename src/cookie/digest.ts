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
